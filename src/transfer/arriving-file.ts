/** One file of which some pieces are there: opened when it is first needed, closed when it is whole. */

import type { Folder, PartialFile, PieceRun } from "../engine/engine.ts";
import type { Entry } from "../protocol/entry.ts";
import { invalid } from "../protocol/fields.ts";
import { isDiskFailure } from "./disk-failure.ts";
import { PieceTable } from "./piece-table.ts";
import { piecesIn } from "./plan.ts";

/** Where a file arrives, and what it is. */
export interface ArrivingFileOptions {
  staging: Folder;
  path: string;
  entry: Pick<Entry, "bytes" | "mode" | "mtimeMs">;
  pieceBytes: number;
  /** Whether an earlier try has left the file. */
  isStaged: boolean;
}

/** See the file's head. */
export class ArrivingFile {
  readonly table: PieceTable;
  readonly #options: ArrivingFileOptions;
  #partial: Promise<PartialFile> | null = null;
  #isClosed = false;

  constructor(options: ArrivingFileOptions) {
    this.#options = options;
    this.table = new PieceTable(this.firstBytes, options.pieceBytes);
  }

  /** Its size, if it is known when it begins. */
  protected get firstBytes(): number | null {
    return this.#options.entry.bytes;
  }

  /**
   * Marks a run as on its way; without a length it is one piece.
   *
   * @throws {TransferError} `INVALID_FRAME` for one that the file does not have, or that is there.
   */
  claim(offset: number, length: number | null): PieceRun {
    const { pieceBytes } = this.table;
    const fileBytes = this.#options.entry.bytes;
    const size = length ?? Math.min(pieceBytes, Math.max(0, fileBytes - offset));
    const end = offset + size;
    const isEnd = end === fileBytes;
    const isEmpty = size === 0 && fileBytes > 0;
    if (end > fileBytes || isEmpty || (!isEnd && size % pieceBytes !== 0)) throw invalid("run");
    this.table.claim(offset / pieceBytes, piecesIn(size, pieceBytes));
    return { offset, length: size, pieceBytes, fileBytes };
  }

  /** The open file; made or opened at the first call. Rejects with `DISK_*`. */
  open(): Promise<PartialFile> {
    if (this.#partial) return this.#partial;
    const { staging, path, entry, isStaged } = this.#options;
    this.#partial = isStaged
      ? staging.openPartial(path, entry.bytes)
      : staging.createPartial(path, entry.bytes, entry.mode | 0o600);
    this.#partial.catch(() => {});
    return this.#partial;
  }

  /** Brings what is written to disk; false if the file is not open. Rejects with `DISK_*`. */
  async sync(): Promise<boolean> {
    const partial = await this.#partial;
    if (!partial || this.#isClosed) return false;
    try {
      await partial.sync();
      return true;
    } catch (error) {
      // It was closed meanwhile; but a failed sync stays a failure: the next one may hide it.
      if (this.#isClosed && !isDiskFailure(error)) return false;
      throw error;
    }
  }

  /** Gives it its mode and time and closes it. */
  async finish(): Promise<void> {
    const { staging, path, entry } = this.#options;
    const { mode, mtimeMs } = entry;
    await staging.restrict(path, { mode, mtimeMs });
    await this.close();
  }

  /** Closes it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await (await this.#partial?.catch(() => null))?.close();
  }
}
