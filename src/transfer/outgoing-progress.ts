/** Shows on the sender's side what the receiver tells of its progress. */

import type { Clock } from "../clock.ts";
import type { ReceiveStream } from "../engine/engine.ts";
import type { Bound } from "../protocol/messages.ts";
import type { SideTimes } from "../protocol/progress-message.ts";
import type { Channel } from "./channel.ts";
import type { LaneSender } from "./lane-sender.ts";
import type { Pacing } from "./pacing.ts";
import { readProgress } from "./progress-stream.ts";
import { SpeedMeter } from "./speed.ts";
import type { TransferRecord } from "./transfer.ts";

/** What is shown, and from what it is known. */
export interface OutgoingProgressOptions {
  clock: Clock;
  record: TransferRecord;
  lanes: LaneSender;
  channel: Pick<Channel, "looks">;
  pacing: Pacing;
  /** Bytes in all; infinite for a stream that has not ended. */
  total: () => number;
  totalFiles: () => number;
  /** Bytes that were sent. */
  wireBytes: () => number;
  boundBy: () => Bound | null;
  /** Hears how many bytes the receiver has proven, and what it counted of itself. */
  heard: (provenBytes: number, times: SideTimes | undefined) => void;
}

/** The progress of one transfer that is sent. */
export class OutgoingProgress {
  readonly #options: OutgoingProgressOptions;
  readonly #speed = new SpeedMeter();

  constructor(options: OutgoingProgressOptions) {
    this.#options = options;
  }

  /** Notes that it begins to move now. */
  begin(): void {
    this.#speed.add(this.#options.clock.now(), 0);
  }

  /** Shows what comes on a progress stream, up to its end. */
  async show(stream: ReceiveStream): Promise<void> {
    const { clock, record, channel, pacing, lanes: sender, heard } = this.#options;
    const { total: totalNow, wireBytes, boundBy } = this.#options;
    const totalFiles = this.#options.totalFiles();
    for await (const { bytes, files, lanes, times } of readProgress(stream)) {
      heard(bytes, times);
      const total = totalNow();
      const moved = lanes.reduce((sum, some) => sum + some, 0);
      if (moved > 0) sender.accepted();
      this.#speed.add(clock.now(), moved);
      record.emit({
        type: "progress",
        transferId: record.id,
        bytes: Math.min(bytes, total),
        total,
        files,
        totalFiles,
        throughput: this.#speed.bytesPerSecond,
        etaMs: this.#speed.etaMs(total - bytes),
        lanes: sender.count,
        laneBytes: lanes,
        wireBytes: wireBytes(),
        rttMs: channel.looks.stats.rttMs,
        boundBy: boundBy(),
        ...pacing.shown,
      });
    }
  }
}
