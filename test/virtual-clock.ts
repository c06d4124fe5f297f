/**
 * A clock for tests, in which time passes when the test says so, and when all wait for it.
 *
 * The memory engine takes no time: whenever nothing is left to do at a moment, some time passes.
 */

import type { Clock } from "../src/clock.ts";

interface Timer {
  atMs: number;
  ring: () => void;
}

/** See the file's head. */
export class VirtualClock implements Clock {
  readonly #timers = new Set<Timer>();
  #nowMs = 0;
  #isTurning = false;

  now(): number {
    return this.#nowMs;
  }

  wallNow(): number {
    return startMs + this.#nowMs;
  }

  every(intervalMs: number, tick: () => void): () => void {
    const timer = this.#add(intervalMs, () => {
      timer.atMs = this.#nowMs + intervalMs;
      this.#timers.add(timer);
      tick();
    });
    return () => this.#timers.delete(timer);
  }

  after(delayMs: number, ring: () => void): () => void {
    const timer = this.#add(delayMs, ring);
    return () => this.#timers.delete(timer);
  }

  wait(delayMs: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const cancel = this.after(delayMs, resolve);
    const abort = () => {
      cancel();
      reject(signal.reason);
    };
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
    return promise;
  }

  /** Lets time pass; what is due on the way rings, as on a busy machine, at its end. */
  advance(byMs: number): void {
    this.#nowMs += byMs;
    for (let next = this.#next(); next && next.atMs <= this.#nowMs; next = this.#next()) {
      this.#timers.delete(next);
      next.ring();
    }
  }

  #add(delayMs: number, ring: () => void): Timer {
    const timer = { atMs: this.#nowMs + delayMs, ring };
    this.#timers.add(timer);
    if (!this.#isTurning) setImmediate(() => this.#turn());
    this.#isTurning = true;
    return timer;
  }

  #turn(): void {
    this.advance(msPerTurn);
    this.#isTurning = this.#timers.size > 0;
    if (this.#isTurning) setImmediate(() => this.#turn());
  }

  #next(): Timer | null {
    let first: Timer | null = null;
    for (const timer of this.#timers) if (!first || timer.atMs < first.atMs) first = timer;
    return first;
  }
}

const msPerTurn = 100;
const startMs = Date.UTC(2026, 0, 1);
