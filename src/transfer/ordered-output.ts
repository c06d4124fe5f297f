/**
 * Hands on the bytes of a file in order while it is received, none before its piece is proven.
 *
 * It outlives a lost connection: what was handed on cannot be taken back, and is not handed on twice.
 */

import { TransferError } from "../errors.ts";
import { valueBytes } from "../protocol/lane.ts";
import type { ProvenRun } from "./journal-records.ts";
import { piecesIn } from "./plan.ts";

/** Takes the next bytes; resolves when it wants more. */
export type ByteWriter = (bytes: Uint8Array) => void | Promise<void>;

/** Reads bytes that are proven. */
export type ByteReader = (range: { offset: number; length: number }) => Promise<Uint8Array>;

/** The file whose bytes are handed on. */
export interface OutputFile {
  entry: number;
  /** `Infinity` for a stream before its end. */
  fileBytes: number;
  /** The same for offers of the same content. */
  fingerprint: string;
}

/** One try's part of an output. */
export interface OutputRun {
  /** Resolves when all of the file was taken, or at a stop; rejects with what writer or reader throws. */
  done: Promise<void>;
  /** Ends it, as what is read goes away. */
  stop: () => void;
}

/** The output of one transfer, through all its tries. */
export class OrderedOutput {
  readonly #write: ByteWriter;
  #position = 0;
  /** Whether the writer was given anything: it may not have taken it yet. */
  #hasBegun = false;
  #file: OutputFile = { entry: -1, fileBytes: 0, fingerprint: "" };
  /** One byte a piece. */
  #proven: Uint8Array<ArrayBufferLike> = new Uint8Array();
  #pieceBytes = 0;
  #more = Promise.withResolvers<void>();
  /** One at a time: an earlier try may still wait for the writer. */
  #running: Promise<void> = Promise.resolve();

  constructor(write: ByteWriter) {
    this.#write = write;
  }

  /** The entry of the file. */
  get entry(): number {
    return this.#file.entry;
  }

  /** Takes up a try. `SOURCE_CHANGED` where the file is not that whose beginning was handed on. */
  begin(file: OutputFile): void {
    if (this.#hasBegun && this.#file.fingerprint !== file.fingerprint) throw changed;
    this.#file = file;
    this.#pieceBytes = 0;
  }

  /** Notes pieces that are proven and written. */
  proven({ entry, pieceBytes, first, values }: ProvenRun): void {
    if (entry !== this.#file.entry) return;
    if (pieceBytes !== this.#pieceBytes) {
      this.#pieceBytes = pieceBytes;
      const { fileBytes } = this.#file;
      this.#proven = new Uint8Array(
        Number.isFinite(fileBytes) ? piecesIn(fileBytes, pieceBytes) : 1,
      );
    }
    const end = first + values.length / valueBytes;
    this.#makeRoom(end);
    this.#proven.fill(1, first, end);
    this.#more.resolve();
  }

  /** Notes the size of a stream. */
  end(fileBytes: number): void {
    this.#file = { ...this.#file, fileBytes };
    if (this.#pieceBytes > 0) this.#makeRoom(piecesIn(fileBytes, this.#pieceBytes));
    this.#more.resolve();
  }

  /** Hands on what is proven, as it comes, for one try. */
  run(read: ByteReader): OutputRun {
    const isStopped = { now: false };
    const done = this.#running.then(() => this.#pump(read, isStopped));
    done.catch(() => {});
    this.#running = done;
    const stop = () => {
      isStopped.now = true;
      this.#more.resolve();
    };
    return { done, stop };
  }

  async #pump(read: ByteReader, isStopped: { readonly now: boolean }): Promise<void> {
    while (this.#position < this.#file.fileBytes && !isStopped.now) {
      const offset = this.#position;
      const length = Math.min(this.#provenEnd - offset, mostBytes);
      if (length > 0) {
        const bytes = await read({ offset, length }).catch((error) => {
          if (!isStopped.now) throw error;
        });
        if (!bytes) return;
        this.#hasBegun = true;
        await this.#write(bytes);
        this.#position += length;
      } else {
        this.#more = Promise.withResolvers();
        await this.#more.promise;
      }
    }
  }

  /** Makes room for pieces of a stream, and for one behind them that is missing. */
  #makeRoom(pieces: number): void {
    const isOpen = this.#file.fileBytes === Number.POSITIVE_INFINITY;
    if (pieces < this.#proven.length + (isOpen ? 0 : 1)) return;
    const larger = new Uint8Array(2 * pieces + 1);
    larger.set(this.#proven);
    this.#proven = larger;
  }

  /** Where the proven bytes end that follow those which were handed on. */
  get #provenEnd(): number {
    if (this.#pieceBytes === 0) return this.#position;
    const missing = this.#proven.indexOf(0, Math.floor(this.#position / this.#pieceBytes));
    const end = missing < 0 ? this.#file.fileBytes : missing * this.#pieceBytes;
    return Math.max(this.#position, Math.min(end, this.#file.fileBytes));
  }
}

const changed = new TransferError(
  "SOURCE_CHANGED",
  "the file changed at the sender after a part of it was written out; begin anew",
);

/** As much as a reader takes in one go. */
const mostBytes = 1024 * 1024;
