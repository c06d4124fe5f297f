/** Where the time of a stream's calls goes, in memory. */

import type { SpentTime } from "./engine.ts";

/** What a call is doing. */
export type Doing = "nothing" | "work" | "disk" | "limit" | "stream";

/** The time of one end of a stream, by a clock that tests can replace. */
export class Spent {
  readonly #now: () => number;
  readonly #sums: Record<Doing, number> = { nothing: 0, work: 0, disk: 0, limit: 0, stream: 0 };
  #doing: Doing = "nothing";
  #sinceMs: number;

  /** Begins with nothing under way. */
  constructor(now: () => number) {
    this.#now = now;
    this.#sinceMs = now();
  }

  /** The sums, with what is under way. */
  get soFar(): SpentTime {
    this.#count();
    const { disk: diskMs, limit: limitMs, stream: streamMs, work: workMs } = this.#sums;
    return { diskMs, limitMs, streamMs, workMs };
  }

  /** Does something else until it is done, and then what was done before. */
  async during<T>(doing: Doing, work: () => Promise<T>): Promise<T> {
    const leave = this.enter(doing);
    try {
      return await work();
    } finally {
      leave();
    }
  }

  /** Begins to do something else, until the returned function is called. */
  enter(doing: Doing): () => void {
    const before = this.#doing;
    this.#turnTo(doing);
    return () => this.#turnTo(before);
  }

  #turnTo(doing: Doing): void {
    this.#count();
    this.#doing = doing;
  }

  #count(): void {
    const nowMs = this.#now();
    this.#sums[this.#doing] += nowMs - this.#sinceMs;
    this.#sinceMs = nowMs;
  }
}
