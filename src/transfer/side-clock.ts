/** How one side of a transfer spends its time: its lanes', and that of its busiest thread. */

import type { Clock } from "../clock.ts";
import type { Engine, SpentTime } from "../engine/engine.ts";
import type { SideTimes } from "../protocol/progress-message.ts";

/** Counts since it was made. */
export class SideClock {
  readonly #clock: Clock;
  readonly #engine: Engine;
  readonly #lanes: () => SpentTime;
  readonly #startedAtMs: number;
  #threads: number[];
  #busyMs = 0;

  /** `lanes` is the time of all lanes together. */
  constructor(clock: Clock, engine: Engine, lanes: () => SpentTime) {
    this.#clock = clock;
    this.#engine = engine;
    this.#lanes = lanes;
    this.#startedAtMs = clock.now();
    this.#threads = engine.busyMs();
  }

  /** The times so far, in whole milliseconds. Of the busiest thread as often as this is asked. */
  look(): SideTimes {
    const threads = this.#engine.busyMs();
    this.#busyMs += Math.max(0, ...threads.map((ms, at) => ms - (this.#threads[at] ?? 0)));
    this.#threads = threads;
    const { diskMs, limitMs, streamMs, workMs } = this.#lanes();
    return {
      elapsedMs: Math.round(this.#clock.now() - this.#startedAtMs),
      diskMs: Math.round(diskMs),
      limitMs: Math.round(limitMs),
      streamMs: Math.round(streamMs),
      workMs: Math.round(workMs),
      busyMs: Math.round(this.#busyMs),
    };
  }
}

/** The time of many lanes together. */
export function sumOfSpent(lanes: Iterable<SpentTime>): SpentTime {
  const sum = { diskMs: 0, limitMs: 0, streamMs: 0, workMs: 0 };
  for (const { diskMs, limitMs, streamMs, workMs } of lanes) {
    sum.diskMs += diskMs;
    sum.limitMs += limitMs;
    sum.streamMs += streamMs;
    sum.workMs += workMs;
  }
  return sum;
}
