/** The two ends of a stream in memory. */

import type {
  BundledResult,
  BundledSource,
  BundledTarget,
  Folder,
  PartialFile,
  PieceRun,
  RateLimiter,
  ReceivedRun,
  ReceiveStream,
  SendStream,
  SentRun,
  SourceFile,
} from "./engine.ts";
import { receiveBundle, sendBundle } from "./memory-bundle.ts";
import type { Pipe } from "./memory-pipe.ts";
import { receiveRun, sendRun } from "./memory-run.ts";

/** The writing end of a {@link Pipe}. */
export class MemorySendStream implements SendStream {
  readonly #pipe: Pipe;
  readonly #announce: () => void;

  /** `announce` shows the stream to the peer; it is called before anything passes. */
  constructor(pipe: Pipe, announce: () => void) {
    this.#pipe = pipe;
    this.#announce = announce;
  }

  /** See {@link SendStream.sentBytes}. */
  get sentBytes(): number {
    return this.#pipe.sentBytes;
  }

  /** See {@link SendStream.limitBy}. */
  limitBy(limiters: readonly RateLimiter[]): void {
    this.#pipe.limits.write.set(limiters);
  }

  /** See {@link SendStream.setPriority}; here all is there at once, and nothing goes first. */
  async setPriority(_priority: number): Promise<void> {}

  /** See {@link SendStream.write}. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#announce();
    await this.#pipe.write(bytes);
  }

  /** See {@link SendStream.sendRun}. */
  async sendRun(header: Uint8Array, source: SourceFile, run: PieceRun): Promise<SentRun> {
    await this.write(header);
    return sendRun(this.#pipe, source, run);
  }

  /** See {@link SendStream.sendBundle}. */
  async sendBundle(
    header: Uint8Array,
    folder: Folder,
    files: readonly BundledSource[],
  ): Promise<BundledResult[]> {
    await this.write(header);
    return sendBundle(this.#pipe, folder, files);
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
}

/** The reading end of a {@link Pipe}. */
export class MemoryReceiveStream implements ReceiveStream {
  readonly #pipe: Pipe;

  /** Reads what the other end writes. */
  constructor(pipe: Pipe) {
    this.#pipe = pipe;
  }

  /** See {@link ReceiveStream.receivedBytes}. */
  get receivedBytes(): number {
    return this.#pipe.receivedBytes;
  }

  /** See {@link ReceiveStream.limitBy}. */
  limitBy(limiters: readonly RateLimiter[]): void {
    this.#pipe.limits.read.set(limiters);
  }

  /** See {@link ReceiveStream.read}. */
  read(length: number): Promise<Uint8Array | null> {
    return this.#pipe.read(length);
  }

  /** See {@link ReceiveStream.receiveRun}. */
  receiveRun(partial: PartialFile, run: PieceRun): Promise<ReceivedRun> {
    return receiveRun(this.#pipe, partial, run);
  }

  /** See {@link ReceiveStream.receiveBundle}. */
  receiveBundle(folder: Folder, targets: readonly BundledTarget[]): Promise<BundledResult[]> {
    return receiveBundle(this.#pipe, folder, targets);
  }

  /** See {@link ReceiveStream.stop}. */
  stop(code: number): void {
    this.#pipe.stop(code);
  }
}
