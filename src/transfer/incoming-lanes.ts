/** The lanes of a transfer that is received: reads all, asks for bad pieces again, and knows the end. */

import type { Codec } from "../codec.ts";
import type { ReceiveStream, SpentTime } from "../engine/engine.ts";
import { errorCodes, TransferError } from "../errors.ts";
import { type LaneFormat, type LaneHeader, laneFormatOf } from "../protocol/lane.ts";
import type { ControlMessage } from "../protocol/messages.ts";
import { failureFor } from "./failure.ts";
import { type LaneContext, LaneReceiver } from "./lane-receiver.ts";
import { sumOfSpent } from "./side-clock.ts";
import { unexpected } from "./unexpected.ts";

/** What the lanes need of their transfer. */
export interface IncomingLanesOptions extends Omit<LaneContext, "answered" | "want"> {
  transferId: string;
  /** Data formats that are taken; others are refused. */
  formats: readonly LaneFormat[];
  /** Codecs of pieces that are taken; one with another is malformed. */
  codecs: readonly Codec[];
  say: (message: ControlMessage) => Promise<void>;
}

/** All lanes of one transfer. */
export class IncomingLanes {
  readonly #options: IncomingLanesOptions;
  readonly #lanes: (LaneReceiver | null)[] = [];
  readonly #running = new Map<ReceiveStream, Promise<void>>();
  /** Times that each piece was asked for again. */
  readonly #wanted = new Map<string, number>();
  /** What was asked for and has not come. The sender still works on it, even if its file has failed. */
  readonly #unanswered = new Set<string>();
  #ended = 0;
  /** Bytes that came before any lane, and those of them that are proven. */
  #before = { wireBytes: 0, provenBytes: 0 };
  /** Lanes that the sender says it opened; null before it is done. */
  #said: number | null = null;
  #hasRefused = false;
  #finished = Promise.withResolvers<void>();

  constructor(options: IncomingLanesOptions) {
    this.#options = options;
    this.#finished.promise.catch(() => {});
  }

  /** Resolves when every file has arrived or failed; rejects with what ends the transfer. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  /** Bytes proven by each lane, by its number. */
  get laneBytes(): number[] {
    return Array.from(this.#lanes, (lane) => lane?.bytes ?? 0);
  }

  /** Bytes that are proven, of all lanes and before them. */
  get provenBytes(): number {
    return this.laneBytes.reduce((sum, bytes) => sum + bytes, this.#before.provenBytes);
  }

  /** Bytes taken from all lanes, and before them. */
  get wireBytes(): number {
    const { wireBytes } = this.#before;
    return this.#lanes.reduce((sum, lane) => sum + (lane?.wireBytes ?? 0), wireBytes);
  }

  /** Where the time of all lanes went. */
  get spent(): SpentTime {
    return sumOfSpent(this.#lanes.flatMap((lane) => lane?.spent ?? []));
  }

  /** Takes the sender's word that it has opened so many lanes and given them all. */
  done(lanes: number): void {
    this.#said = lanes;
    this.#checkFinished();
  }

  /** Notes what came with the offer, and was all: no lane comes. */
  cameBefore(bytes: { wireBytes: number; provenBytes: number }): void {
    this.#before = bytes;
    this.done(0);
  }

  /** Reads a lane to its end. Does not reject: {@link IncomingLanes.finished} does. */
  async take(format: number, header: LaneHeader, stream: ReceiveStream): Promise<void> {
    const work = this.#read(format, header, stream);
    this.#running.set(stream, work);
    await work;
    this.#running.delete(stream);
  }

  /** Stops all lanes and waits until none writes any more. */
  async close(): Promise<void> {
    for (const stream of this.#running.keys()) stream.stop(errorCodes.CANCELLED.wire);
    await Promise.all(this.#running.values());
  }

  async #read(format: number, { lane }: LaneHeader, stream: ReceiveStream): Promise<void> {
    if (this.#lanes[lane] !== undefined) {
      stream.stop(errorCodes.INVALID_FRAME.wire);
      return this.#finished.reject(unexpected("a lane twice"));
    }
    this.#lanes[lane] = null;
    try {
      const answered = (entry: number, offset: number) => {
        this.#unanswered.delete(keyOf(entry, offset));
      };
      const options = { ...this.#options, answered, want: this.want.bind(this) };
      const receiver = new LaneReceiver(stream, this.#formatOf(format), options);
      this.#lanes[lane] = receiver;
      stream.takeCodecs(this.#options.codecs);
      await receiver.run();
    } catch (error) {
      const { code } = failureFor(error, "the receiver");
      stream.stop(errorCodes[code].wire);
      const isRefusal = error instanceof TransferError && code === "UNSUPPORTED_FORMAT";
      if (!isRefusal) return this.#finished.reject(error);
      await this.#refuse(lane, error).catch((lost) => this.#finished.reject(lost));
    }
    this.#ended += 1;
    this.#checkFinished();
  }

  #formatOf(format: number): LaneFormat {
    const name = laneFormatOf(format);
    if (this.#options.formats.includes(name)) return name;
    throw new TransferError("UNSUPPORTED_FORMAT", `the data format ${name} is not taken here`);
  }

  async #refuse(lane: number, { code, message }: TransferError): Promise<void> {
    this.#hasRefused = true;
    const { transferId: transfer, say } = this.#options;
    await say({ type: "refuse", transfer, lane, code, reason: message });
  }

  /** Asks for a piece once more; a piece that is bad again and again fails its file. */
  async want(entry: number, offset: number, length: number): Promise<void> {
    const { transferId: transfer, say, arrivals } = this.#options;
    const key = keyOf(entry, offset);
    const tries = (this.#wanted.get(key) ?? 0) + 1;
    this.#wanted.set(key, tries);
    if (tries <= mostTries) {
      this.#unanswered.add(key);
      return say({ type: "want", transfer, entry, offset, length });
    }
    const reason = "bytes and hash differ again and again; check the sender's memory and disk";
    arrivals.fail(entry, { code: "CONTENT_MISMATCH", reason });
  }

  #checkFinished(): void {
    if (this.#said !== this.#ended || this.#unanswered.size > 0) return;
    if (this.#options.arrivals.isSettled) this.#finished.resolve();
    else if (this.#wanted.size === 0 && !this.#hasRefused) {
      this.#finished.reject(unexpected("done before the last piece"));
    }
  }
}

function keyOf(entry: number, offset: number): string {
  return `${entry}:${offset}`;
}

const mostTries = 3;
