/** Limits in the memory engine: the same token bucket as the native one, by a clock that tests can replace. */

import type { Clock } from "../clock.ts";
import type { RateLimiter } from "./engine.ts";
import { Signal } from "./memory-waiting.ts";

/** See {@link RateLimiter}. */
export class MemoryRateLimiter implements RateLimiter {
  readonly #clock: Clock;
  readonly #changed = new Signal();
  #rate = Number.POSITIVE_INFINITY;
  /** When what has passed was due. */
  #dueMs: number;
  /** The turn of who came last. */
  #last: Promise<void> = Promise.resolve();

  /** Begins without a limit. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#dueMs = clock.now();
  }

  /** Bytes a second. */
  get rate(): number {
    return this.#rate;
  }

  /** See {@link RateLimiter.setRate}. */
  setRate(bytesPerSecond: number): void {
    this.#rate = bytesPerSecond;
    this.#dueMs = Math.min(this.#dueMs, this.#clock.now());
    this.#changed.notify();
  }

  /** Waits for its turn; the next one waits until the returned function is called. */
  async enter(): Promise<() => void> {
    const before = this.#last;
    const turn = Promise.withResolvers<void>();
    this.#last = turn.promise;
    await before;
    return turn.resolve;
  }

  /** Waits until so many bytes may pass, or the stream is gone. */
  async pass(bytes: number, stream: Passing): Promise<void> {
    while (!stream.isGone && Number.isFinite(this.#rate)) {
      const nowMs = this.#clock.now();
      this.#dueMs = Math.max(this.#dueMs, nowMs - catchUpMs);
      if (this.#rate > 0 && this.#dueMs <= nowMs) {
        this.#dueMs += (1000 * bytes) / this.#rate;
        return;
      }
      const due = Promise.withResolvers<void>();
      const cancel =
        this.#rate > 0 ? this.#clock.after(this.#dueMs - nowMs, due.resolve) : () => {};
      await Promise.race([due.promise, this.#changed.wait(), stream.gone]);
      cancel();
    }
  }
}

/** A stream whose bytes wait. */
export interface Passing {
  /** Resolves when nothing of it will pass any more. */
  gone: Promise<void>;
  isGone: boolean;
}

/** The limits that a stream's bytes pass, one after the other, from its own to the widest. */
export class LimitChain {
  #limiters: readonly MemoryRateLimiter[] = [];

  /** Begins with these. */
  set(limiters: readonly RateLimiter[]): void {
    this.#limiters = limiters.map((limiter) => {
      if (limiter instanceof MemoryRateLimiter) return limiter;
      throw new TypeError("a limiter of another engine");
    });
  }

  /** How much should pass at once; null where there is no limit. */
  get step(): number | null {
    const slowest = Math.min(Number.POSITIVE_INFINITY, ...this.#limiters.map(({ rate }) => rate));
    if (slowest === Number.POSITIVE_INFINITY) return null;
    return Math.min(largestStep, Math.max(smallestStep, Math.floor((slowest * stepMs) / 1000)));
  }

  /** Waits until so many bytes may pass all limits, or the stream is gone. */
  async pass(bytes: number, stream: Passing): Promise<void> {
    await Promise.race([this.#passAll(bytes, stream), stream.gone]);
  }

  async #passAll(bytes: number, stream: Passing): Promise<void> {
    const leave: (() => void)[] = [];
    for (const limiter of this.#limiters) {
      leave.push(await limiter.enter());
      await limiter.pass(bytes, stream);
    }
    for (const left of leave) left();
  }
}

/** As long as a virtual clock's steps are. */
const catchUpMs = 100;
const stepMs = 2;
const smallestStep = 1200;
const largestStep = 65_536;
