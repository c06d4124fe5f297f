/** The transfers that one connection carries: who may move, and what part of the lanes is whose. */

import type { Clock } from "../clock.ts";
import { TransferError } from "../errors.ts";
import { answerSoonMs, smallTransferBytes } from "../options.ts";
import { Gate } from "./gate.ts";

/** Who goes first of those that wait, and on the wire: the high ones before the normal ones before the low ones. */
export type Priority = "high" | "normal" | "low";

/** What transfers wait for. */
export interface TurnsOptions {
  /** So many move at once. */
  mostMoving: number;
  /** So many are offered at once. */
  mostOffers: number;
  clock: Clock;
}

/** Lets at most so many transfers move at once; the others wait, by priority and in the order of coming. */
export class Turns {
  readonly #most: number;
  readonly #places = new Set<Place>();
  /** A receiver refuses offers while too many wait for its answer. */
  readonly #offers: Gate;
  readonly #clock: Clock;
  /** Offers that may be answered at once. */
  readonly #expected = new Set<() => Promise<unknown>>();

  /** Begins empty. */
  constructor({ mostMoving, mostOffers, clock }: TurnsOptions) {
    this.#most = mostMoving;
    this.#offers = new Gate(mostOffers);
    this.#clock = clock;
  }

  /** Offers a transfer when the receiver takes offers. Others make room for it at first: a program answers at once. */
  async offer<T>(work: () => Promise<T>): Promise<T> {
    this.#expected.add(work);
    this.#tell();
    const noLonger = () => {
      if (this.#expected.delete(work)) this.#tell();
    };
    const cancel = this.#clock.after(answerSoonMs, noLonger);
    try {
      return await this.#offers.run(work);
    } finally {
      cancel();
      noLonger();
    }
  }

  /** A place that is not in the queue yet. */
  place(priority: Priority): Place {
    return new Place(this, priority);
  }

  /** How many move. */
  get moving(): number {
    let count = 0;
    for (const { isMoving, isResting } of this.#places) if (isMoving && !isResting) count += 1;
    return count;
  }

  /** Puts a place at the end of the queue. */
  add(place: Place): void {
    this.#places.add(place);
    this.startNext();
  }

  /** Takes a place off. */
  remove(place: Place): void {
    this.#places.delete(place);
    this.startNext();
  }

  /** Whether one moves that goes before those of a rank, or may do so in a moment. */
  isBehind(rank: number): boolean {
    if (this.#expected.size > 0) return true;
    for (const { isMoving, isResting, rank: other } of this.#places) {
      if (isMoving && !isResting && other > rank) return true;
    }
    return false;
  }

  /** Starts as many as there is room for, and tells those that move that it may be others now. */
  startNext(): void {
    this.#startNext();
    this.#tell();
  }

  #startNext(): void {
    for (const priority of priorities) {
      for (const place of this.#places) {
        if (this.moving >= this.#most) return;
        if (place.priority === priority && !place.isResting) place.start();
      }
    }
  }

  #tell(): void {
    for (const { isMoving, changed } of this.#places) if (isMoving) changed();
  }
}

/** One transfer's place in the queue, and later among those that move. */
export class Place {
  readonly priority: Priority;
  readonly #turns: Turns;
  readonly #turn = Promise.withResolvers<void>();
  isMoving = false;
  isResting = false;
  /** What is to be sent; infinite for a stream. */
  bytes = 0;
  /** Called when others begin to move, or end, or may soon begin. */
  changed: () => void = () => {};

  /** Made by {@link Turns.place}. */
  constructor(turns: Turns, priority: Priority) {
    this.#turns = turns;
    this.priority = priority;
    this.#turn.promise.catch(() => {});
  }

  /** The priority of its streams. */
  get rank(): number {
    return laneRank(this.priority, this.bytes);
  }

  /** Whether a transfer moves that goes before it on the wire, or may do so in a moment. */
  get isBehind(): boolean {
    return this.#turns.isBehind(this.rank);
  }

  /** Whether nobody else moves. */
  get isAlone(): boolean {
    return this.#turns.moving <= 1;
  }

  /** Goes into the queue with so many bytes; resolves when it may move, and rejects when it leaves before. */
  enter(bytes: number): Promise<void> {
    this.bytes = bytes;
    this.#turns.add(this);
    return this.#turn.promise;
  }

  /** Its even part of so many lanes. */
  share(lanes: number): number {
    return Math.ceil(lanes / Math.max(1, this.#turns.moving));
  }

  /** Lets it move. */
  start(): void {
    this.isMoving = true;
    this.#turn.resolve();
  }

  /** Notes a pause, in which another may take its turn. After it, it moves at once, though there be more than may. */
  rest(isResting: boolean): void {
    this.isResting = isResting;
    this.#turns.startNext();
  }

  /** Gives it up. Twice is fine. */
  leave(): void {
    this.#turn.reject(new TransferError("CANCELLED", "the transfer ended before its turn"));
    this.#turns.remove(this);
  }
}

/**
 * The priority of the streams of a transfer of so many bytes: those of a higher one go first, of
 * the same one in turn. The control and progress streams have 0: what is said of a transfer waits for no file.
 */
export function laneRank(priority: Priority, bytes: number): number {
  const level = priorities.indexOf(priority);
  return -1 - 2 * level - (bytes > smallTransferBytes ? 1 : 0);
}

const priorities: readonly Priority[] = ["high", "normal", "low"];
