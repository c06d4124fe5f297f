/** The counters of a session for all who look at them: the engine has to be waited for. */

import type { Clock } from "../clock.ts";
import type { Connection, ConnectionStats } from "../engine/engine.ts";
import { progressIntervalMs } from "../options.ts";

/** The counters of one connection or of two together, looked at as often as progress is told. */
export class Looks {
  readonly #first: Connection;
  readonly #others: Connection[] = [];
  readonly #clock: Clock;
  #last: { stats: ConnectionStats; atMs: number } | null = null;

  constructor(connection: Connection, clock: Clock) {
    this.#first = connection;
    this.#clock = clock;
  }

  /** Counts another connection over the same path, too. */
  join(connection: Connection): void {
    this.#others.push(connection);
  }

  /** The counters, not older than half a tick of progress. */
  get stats(): ConnectionStats {
    const atMs = this.#clock.now();
    if (!this.#last || atMs - this.#last.atMs > progressIntervalMs / 2) {
      const others = this.#others.map((one) => one.stats());
      this.#last = { stats: together(this.#first.stats(), others), atMs };
    }
    return this.#last.stats;
  }
}

/**
 * What connections over one path do in sum; what they have in common is the first one's.
 *
 * The rate is the highest: each finds that of the path in the bursts in which the other one rests.
 */
function together(first: ConnectionStats, others: readonly ConnectionStats[]): ConnectionStats {
  const sum = { ...first };
  for (const one of others) {
    for (const count of counts) sum[count] += one[count];
    sum.rateBytesPerSecond = Math.max(sum.rateBytesPerSecond, one.rateBytesPerSecond);
  }
  return sum;
}

const counts = [
  "congestionWindowBytes",
  "deliveredBytes",
  "unfilledBytes",
  "lostPackets",
  "sentPackets",
  "sentBytes",
  "receivedBytes",
] as const;
