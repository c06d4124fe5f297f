/** One direction of a stream in memory: a bounded buffer with two ends. */

import { codeOfWire, type ErrorCode, TransferError } from "../errors.ts";
import { LimitChain, type Passing } from "./memory-limiter.ts";
import { Spent } from "./memory-spent.ts";
import { Signal } from "./memory-waiting.ts";

/** What a pipe must be told. */
export interface PipeOptions {
  /** Bytes that wait for the reader, at most; asked each time, since it may grow. */
  windowBytes: () => number;
  /** Asks the network to carry bytes; it says how many it takes, and may cut the connection. */
  carry: (bytes: number) => number;
  /** Called once, when nothing more will pass. */
  onDone: () => void;
  /** The time in milliseconds. */
  now: () => number;
}

/** Bytes on their way from one writer to one reader. */
export class Pipe implements Passing {
  /** What the writer's bytes pass, and the reader's. */
  readonly limits = { write: new LimitChain(), read: new LimitChain() };
  /** Where the time of each end goes. */
  readonly spent: { write: Spent; read: Spent };
  readonly #options: PipeOptions;
  readonly #chunks: Uint8Array[] = [];
  readonly #changed = new Signal();
  readonly #gone = Promise.withResolvers<void>();
  #bufferedBytes = 0;
  #isFinished = false;
  #isDone = false;
  #writeFailure: Error | null = null;
  #readFailure: Error | null = null;
  #sentBytes = 0;
  #receivedBytes = 0;

  /** Begins empty and open. */
  constructor(options: PipeOptions) {
    this.#options = options;
    this.spent = { write: new Spent(options.now), read: new Spent(options.now) };
  }

  /** See {@link Passing.gone}. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  /** See {@link Passing.isGone}. */
  get isGone(): boolean {
    return this.#isDone;
  }

  /** Bytes that were written. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** Bytes that were read. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Resolves when the buffer has taken all of it. */
  async write(bytes: Uint8Array): Promise<void> {
    let at = 0;
    /** Bytes that have passed the limits. */
    let free = 0;
    do {
      if (free === 0) {
        const { step } = this.limits.write;
        free = Math.min(bytes.length - at, step ?? Number.POSITIVE_INFINITY);
        if (step !== null) {
          const part = free;
          await this.spent.write.during("limit", () => this.limits.write.pass(part, this));
        }
      }
      if (this.#writeFailure) throw this.#writeFailure;
      if (this.#isFinished) throw new TypeError("a stream was written to after its end");
      const room = this.#options.windowBytes() - this.#bufferedBytes;
      if (room === 0) {
        await this.spent.write.during("stream", () => this.#changed.wait());
        continue;
      }
      const part = bytes.slice(at, at + Math.min(room, free));
      free -= part.length;
      if (part.length > 0) this.#chunks.push(part);
      this.#bufferedBytes += part.length;
      this.#sentBytes += part.length;
      at += part.length;
      this.#changed.notify();
    } while (at < bytes.length);
  }

  /** Exactly `length` bytes; null at the end; `INVALID_FRAME` when the end comes between. */
  async read(length: number): Promise<Uint8Array | null> {
    const bytes = new Uint8Array(length);
    let at = 0;
    while (at < length) {
      if (this.#readFailure) throw this.#readFailure;
      if (this.#bufferedBytes > 0) {
        const { step } = this.limits.read;
        const taken = this.#takeInto(bytes.subarray(at, step === null ? length : at + step));
        at += taken;
        if (step !== null) {
          await this.spent.read.during("limit", () => this.limits.read.pass(taken, this));
        }
      } else if (!this.#isFinished) {
        await this.spent.read.during("stream", () => this.#changed.wait());
      } else if (at === 0) {
        return null;
      } else {
        throw endedBetween(at, length);
      }
    }
    return bytes;
  }

  /** Looks again at the window: it may have grown. */
  widen(): void {
    this.#changed.notify();
  }

  /** Ends it; what was written can still be read. */
  finish(): void {
    if (this.#isDone) return;
    this.#isFinished = true;
    this.#changed.notify();
    if (this.#bufferedBytes === 0) this.#done();
  }

  /** Ends it from the writer's side with an error number; what waits is lost. */
  reset(code: number): void {
    this.#fail(
      new TransferError("CANCELLED", "the stream was abandoned on this side"),
      new TransferError(codeOfPeer(code), `the peer abandoned the stream with error ${code}`),
    );
  }

  /** Ends it from the reader's side with an error number; what waits is lost. */
  stop(code: number): void {
    this.#fail(
      new TransferError(codeOfPeer(code), `the peer refused the stream with error ${code}`),
      new TransferError("CANCELLED", "the stream was refused on this side"),
    );
  }

  /** Ends it because its connection has ended, for which each end has its own words. */
  lose(failures: { writer: TransferError; reader: TransferError }): void {
    this.#fail(failures.writer, failures.reader);
  }

  #fail(writeFailure: Error, readFailure: Error): void {
    if (this.#isDone) return;
    this.#writeFailure = writeFailure;
    this.#readFailure = readFailure;
    this.#chunks.length = 0;
    this.#bufferedBytes = 0;
    this.#done();
    this.#changed.notify();
  }

  #takeInto(target: Uint8Array): number {
    const chunk = this.#chunks[0];
    if (!chunk) return 0;
    const bytes = this.#options.carry(Math.min(chunk.length, target.length));
    // The network may have been cut by this very call: then the buffer is empty already.
    target.set(chunk.subarray(0, bytes));
    this.#receivedBytes += bytes;
    if (this.#isDone) return bytes;
    if (bytes === chunk.length) this.#chunks.shift();
    else this.#chunks[0] = chunk.subarray(bytes);
    this.#bufferedBytes -= bytes;
    this.#changed.notify();
    if (this.#isFinished && this.#bufferedBytes === 0) this.#done();
    return bytes;
  }

  #done(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#gone.resolve();
    this.#options.onDone();
  }
}

/** The code that a peer's number stands for; 0 is no number of ours: it ended without a word. */
export function codeOfPeer(number: number): ErrorCode {
  return number === 0 ? "CONNECTION_LOST" : codeOfWire(number);
}

function endedBetween(at: number, length: number): TransferError {
  return new TransferError("INVALID_FRAME", `the stream ended after ${at} of ${length} bytes`);
}
