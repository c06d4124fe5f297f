/** The limits that transfers share: those of a peer, and of the whole process. */

import type { Clock } from "../clock.ts";
import type { Engine } from "../engine/engine.ts";
import type { Direction } from "../transfer/events.ts";
import { checkLimit, type Limit } from "../transfer/limit.ts";
import { Throttle } from "../transfer/throttle.ts";

/** Limits that can be changed while transfers run. Each direction keeps to them by itself. */
export class Limits {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #all: Record<Direction, Throttle>;
  /** Those of peers with which something moves. */
  readonly #peers = new Map<string, PeerThrottle>();
  readonly #ofPeers = new Map<string, Limit>();
  #ofEachPeer: Limit;

  /** Begins with a limit for everything, and one for each peer. `INVALID_ARGUMENT` for one that cannot be kept. */
  constructor(engine: Engine, clock: Clock, { limit = null, limitPerPeer = null }: LimitOptions) {
    this.#engine = engine;
    this.#clock = clock;
    this.#ofEachPeer = checkLimit(limitPerPeer);
    this.#all = { send: new Throttle(engine, clock), receive: new Throttle(engine, clock) };
    this.set(limit);
  }

  /** Changes the limit for everything. `INVALID_ARGUMENT` for one that cannot be kept. */
  set(limit: Limit): void {
    for (const throttle of Object.values(this.#all)) throttle.set(limit);
  }

  /** Changes the limit for one peer; it holds as long as this participant runs. */
  setFor(peerId: string, limit: Limit): void {
    this.#ofPeers.set(peerId, checkLimit(limit));
    this.#renew();
  }

  /** Changes the limit for each peer that has none of its own. */
  setForEach(limit: Limit): void {
    this.#ofEachPeer = checkLimit(limit);
    this.#renew();
  }

  /** What the transfers with a peer share, the widest last, until `free` is called. */
  borrow(direction: Direction, peerId: string): { throttles: Throttle[]; free: () => void } {
    const key = `${direction} ${peerId}`;
    const shared = this.#peers.get(key) ?? this.#add(key, peerId);
    shared.users += 1;
    const free = () => {
      shared.users -= 1;
      if (shared.users > 0) return;
      shared.throttle.close();
      this.#peers.delete(key);
    };
    return { throttles: [shared.throttle, this.#all[direction]], free };
  }

  /** Ends the looking at the clock. */
  close(): void {
    for (const throttle of Object.values(this.#all)) throttle.close();
  }

  #add(key: string, peerId: string): PeerThrottle {
    const throttle = new Throttle(this.#engine, this.#clock);
    throttle.set(this.#limitOf(peerId));
    const added = { peerId, throttle, users: 0 };
    this.#peers.set(key, added);
    return added;
  }

  #limitOf(peerId: string): Limit {
    const own = this.#ofPeers.get(peerId);
    return own === undefined ? this.#ofEachPeer : own;
  }

  #renew(): void {
    for (const { peerId, throttle } of this.#peers.values()) throttle.set(this.#limitOf(peerId));
  }
}

/** What the limits are at first. */
export interface LimitOptions {
  limit?: Limit;
  limitPerPeer?: Limit;
}

interface PeerThrottle {
  peerId: string;
  throttle: Throttle;
  /** Transfers that share it. */
  users: number;
}
