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
  readonly #busy: () => number;
  readonly #gates: Gate[] = [];

  /** Begins without any; `busy` tells how many of all lanes are to be busy. */
  constructor(options: RouteOptions, busy: () => number) {
    const { aside, place } = options;
    this.#options = options;
    this.#busy = busy;
    place.changed = () => {
      aside.setRate(place.isBehind ? asideBytesPerSecond : Number.POSITIVE_INFINITY);
      this.resize();
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
    this.resize();
    return { connection, gate, limiters: isFirst ? limiters : [aside, ...limiters] };
  }

  /** Shares the busy lanes out anew, as there may be more or fewer of them now. */
  resize(): void {
    const each = Math.ceil(this.#busy() / this.count);
    for (const gate of this.#gates) gate.resize(each);
  }

  /** Heeds others no more. */
  close(): void {
    this.#options.place.changed = () => {};
  }
}
