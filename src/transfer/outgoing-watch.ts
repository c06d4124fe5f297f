/** Watches what holds a transfer that is sent, and tells the receiver. */

import { boundFeature } from "../protocol/features.ts";
import { BoundWatch } from "./bound-watch.ts";
import type { Channel } from "./channel.ts";
import type { LaneSender } from "./lane-sender.ts";
import type { OutgoingOptions } from "./outgoing-options.ts";
import type { Pacing } from "./pacing.ts";
import { SideClock } from "./side-clock.ts";

/** A transfer that is sent. */
export interface OutgoingWatchOptions {
  transferId: string;
  channel: Channel;
  options: Pick<OutgoingOptions, "clock" | "engine" | "tuning">;
  lanes: LaneSender;
  pacing: Pacing;
}

/** Begins to look at the counters. */
export function watchOutgoing(outgoing: OutgoingWatchOptions): BoundWatch {
  const { transferId: transfer, channel, options, lanes, pacing } = outgoing;
  const { clock, engine, tuning } = options;
  const isTold = channel.hello.features.includes(boundFeature);
  return new BoundWatch({
    clock,
    looks: channel.looks,
    side: new SideClock(clock, engine, () => lanes.spent),
    knowsRate: tuning.congestion === "bbr",
    isMoving: () => pacing.shown.state === "moving",
    changed(by) {
      // The transfer itself learns of a lost connection.
      if (isTold) channel.say({ type: "bound", transfer, by }).catch(() => {});
    },
  });
}
