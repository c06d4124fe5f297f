/** Shows how far a transfer is, in the same words on both sides. */

import type { Clock } from "../clock.ts";
import type { Channel } from "./channel.ts";
import type { TransferProgress } from "./events.ts";
import type { Pacing } from "./pacing.ts";
import { SpeedMeter } from "./speed.ts";
import type { TransferRecord } from "./transfer.ts";

/** Whose progress it is. */
export interface ShownProgressOptions {
  clock: Clock;
  record: TransferRecord;
  channel: Pick<Channel, "looks">;
  pacing: Pacing;
}

/** What a side has counted, of the fields of the event. */
type Counts = Pick<
  TransferProgress,
  "bytes" | "total" | "files" | "totalFiles" | "lanes" | "laneBytes" | "wireBytes" | "boundBy"
>;

/** The progress events of one transfer. */
export class ShownProgress {
  readonly #options: ShownProgressOptions;
  readonly #speed = new SpeedMeter();

  constructor(options: ShownProgressOptions) {
    this.#options = options;
  }

  /** Notes that it begins to move now. */
  begin(): void {
    this.#speed.add(this.#options.clock.now(), 0);
  }

  /** Tells an event. The speed is that of the lanes: what was there before did not move. */
  show(counts: Counts): void {
    const { clock, record, channel, pacing } = this.#options;
    const moved = counts.laneBytes.reduce((sum, some) => sum + some, 0);
    this.#speed.add(clock.now(), moved);
    record.emit({
      type: "progress",
      transferId: record.id,
      ...counts,
      throughput: this.#speed.bytesPerSecond,
      etaMs: this.#speed.etaMs(counts.total - counts.bytes),
      rttMs: channel.looks.stats.rttMs,
      ...pacing.shown,
    });
  }
}
