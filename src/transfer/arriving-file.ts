/** One file of which some pieces are there: opened when it is first needed, closed when it is whole. */

import type { Folder, PartialFile } from "../engine/engine.ts";
import type { Entry } from "../protocol/entry.ts";
import { isDiskFailure } from "./disk-failure.ts";
import { PieceTable } from "./piece-table.ts";

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
    this.table = new PieceTable(options.entry.bytes, options.pieceBytes);
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
    const created = await staging.stat(path);
    const mode = (created?.mode ?? entry.mode) & entry.mode;
    await staging.setMetadata(path, { mode, mtimeMs: entry.mtimeMs });
    await this.close();
  }

  /** Closes it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await (await this.#partial?.catch(() => null))?.close();
  }
}
