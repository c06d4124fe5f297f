/** What the sender says that holds a transfer, for the receiver's receipt. */

import type { Clock } from "../clock.ts";
import { progressIntervalMs } from "../options.ts";
import type { Bound } from "../protocol/messages.ts";
import { BoundTimes } from "./bound-times.ts";
import type { BoundShare } from "./events.ts";

/** The sender's words: each is of the time since its last look, and holds until the next. */
export class ToldBounds {
  readonly #clock: Clock;
  readonly #times: BoundTimes;
  #by: Bound | null = null;
  #settled: BoundShare[] | null = null;

  /** Begins now, with nothing that is known. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#times = new BoundTimes(clock.now());
  }

  /** What holds it now. */
  get by(): Bound | null {
    return this.#by;
  }

  /** Takes a word. */
  hear(by: Bound | null): void {
    const nowMs = this.#clock.now();
    this.#times.add(this.#by, nowMs - progressIntervalMs);
    this.#times.add(by, nowMs);
    this.#by = by;
  }

  /** Takes the sender's own count, which may be lost with its last message: from now on it is that of both. */
  settle(shares: BoundShare[] | undefined): void {
    this.#settled = shares ?? null;
  }

  /** What has held it up to now. */
  get shares(): BoundShare[] {
    if (this.#settled) return this.#settled;
    this.#times.add(this.#by, this.#clock.now());
    return this.#times.shares;
  }
}
