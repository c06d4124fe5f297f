/** Tells both sides, a few times a second, how far a transfer is that is received. */

import type { SendStream } from "../engine/engine.ts";
import { encodeProgressHeader } from "../protocol/lane.ts";
import type { Bound } from "../protocol/messages.ts";
import { encodeProgress } from "../protocol/progress-message.ts";
import type { Arrivals } from "./arrivals.ts";
import type { Channel } from "./channel.ts";
import type { IncomingLanes } from "./incoming-lanes.ts";
import { ShownProgress, type ShownProgressOptions } from "./shown-progress.ts";
import type { SideClock } from "./side-clock.ts";
import type { StreamArrivals } from "./stream-arrivals.ts";

/** What is told, and to whom. */
export interface ProgressOptions extends ShownProgressOptions {
  channel: Channel;
  arrivals: Arrivals;
  lanes: IncomingLanes;
  /** How this side spends its time. */
  side: SideClock;
  /** What the sender says that holds the transfer. */
  boundBy: () => Bound | null;
  /** Bytes and files that are to arrive. */
  total: number;
  totalFiles: number;
  /** In place of these counts, where it is a stream. */
  stream: StreamArrivals | null;
}

/** The receiver's view of a transfer, for its own events and for the sender. */
export class ProgressTeller {
  readonly #options: ProgressOptions;
  readonly #stream: SendStream;
  readonly #shown: ShownProgress;
  #isWriting = false;

  private constructor(options: ProgressOptions, stream: SendStream) {
    this.#options = options;
    this.#stream = stream;
    this.#shown = new ShownProgress(options);
    this.#shown.begin();
  }

  /** Opens the progress stream. */
  static async open(options: ProgressOptions): Promise<ProgressTeller> {
    const stream = await options.channel.connection.openUnidirectional();
    await stream.write(encodeProgressHeader(options.record.id));
    return new ProgressTeller(options, stream);
  }

  /** Tells how far it is now. A sender that does not read is left out until it does. */
  async tell(): Promise<void> {
    const { stream, totalFiles, boundBy } = this.#options;
    const { bytes, files, lanes: laneBytes } = this.#counts();
    const total = stream?.total ?? this.#options.total;
    const { wireBytes } = this.#options.lanes;
    const sizes = { bytes, total, files, totalFiles, wireBytes };
    this.#shown.show({ ...sizes, lanes: laneBytes.length, laneBytes, boundBy: boundBy() });
    await this.say();
  }

  /** Tells the sender alone. */
  async say(): Promise<void> {
    if (this.#isWriting) return;
    this.#isWriting = true;
    const current = this.#options.arrivals.current(mostCurrent);
    const message = { ...this.#counts(), current, times: this.#options.side.look() };
    try {
      await this.#stream.write(encodeProgress(message));
    } catch {
      // The transfer itself learns of a lost connection; progress is only told.
    } finally {
      this.#isWriting = false;
    }
  }

  #counts(): { bytes: number; files: number; lanes: number[] } {
    const { arrivals, total, stream } = this.#options;
    const { laneBytes: lanes, provenBytes } = this.#options.lanes;
    const files = arrivals.completeFiles;
    if (stream) return { bytes: stream.bytesInOrder, files, lanes };
    return { bytes: Math.min(total, arrivals.heldBytes + provenBytes), files, lanes };
  }

  /** Ends the stream. */
  async close(): Promise<void> {
    await this.#stream.finish().catch(() => {});
  }
}

/** Files that are named in one message. */
const mostCurrent = 64;
