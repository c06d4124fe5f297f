/**
 * The bytes of a stream while they are sent: read once, in pieces, each held until the receiver has it.
 *
 * It outlives a lost connection, but not its process: what was read from a pipe cannot be read again.
 */

import { Readable } from "node:stream";
import type { Engine, SourceFile } from "../engine/engine.ts";
import { TransferError } from "../errors.ts";
import { nameBytes } from "../lossless-name.ts";
import { mostHeldStreamBytes } from "../options.ts";
import type { Entry } from "../protocol/entry.ts";
import { maxNameBytes, maxPieces } from "../protocol/limits.ts";
import type { StreamEnd } from "../protocol/messages.ts";
import { unexpected } from "./unexpected.ts";

/** Bytes that are sent as one file, as they come. */
export interface StreamInput {
  /** Read as far as the receiver keeps up; its end is the file's end. A stream of Node will do. */
  stream: AsyncIterable<Uint8Array>;
  /** The file's name. */
  name: string;
}

/** Some pieces that follow each other: two at the beginning, then one each. */
export interface Segment {
  offset: number;
  length: number;
  /** The size of the file if this is its end; more than all before if not. */
  fileBytes: number;
  /** Where the bytes are. */
  file: SourceFile;
}

/** What a stream is read with. */
export interface StreamedBytesOptions {
  engine: Engine;
  pieceBytes: number;
  /** When it began, in milliseconds since 1970. */
  mtimeMs: number;
}

/** See the file's head. */
export class StreamedBytes {
  readonly entry: Entry;
  readonly pieceBytes: number;
  /** The receiver, by its peer id, once there is one: nobody else can have the beginning. */
  receiver: string | null = null;
  readonly #engine: Engine;
  readonly #stream: AsyncIterable<Uint8Array>;
  readonly #input: AsyncIterator<Uint8Array>;
  /** What was read and is in no segment yet. */
  #rest: Uint8Array = new Uint8Array();
  readonly #buffer: Buffer;
  #segments: Segment[] = [];
  /** Number of the first segment that is held, and the bytes before it. */
  #first = 0;
  #releasedBytes = 0;
  #readBytes = 0;
  #isEnded = false;
  #failure: TransferError | null = null;
  #reading: Promise<void> | null = null;
  #released = Promise.withResolvers<void>();
  /** 32 bytes a piece, in order. */
  #values = Buffer.alloc(0);
  #valueBytes = 0;
  #hashing: Promise<void> = Promise.resolve();
  #end: StreamEnd | null = null;

  /** @throws {TransferError} `INVALID_ARGUMENT` for a name that no file can have. */
  constructor({ stream, name }: StreamInput, options: StreamedBytesOptions) {
    const { engine, pieceBytes, mtimeMs } = options;
    requireName(name);
    this.#engine = engine;
    this.pieceBytes = pieceBytes;
    this.#stream = stream;
    this.#input = stream[Symbol.asyncIterator]();
    this.#buffer = Buffer.allocUnsafe(2 * pieceBytes);
    this.entry = { kind: "file", depth: 0, name, bytes: 0, mode: 0o644, mtimeMs, target: "" };
  }

  /** Bytes that are not held any more: the receiver has them. */
  get releasedBytes(): number {
    return this.#releasedBytes;
  }

  /** Bytes read so far. */
  get readBytes(): number {
    return this.#readBytes;
  }

  /** The file's hash; undefined before its end. */
  get hash(): Uint8Array | undefined {
    return this.#end?.hash;
  }

  /** Number of the first segment that is held. */
  get first(): number {
    return this.#first;
  }

  /**
   * The segment of a number; null behind the last one. Waits for the bytes, and for room.
   *
   * @throws {TransferError} `DISK_FAILED` when the stream fails, `LIMIT_EXCEEDED` when it is too long.
   */
  async segment(number: number): Promise<Segment | null> {
    while (number >= this.#first + this.#segments.length) {
      if (this.#failure) throw this.#failure;
      if (this.#isEnded) return null;
      // Several may wait for the same.
      this.#reading ??= this.#read().finally(() => {
        this.#reading = null;
      });
      await this.#reading;
    }
    // A receiver may say that it has what it was not sent.
    if (number < this.#first) throw unexpected("progress");
    return this.#segments[number - this.#first] ?? null;
  }

  /** The segment that holds an offset; undefined if none does any more, or none does yet. */
  segmentAt(offset: number): Segment | undefined {
    return this.#segments.find((one) => {
      return one.offset <= offset && (offset < one.offset + one.length || one.length === 0);
    });
  }

  /** Lets go of what the receiver has: all up to `bytes`. */
  release(bytes: number): void {
    for (let one = this.#segments[0]; one; one = this.#segments[0]) {
      const end = one.offset + one.length;
      if (end > bytes || one.length === 0) break;
      this.#segments.shift();
      this.#first += 1;
      this.#releasedBytes = end;
      const { file } = one;
      void this.#hashing.then(() => file.close());
    }
    this.#released.resolve();
    this.#released = Promise.withResolvers();
  }

  /** What it came to, once the last segment was taken. */
  async end(): Promise<StreamEnd> {
    await this.#hashing;
    const values = this.#values.subarray(0, this.#valueBytes);
    const bytes = this.#readBytes;
    this.#end ??= { bytes, hash: this.#engine.mergePieces(values, bytes, this.pieceBytes) };
    return this.#end;
  }

  /** Ends it: whoever writes the stream is told, and what is held goes. */
  async close(): Promise<void> {
    this.#failure ??= new TransferError("CANCELLED", "the stream was closed");
    this.#released.resolve();
    // A read that waits may never end by itself.
    if (this.#stream instanceof Readable) this.#stream.destroy();
    void this.#input.return?.()?.catch(() => {});
    await this.#hashing.catch(() => {});
    for (const { file } of this.#segments.splice(0)) await file.close();
  }

  async #read(): Promise<void> {
    // A file of one piece has its hash for a value: who reads the first run must see that there is more.
    const wanted = this.#readBytes === 0 ? 2 * this.pieceBytes : this.pieceBytes;
    while (this.#heldBytes + wanted > mostHeldStreamBytes && this.#segments.length > 0) {
      await this.#released.promise;
      if (this.#failure) return;
    }
    const length = await this.#take(wanted);
    this.#isEnded = length < wanted;
    const offset = this.#readBytes;
    if (length === 0 && offset > 0) return;
    this.#readBytes += length;
    if (this.#readBytes > maxPieces * this.pieceBytes) throw tooLong;
    const file = this.#engine.holdBytes(this.#buffer.subarray(0, length), offset);
    const fileBytes = this.#isEnded ? this.#readBytes : Number.MAX_SAFE_INTEGER;
    const segment = { offset, length, fileBytes, file };
    this.#segments.push(segment);
    this.#hashing = this.#hashing.then(() => this.#hash(segment));
    this.#hashing.catch(() => {});
  }

  get #heldBytes(): number {
    return this.#readBytes - this.#releasedBytes;
  }

  /** Fills the buffer with the next bytes; fewer than wanted only at the end. */
  async #take(wanted: number): Promise<number> {
    let filled = 0;
    while (filled < wanted) {
      if (this.#rest.length === 0) {
        const more = await this.#next();
        if (!more) break;
        this.#rest = more;
      }
      const part = this.#rest.subarray(0, wanted - filled);
      this.#buffer.set(part, filled);
      filled += part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
    return filled;
  }

  async #next(): Promise<Uint8Array | null> {
    try {
      const { value, done } = await this.#input.next();
      if (done) return null;
      if (value instanceof Uint8Array) return value;
      throw new TransferError("INVALID_ARGUMENT", "the stream gives something else than bytes");
    } catch (error) {
      this.#failure ??= asFailure(error);
      throw this.#failure;
    }
  }

  async #hash({ offset, length, fileBytes, file }: Segment): Promise<void> {
    const { pieceBytes } = this;
    const values = await file.hashRun({ offset, length, fileBytes, pieceBytes });
    if (this.#valueBytes + values.length > this.#values.length) {
      const larger = Buffer.alloc(Math.max(firstValueBytes, 2 * this.#values.length));
      this.#values.copy(larger);
      this.#values = larger;
    }
    this.#values.set(values, this.#valueBytes);
    this.#valueBytes += values.length;
  }
}

function requireName(name: string): void {
  const isBad = name === "" || name === "." || name === ".." || /[/\0]/.test(name);
  if (isBad || nameBytes(name) > maxNameBytes) {
    const message = `${JSON.stringify(name)} is no name for a file; choose one without a slash`;
    throw new TransferError("INVALID_ARGUMENT", message);
  }
}

function asFailure(error: unknown): TransferError {
  if (error instanceof TransferError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  const message = `what is sent cannot be read on: ${reason}`;
  return new TransferError("DISK_FAILED", message, { cause: error });
}

const tooLong = new TransferError(
  "LIMIT_EXCEEDED",
  `the stream has more than ${maxPieces} pieces; send it in parts`,
);
const firstValueBytes = 32 * 1024;
