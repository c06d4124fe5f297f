/** For how much of a transfer each limit held it. Pure: the time comes in. */

import type { Bound } from "../protocol/messages.ts";
import type { BoundShare } from "./events.ts";

/** The time by limits. */
export class BoundTimes {
  readonly #ms = new Map<Bound, number>();
  readonly #startedAtMs: number;
  #addedUntilMs: number;

  /** Begins at a time. */
  constructor(nowMs: number) {
    this.#startedAtMs = nowMs;
    this.#addedUntilMs = nowMs;
  }

  /** Notes what held it since the time of the last call, if this one is later; null for nothing that is known. */
  add(by: Bound | null, nowMs: number): void {
    const ms = Math.max(0, nowMs - this.#addedUntilMs);
    this.#addedUntilMs += ms;
    if (by) this.#ms.set(by, (this.#ms.get(by) ?? 0) + ms);
  }

  /** The share of each limit in the whole time, in thousandths, the largest first. */
  get shares(): BoundShare[] {
    const totalMs = Math.max(1, this.#addedUntilMs - this.#startedAtMs);
    return [...this.#ms]
      .map(([by, ms]) => ({ by, share: Math.round((1000 * ms) / totalMs) / 1000 }))
      .filter(({ share }) => share > 0)
      .sort((one, other) => other.share - one.share);
  }
}
