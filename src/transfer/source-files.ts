/** The sender's files while they are read: open handles, values of pieces, hashes, failures. */

import type { Engine, SourceFile } from "../engine/engine.ts";
import { TransferError } from "../errors.ts";
import type { Tuning } from "../options.ts";
import { valueBytes } from "../protocol/lane.ts";
import type { WireFailure } from "../protocol/messages.ts";
import { EntrySet } from "./entry-set.ts";
import { HashColumn } from "./hash-column.ts";
import { bytesFor } from "./plan.ts";
import { changed, isUnchanged, type Source } from "./source.ts";
import { hashOf } from "./whole-hash.ts";

/** A file that is being read. */
interface OpenFile {
  source: Promise<SourceFile>;
  /** Jobs under way on it. */
  users: number;
  /** Which pieces were read, how many those are, and the values of all. */
  isRead: Uint8Array;
  piecesRead: number;
  values: Uint8Array;
}

/** The files of one source, read for one transfer. */
export class SourceFiles {
  readonly source: Source;
  readonly #engine: Engine;
  readonly #tuning: Tuning;
  readonly #open = new Map<number, OpenFile>();
  /** BLAKE3 by entry, as it was read. */
  readonly #hashes = new HashColumn();
  /** Pieces of files that the receiver has: they are not read here. */
  readonly #leftOut = new Map<number, number>();
  #failures: ({ entry: number } & WireFailure)[] = [];
  readonly #failed = new EntrySet();

  constructor(engine: Engine, source: Source, tuning: Tuning) {
    this.#engine = engine;
    this.source = source;
    this.#tuning = tuning;
  }

  /** Size and piece size of a file; of a stream, as far as it is known where these bytes are. */
  plan(entry: number, offset = 0): { fileBytes: number; pieceBytes: number } {
    const { stream } = this.source;
    if (stream) {
      const { fileBytes = 0 } = stream.segmentAt(offset) ?? {};
      return { fileBytes, pieceBytes: stream.pieceBytes };
    }
    const fileBytes = this.source.manifest.entry(entry).bytes;
    return { fileBytes, pieceBytes: bytesFor(this.#tuning.pieceTable, fileBytes) };
  }

  /** Lends a file for a job; it is opened at its first job and closed when no job needs it. */
  async borrow<T>(
    { entry, offset }: { entry: number; offset: number },
    use: (file: SourceFile) => Promise<T>,
  ): Promise<T> {
    const held = this.source.stream?.segmentAt(offset);
    if (held) return use(held.file);
    const file = this.#open.get(entry) ?? this.#openFile(entry);
    file.users += 1;
    try {
      return await use(await file.source);
    } finally {
      file.users -= 1;
      if (file.users === 0) await this.#rest(entry, file);
    }
  }

  /** Notes how many pieces of a file need not be read; its hash will not be known here. */
  async leaveOut(entry: number, pieces: number): Promise<void> {
    this.#leftOut.set(entry, pieces);
    const file = this.#open.get(entry);
    if (file?.users === 0) await this.#rest(entry, file);
  }

  /** Keeps the values of pieces that were sent; with the last one the file's hash is known. */
  async keepValues(entry: number, offset: number, values: Uint8Array): Promise<void> {
    const file = this.#open.get(entry);
    if (!file || this.#hashes.get(entry)) return;
    const { fileBytes, pieceBytes } = this.plan(entry);
    const first = offset / pieceBytes;
    file.values.set(values, first * valueBytes);
    for (let piece = first; piece < first + values.length / valueBytes; piece += 1) {
      // A piece that is sent again counts once.
      if (file.isRead[piece] === 0) file.piecesRead += 1;
      file.isRead[piece] = 1;
    }
    if (!this.#isRead(entry, file)) return;
    const source = await file.source;
    if (!isUnchanged(await source.stat(), this.source.manifest.entry(entry))) {
      this.fail(entry, changed(this.source.manifest.path(entry)));
    } else if (!this.#leftOut.has(entry))
      this.keepHash(entry, this.#engine.mergePieces(file.values, fileBytes, pieceBytes));
  }

  /** All bytes of a small file and their hash. Rejects with `DISK_*` or `SOURCE_CHANGED`. */
  async readWhole(entry: number): Promise<{ bytes: Uint8Array; hash: Uint8Array }> {
    const { manifest } = this.source;
    const offered = manifest.entry(entry);
    const file = await this.source.openFile(entry, { memoryMap: false });
    try {
      const bytes = await file.readRange({ offset: 0, length: offered.bytes });
      if (!isUnchanged(await file.stat(), offered)) throw changed(manifest.path(entry));
      return { bytes, hash: await hashOf(this.#engine, bytes) };
    } finally {
      await file.close();
    }
  }

  /** Keeps the hash of a small file that was sent whole. */
  keepHash(entry: number, hash: Uint8Array): void {
    this.#hashes.set(entry, hash);
  }

  /** The hash of a file as it was read; undefined while not all of it was. */
  hash(entry: number): Uint8Array | undefined {
    if (this.source.stream) return this.source.stream.hash;
    return this.#hashes.get(entry);
  }

  /** Notes that a file cannot be sent; the first reason stands. */
  fail(entry: number, error: unknown): void {
    if (this.#failed.has(entry)) return;
    this.#failed.add(entry);
    const known = error instanceof TransferError;
    const code = known ? error.code : "DISK_FAILED";
    const reason = error instanceof Error ? error.message : String(error);
    this.#failures.push({ entry, code, reason: reason.slice(0, 500) });
  }

  /** The failures that the peer was not told yet. */
  takeFailures(): ({ entry: number } & WireFailure)[] {
    return this.#failures.splice(0);
  }

  /** Closes every file. */
  async close(): Promise<void> {
    const files = [...this.#open.values()];
    this.#open.clear();
    for (const { source } of files) await (await source.catch(() => null))?.close();
  }

  #openFile(entry: number): OpenFile {
    const { fileBytes, pieceBytes } = this.plan(entry);
    const pieces = Math.max(1, Math.ceil(fileBytes / pieceBytes));
    const file: OpenFile = {
      source: this.source.openFile(entry, { memoryMap: this.#tuning.memoryMap }),
      users: 0,
      isRead: new Uint8Array(pieces),
      piecesRead: 0,
      values: new Uint8Array(pieces * valueBytes),
    };
    file.source.catch(() => {});
    this.#open.set(entry, file);
    return file;
  }

  #isRead(entry: number, file: OpenFile): boolean {
    return file.piecesRead + (this.#leftOut.get(entry) ?? 0) >= file.isRead.length;
  }

  /** Closes a file that nobody uses and whose every piece was read, or that has failed. */
  async #rest(entry: number, file: OpenFile): Promise<void> {
    if (!this.#isRead(entry, file) && !this.#failed.has(entry)) return;
    if (this.#open.get(entry) === file) this.#open.delete(entry);
    await (await file.source.catch(() => null))?.close();
  }
}
