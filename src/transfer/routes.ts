/** The connections that a transfer's lanes go over: each keeps its share of the busy lanes. */

import type { Connection, RateLimiter } from "../engine/engine.ts";
import { asideBytesPerSecond } from "../options.ts";
import { Gate } from "./gate.ts";
import type { Place } from "./turns.ts";

/** A connection, and what its lanes pass. */
export interface Route {
  connection: Connection;
  /** What lets them work. */
  gate: Gate;
  /** What their bytes pass, the widest last. */
  limiters: readonly RateLimiter[];
}

/** What a transfer's routes have in common. */
export interface RouteOptions {
  /** What the bytes of all lanes pass, the widest last. */
  limiters: readonly RateLimiter[];
  /** What those over a second connection pass first. */
  aside: RateLimiter;
  place: Place;
}

/** All of them: first that of the session, on which a stream's priority orders all transfers. */
export class Routes {
  readonly #options: RouteOptions;
  readonly #gates: Gate[] = [];
  #busy = 0;

  /** Begins without any. */
  constructor(options: RouteOptions) {
    const { aside, place } = options;
    this.#options = options;
    place.changed = () => {
      aside.setRate(place.isBehind ? asideBytesPerSecond : Number.POSITIVE_INFINITY);
      this.#resize();
    };
    place.changed();
  }

  get count(): number {
    return this.#gates.length;
  }

  /** Gives a connection its share. */
  add(connection: Connection): Route {
    const { limiters, aside } = this.#options;
    const gate = new Gate(0);
    const isFirst = this.count === 0;
    this.#gates.push(gate);
    this.#resize();
    return { connection, gate, limiters: isFirst ? limiters : [aside, ...limiters] };
  }

  /** Changes how many lanes are to be busy, over all connections and with all transfers. */
  resize(busy: number): void {
    this.#busy = busy;
    this.#resize();
  }

  /** Heeds others no more. */
  close(): void {
    this.#options.place.changed = () => {};
  }

  #resize(): void {
    const busy = this.#options.place.share(this.#busy);
    for (const gate of this.#gates) gate.resize(Math.ceil(busy / this.count));
  }
}
