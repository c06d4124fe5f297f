/** The two ends of a stream in memory. */

import { asTheyAre, type Codec, type Coding } from "../codec.ts";
import type {
  BundledResult,
  BundledSource,
  BundledTarget,
  EncodedBytes,
  Folder,
  PartialFile,
  PieceRun,
  RateLimiter,
  ReceivedRun,
  ReceiveStream,
  SendStream,
  SentRun,
  SourceFile,
  SpentTime,
} from "./engine.ts";
import { receiveBundle, sendBundle } from "./memory-bundle.ts";
import { checkCoding } from "./memory-codec.ts";
import type { PieceReader, PieceWriter } from "./memory-piece.ts";
import type { Pipe } from "./memory-pipe.ts";
import { receiveRun, sendRun } from "./memory-run.ts";

/** The writing end of a {@link Pipe}. */
export class MemorySendStream implements SendStream {
  readonly #pipe: Pipe;
  readonly #announce: () => void;
  readonly #encoded: EncodedBytes = { rawBytes: 0, sentBytes: 0, encodeMs: 0 };
  #coding: Coding = asTheyAre;

  /** `announce` shows the stream to the peer; it is called before anything passes. */
  constructor(pipe: Pipe, announce: () => void) {
    this.#pipe = pipe;
    this.#announce = announce;
  }

  /** See {@link SendStream.sentBytes}. */
  get sentBytes(): number {
    return this.#pipe.sentBytes;
  }

  /** See {@link SendStream.spent}. */
  get spent(): SpentTime {
    return this.#pipe.spent.write.soFar;
  }

  /** See {@link SendStream.limitBy}. */
  limitBy(limiters: readonly RateLimiter[]): void {
    this.#pipe.limits.write.set(limiters);
  }

  /** See {@link SendStream.setPriority}; here all is there at once, and nothing goes first. */
  async setPriority(_priority: number): Promise<void> {}

  /** See {@link SendStream.encoded}. */
  get encoded(): EncodedBytes {
    return { ...this.#encoded };
  }

  /** See {@link SendStream.setCoding}. */
  setCoding(coding: Coding): void {
    this.#coding = checkCoding(coding);
  }

  /** See {@link SendStream.write}. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#announce();
    await this.#pipe.spent.write.during("work", () => this.#pipe.write(bytes));
  }

  /** See {@link SendStream.sendRun}. */
  async sendRun(header: Uint8Array, source: SourceFile, run: PieceRun): Promise<SentRun> {
    await this.write(header);
    return this.#pipe.spent.write.during("work", () => sendRun(this.#writer, source, run));
  }

  /** See {@link SendStream.sendBundle}. */
  async sendBundle(
    header: Uint8Array,
    folder: Folder,
    files: readonly BundledSource[],
  ): Promise<BundledResult[]> {
    await this.write(header);
    return this.#pipe.spent.write.during("work", () => sendBundle(this.#writer, folder, files));
  }

  /** See {@link SendStream.finish}. */
  async finish(): Promise<void> {
    this.#announce();
    this.#pipe.finish();
  }

  /** See {@link SendStream.reset}. */
  reset(code: number): void {
    this.#announce();
    this.#pipe.reset(code);
  }

  get #writer(): PieceWriter {
    return { pipe: this.#pipe, coding: this.#coding, encoded: this.#encoded };
  }
}

/** The reading end of a {@link Pipe}. */
export class MemoryReceiveStream implements ReceiveStream {
  readonly #pipe: Pipe;
  #codecs: readonly Codec[] = [];

  /** Reads what the other end writes. */
  constructor(pipe: Pipe) {
    this.#pipe = pipe;
  }

  /** See {@link ReceiveStream.receivedBytes}. */
  get receivedBytes(): number {
    return this.#pipe.receivedBytes;
  }

  /** See {@link ReceiveStream.spent}. */
  get spent(): SpentTime {
    return this.#pipe.spent.read.soFar;
  }

  /** See {@link ReceiveStream.limitBy}. */
  limitBy(limiters: readonly RateLimiter[]): void {
    this.#pipe.limits.read.set(limiters);
  }

  /** See {@link ReceiveStream.takeCodecs}. */
  takeCodecs(codecs: readonly Codec[]): void {
    this.#codecs = [...codecs];
  }

  /** See {@link ReceiveStream.read}. */
  read(length: number): Promise<Uint8Array | null> {
    return this.#pipe.spent.read.during("work", () => this.#pipe.read(length));
  }

  /** See {@link ReceiveStream.receiveRun}. */
  receiveRun(partial: PartialFile, run: PieceRun): Promise<ReceivedRun> {
    return this.#pipe.spent.read.during("work", () => receiveRun(this.#reader, partial, run));
  }

  /** See {@link ReceiveStream.receiveBundle}. */
  receiveBundle(folder: Folder, targets: readonly BundledTarget[]): Promise<BundledResult[]> {
    return this.#pipe.spent.read.during("work", () => receiveBundle(this.#reader, folder, targets));
  }

  /** See {@link ReceiveStream.stop}. */
  stop(code: number): void {
    this.#pipe.stop(code);
  }

  get #reader(): PieceReader {
    return { pipe: this.#pipe, codecs: this.#codecs };
  }
}
