/** The transfers that one connection carries: who may move, and what part of the lanes is whose. */

import { TransferError } from "../errors.ts";
import { smallTransferBytes } from "../options.ts";
import { Gate } from "./gate.ts";

/** Who goes first of those that wait, and on the wire: the high ones before the normal ones before the low ones. */
export type Priority = "high" | "normal" | "low";

/** Lets at most so many transfers move at once; the others wait, by priority and in the order of coming. */
export class Turns {
  readonly #most: number;
  readonly #places = new Set<Place>();
  /** A receiver refuses offers while too many wait for its answer. */
  readonly #offers: Gate;

  /** Begins empty, for so many that move and so many that are offered at once. */
  constructor({ mostMoving, mostOffers }: { mostMoving: number; mostOffers: number }) {
    this.#most = mostMoving;
    this.#offers = new Gate(mostOffers);
  }

  /** Offers a transfer when the receiver takes offers. */
  offer<T>(work: () => Promise<T>): Promise<T> {
    return this.#offers.run(work);
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

  /** Starts as many as there is room for. */
  startNext(): void {
    for (const priority of priorities) {
      for (const place of this.#places) {
        if (this.moving >= this.#most) return;
        if (place.priority === priority && !place.isResting) place.start();
      }
    }
  }
}

/** One transfer's place in the queue, and later among those that move. */
export class Place {
  readonly priority: Priority;
  readonly #turns: Turns;
  readonly #turn = Promise.withResolvers<void>();
  isMoving = false;
  isResting = false;

  /** Made by {@link Turns.place}. */
  constructor(turns: Turns, priority: Priority) {
    this.#turns = turns;
    this.priority = priority;
    this.#turn.promise.catch(() => {});
  }

  /** Whether nobody else moves. */
  get isAlone(): boolean {
    return this.#turns.moving <= 1;
  }

  /** Goes into the queue; resolves when it may move, and rejects when it leaves before. */
  enter(): Promise<void> {
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
