/** What holds a transfer, as people read it. Pure. */

import type { Bound, BoundShare } from "./events.ts";

/** The name of a limit. */
export function boundText(by: Bound): string {
  return texts[by];
}

/**
 * The limits that held a transfer for a twentieth of its time at least; `""` if none did.
 *
 * @example
 * boundsText([{ by: "path", share: 0.83 }, { by: "receiver-disk", share: 0.1 }]);
 * // "the path's capacity 83 %, the receiver's disk 10 %"
 */
export function boundsText(bounds: readonly BoundShare[]): string {
  return bounds
    .filter(({ share }) => share >= leastShown)
    .map(({ by, share }) => `${texts[by]} ${Math.round(100 * share)} %`)
    .join(", ");
}

const texts: Record<Bound, string> = {
  "sender-disk": "the sender's disk",
  "receiver-disk": "the receiver's disk",
  "sender-cpu": "the sender's processor",
  "receiver-cpu": "the receiver's processor",
  window: "a flow control window",
  path: "the path's capacity",
  loss: "loss on the path",
  limit: "a limit that was set",
  relay: "the relay",
};

const leastShown = 0.05;
