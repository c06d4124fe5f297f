/** The connections that a receiver has to one sender, one after the other. */

import { TransferError } from "../errors.ts";
import type { Ticket } from "../protocol/ticket.ts";
import { dialPeer, type PeerContext } from "./context.ts";
import { findOtherWayOrCall, leaveWay, type Way } from "./other-way.ts";
import type { Session } from "./session.ts";

/** Dials a ticket's sender, unless another way to it was found while the last one was in use. */
export class WaysToSender {
  readonly #context: PeerContext;
  readonly #ticket: Ticket;
  readonly #signal: AbortSignal;
  #found: Way | null = null;

  /** Cancelling: `signal` ends what is under way. */
  constructor(context: PeerContext, ticket: Ticket, signal: AbortSignal) {
    this.#context = context;
    this.#ticket = ticket;
    this.#signal = signal;
  }

  /** Whether the next one is there already. */
  get isFound(): boolean {
    return this.#found !== null;
  }

  /** Does work over a connection. When that falls silent after `watch` and another one is found, its session fails. */
  async use<T>(work: (way: Way, watch: (session: Session) => void) => Promise<T>): Promise<T> {
    const way = await this.#next();
    const over = new AbortController();
    let watching: Promise<void> = Promise.resolve();
    try {
      return await work(way, (session) => {
        watching = this.#watch(session, over.signal).catch(() => {});
      });
    } finally {
      over.abort();
      await watching;
      await way.free();
    }
  }

  /** Closes a connection that was found and is not needed. */
  async close(): Promise<void> {
    if (this.#found) await leaveWay(this.#found);
    this.#found = null;
  }

  async #next(): Promise<Way> {
    const found = this.#found;
    this.#found = null;
    if (found) return found;
    const { peerId, addresses } = this.#ticket;
    const signal = this.#signal;
    const connection = await dialPeer(this.#context, peerId, addresses, { signal });
    return { connection, isCall: false, free: async () => {} };
  }

  async #watch(session: Session, signal: AbortSignal): Promise<void> {
    const watched = { connection: session.connection, addresses: this.#ticket.addresses };
    this.#found = await findOtherWayOrCall(this.#context, watched, signal);
    session.fail(this.#found ? reachedAgain : silent);
  }
}

const reachedAgain = new TransferError("CONNECTION_LOST", "the sender is reached by another way");
const silent = new TransferError("CONNECTION_LOST", "nothing was heard of the sender any more");
