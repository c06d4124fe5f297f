/** What one receiver is still to be sent of a stream. */

import { TransferError } from "../errors.ts";
import type { ComparedPieces, HeldPieces, StreamEnd } from "../protocol/messages.ts";
import { type Job, piecesIn } from "./plan.ts";
import type { Segment, StreamedBytes } from "./streamed-bytes.ts";
import { unexpected } from "./unexpected.ts";

/** Takes a receiver's answer to the offer of a stream, and makes jobs of the rest. */
export class OutgoingStream {
  readonly #bytes: StreamedBytes;
  /** Runs of pieces that the receiver has, in order. */
  readonly #held: { first: number; end: number }[] = [];
  /** Jobs for what came badly. */
  readonly #again: Job[] = [];
  #isAgain = Promise.withResolvers<null>();
  #isDry = false;
  /** Whether the receiver wants nothing of it. */
  isSkipped = false;
  /** Whether the receiver has it whole, from an earlier connection. */
  isWhole = false;

  constructor(bytes: StreamedBytes) {
    this.#bytes = bytes;
  }

  /** Whether nothing of it need be sent. */
  get isThere(): boolean {
    return this.isSkipped || this.isWhole;
  }

  /** All its bytes; `Infinity` before its end. */
  get total(): number {
    return this.#bytes.hash ? this.#bytes.readBytes : Number.POSITIVE_INFINITY;
  }

  /** Leaves out all of it. */
  skip(first: number, count: number): void {
    if (first !== 0 || count !== 1) throw unexpected("skip");
    this.isSkipped = true;
  }

  /** Leaves out all of it, which was sent before. */
  haveFiles(first: number, count: number): void {
    if (first !== 0 || count !== 1 || !this.#bytes.hash) throw unexpected("have");
    this.isWhole = true;
  }

  /** Leaves out pieces that were sent before. */
  havePieces({ entry, pieceBytes, first, count }: HeldPieces): void {
    const end = first + count;
    const isNext = first >= (this.#held.at(-1)?.end ?? 0);
    const isRead = (end - 1) * pieceBytes < this.#bytes.readBytes;
    if (entry !== 0 || pieceBytes !== this.#bytes.pieceBytes || !isNext || !isRead) {
      throw unexpected("have");
    }
    this.#held.push({ first, end });
  }

  /** There is nothing that a stream could be compared with. */
  compare(_: ComparedPieces): never {
    throw unexpected("compare");
  }

  /**
   * Makes sure that what is not held here any more is there.
   *
   * @throws {TransferError} `SOURCE_CHANGED` for a receiver that has lost it.
   */
  requireBeginning(): void {
    const [run] = this.#held;
    const there = run?.first === 0 ? run.end * this.#bytes.pieceBytes : 0;
    if (this.isThere || there >= this.#bytes.releasedBytes) return;
    throw new TransferError(
      "SOURCE_CHANGED",
      "the receiver has lost the beginning, and a stream is read only once; begin anew",
    );
  }

  /** The jobs, as the stream is read, and what is wanted again meanwhile; ends with the stream. */
  async *jobs(): AsyncGenerator<Job, undefined> {
    if (this.isThere) return;
    for (let number = this.#bytes.first; ; number += 1) {
      const reading = this.#bytes.segment(number);
      // What is not proven is held, and may leave no room for more.
      while (!(await Promise.race([reading.then(() => true), this.#isAgain.promise]))) {
        this.#isAgain = Promise.withResolvers();
        yield* this.#again.splice(0);
      }
      const segment = await reading;
      if (!segment) break;
      yield* this.#missing(segment);
    }
    this.#isDry = true;
    yield* this.#again.splice(0);
  }

  /** Sends a job again among the others; false when those are all on their way. */
  sendAgain(job: Job): boolean {
    if (this.#isDry) return false;
    this.#again.push(job);
    this.#isAgain.resolve(null);
    return true;
  }

  /** The job that a `want` asks for. `INVALID_FRAME` for what is not held. */
  wanted({ entry, offset, length }: { entry: number; offset: number; length: number }): Job {
    const { pieceBytes } = this.#bytes;
    const segment = this.#bytes.segmentAt(offset);
    if (entry !== 0 || !segment || offset % pieceBytes !== 0) throw unexpected("want");
    const rest = segment.offset + segment.length - offset;
    if (length !== Math.min(pieceBytes, rest)) throw unexpected("want");
    return { kind: "run", entry, offset, length, pieceBytes };
  }

  /** What it came to; null for a receiver that wants nothing of it. */
  async end(): Promise<StreamEnd | null> {
    return this.isSkipped ? null : this.#bytes.end();
  }

  *#missing({ offset, length }: Segment): Generator<Job> {
    const { pieceBytes } = this.#bytes;
    const run = { kind: "run", entry: 0, pieceBytes } as const;
    if (!this.#hasSome(offset, length)) yield { ...run, offset, length };
    else {
      for (let at = offset; at < offset + length; at += pieceBytes) {
        const some = Math.min(pieceBytes, offset + length - at);
        if (!this.#hasSome(at, some)) yield { ...run, offset: at, length: some };
      }
    }
  }

  #hasSome(offset: number, length: number): boolean {
    const first = offset / this.#bytes.pieceBytes;
    const end = first + piecesIn(length, this.#bytes.pieceBytes);
    return this.#held.some((run) => run.first < end && first < run.end);
  }
}
