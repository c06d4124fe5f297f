/** A limit at work: a transfer's, a peer's or the whole process's. */

import type { Clock } from "../clock.ts";
import type { Engine, RateLimiter } from "../engine/engine.ts";
import { checkLimit, type Limit, type Rate, rateAt } from "./limit.ts";

/** Keeps an engine's limiter at the rate that a limit has now. */
export class Throttle {
  /** What streams are held to. */
  readonly limiter: RateLimiter;
  readonly #clock: Clock;
  readonly #watchers = new Set<() => void>();
  #limit: Limit = null;
  #rate: Rate = null;
  #stopLooking = () => {};

  /** Begins without a limit. */
  constructor(engine: Engine, clock: Clock) {
    this.limiter = engine.createLimiter();
    this.#clock = clock;
  }

  /** The rate now. */
  get rate(): Rate {
    return this.#rate;
  }

  /** Changes the limit, also for what moves already. `INVALID_ARGUMENT` for one that cannot be kept. */
  set(limit: Limit): void {
    this.#limit = checkLimit(limit);
    this.#stopLooking();
    const isSchedule = limit !== null && typeof limit === "object";
    // The clock of the wall may be set, and summer may begin: it is looked at again and again.
    this.#stopLooking = isSchedule ? this.#clock.every(lookMs, () => this.#apply()) : () => {};
    this.#apply();
  }

  /** Calls `watcher` when the rate changes, until the returned function is called. */
  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Ends the looking at the clock. */
  close(): void {
    this.#stopLooking();
  }

  #apply(): void {
    const now = new Date(this.#clock.wallNow());
    const rate = rateAt(this.#limit, 60 * now.getHours() + now.getMinutes());
    if (rate === this.#rate) return;
    this.#rate = rate;
    this.limiter.setRate(rate ?? Number.POSITIVE_INFINITY);
    for (const watcher of [...this.#watchers]) watcher();
  }
}

/** How late a window of a schedule may begin. */
const lookMs = 5000;
