/** The counters of a connection for all who look at them: the engine has to be waited for. */

import type { Clock } from "../clock.ts";
import type { Connection, ConnectionStats } from "../engine/engine.ts";
import { progressIntervalMs } from "../options.ts";

/** A connection's counters, looked at as often as progress is told. */
export class Looks {
  readonly #connection: Connection;
  readonly #clock: Clock;
  #last: { stats: ConnectionStats; atMs: number } | null = null;

  constructor(connection: Connection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
  }

  /** The counters, not older than half a tick of progress. */
  get stats(): ConnectionStats {
    const atMs = this.#clock.now();
    if (!this.#last || atMs - this.#last.atMs > progressIntervalMs / 2) {
      this.#last = { stats: this.#connection.stats(), atMs };
    }
    return this.#last.stats;
  }
}
