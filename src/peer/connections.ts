/** The connections of a peer: made when they are needed, kept while they live, found by peer id. */

import { TransferError } from "../errors.ts";
import { unknownPeer } from "./address-book.ts";
import { background, dialPeer, noteSeen, type PeerContext } from "./context.ts";
import type { Guests } from "./guests.ts";
import { findOtherWay, findOtherWayOrCall, type Way } from "./other-way.ts";
import { parsePeerReference } from "./peer-name.ts";
import type { Reach } from "./pushing.ts";
import { Session, type SessionOptions } from "./session.ts";

/** The sessions with others, whoever dialled. */
export class Connections {
  readonly #context: PeerContext;
  readonly #guests: Guests;
  readonly #sessionOptions: () => SessionOptions;
  readonly #sessions = new Map<string, Session>();
  /** Those that this side made, and makes again; the other side of such a one can only call. */
  readonly #own = new WeakSet<Session>();
  /** Where peers have been found, or are said to be, beside what the address book knows. */
  readonly #addresses = new Map<string, readonly string[]>();

  /** Begins without any; `sessionOptions` are for those that this side dials. */
  constructor(context: PeerContext, guests: Guests, sessionOptions: () => SessionOptions) {
    this.#context = context;
    this.#guests = guests;
    this.#sessionOptions = sessionOptions;
  }

  /**
   * The peer id that a person means by a name, a peer id, or `PEER-ID@ADDRESS`.
   *
   * @throws {TransferError} `INVALID_ARGUMENT` for a name that nobody has here, `DISK_*`.
   */
  identify(text: string): string {
    const said = parsePeerReference(text);
    if ("name" in said) {
      const known = this.#context.book.find(said.name);
      if (known) return known.peerId;
      throw unknownPeer(said.name);
    }
    if (said.addresses.length > 0) this.#addresses.set(said.peerId, said.addresses);
    return said.peerId;
  }

  /** Whether there is a connection with a peer. */
  has(peerId: string): boolean {
    return this.#sessions.has(peerId);
  }

  /** The session with a connected peer, who may send much from now on. `PEER_UNREACHABLE` for none. */
  find(peerId: string): Session {
    const session = this.#sessions.get(peerId);
    if (!session) {
      const message = `${peerId} is not connected, and no address of it is known; call connectToPeer, or add one to its name (quiver peers add)`;
      throw new TransferError("PEER_UNREACHABLE", message);
    }
    this.#guests.trust(session);
    return session;
  }

  /**
   * The session with a peer, which is dialled where it was last if it is not connected.
   *
   * It may not have said hello yet: {@link Session.greeted} says when, or why not.
   */
  async reach(peerId: string, signal: AbortSignal): Promise<Session> {
    const addresses = this.#addressesOf(peerId);
    // A peer that dialled this one, and that nobody knows, must come back by itself.
    if (this.has(peerId) || addresses.length === 0) return this.find(peerId);
    return this.#begin(peerId, addresses, signal);
  }

  /** {@link reach} for a transfer that may lose its connection and goes on over the next. */
  reachAgain(peerId: string, signal: AbortSignal): Reach {
    let last: Session | undefined;
    return {
      connect: async () => {
        last = await this.reach(peerId, signal);
        return last;
      },
      isReached: () => this.has(peerId) && this.#sessions.get(peerId) !== last,
    };
  }

  /** Connects to a peer that is not connected, and remembers where it was; waits for its hello in any case. */
  async dial(peerId: string, addresses: readonly string[], signal?: AbortSignal): Promise<void> {
    const session = this.#sessions.get(peerId) ?? (await this.#begin(peerId, addresses, signal));
    await session.greeted;
  }

  async #begin(
    peerId: string,
    addresses: readonly string[],
    signal?: AbortSignal,
  ): Promise<Session> {
    if (peerId === this.#context.endpoint.peerId) {
      throw new TransferError("INVALID_ARGUMENT", "that is this machine itself; name another peer");
    }
    const options = this.#sessionOptions();
    const early = options.hello;
    const connection = await dialPeer(this.#context, peerId, addresses, { signal, early });
    const session = await Session.begin(connection, options);
    this.#addresses.set(peerId, addresses);
    noteSeen(this.#context, connection);
    this.#own.add(session);
    this.keep(session);
    return session;
  }

  /**
   * Watches a session until the returned function is called. When it falls silent, it fails; if the peer was
   * found by another way, {@link reach} has that one at once.
   */
  watch(session: Session): () => void {
    const over = new AbortController();
    // One that was let in for a ticket is its transfer's to watch.
    const isKept = this.#sessions.get(session.peerId) === session;
    if (isKept) background(this.#findAgain(session, over.signal));
    return () => over.abort();
  }

  async #findAgain(session: Session, signal: AbortSignal): Promise<void> {
    const { peerId, connection } = session;
    const isOwn = this.#own.has(session);
    const find = isOwn ? findOtherWayOrCall : findOtherWay;
    const watched = { connection, addresses: isOwn ? this.#addressesOf(peerId) : [] };
    for (;;) {
      const way = await find(this.#context, watched, signal);
      if (!way) return session.fail(silent);
      try {
        const next = await this.#greet(way);
        if (isOwn) this.#own.add(next);
        this.keep(next);
        void next.ended.then(() => way.free());
        return session.fail(reachedAgain);
      } catch {
        // A peer that still hears this side expects no call.
        await way.free();
      }
    }
  }

  /** Makes a session of a connection to a peer that was let in before. */
  #greet({ connection, isCall }: Way): Promise<Session> {
    const options = this.#sessionOptions();
    const { receiveWindowBytes, maxStreams } = this.#context.tuning;
    if (!isCall) return Session.dial(connection, options);
    return Session.accept(connection, options, () => ({ receiveWindowBytes, maxStreams }));
  }

  #addressesOf(peerId: string): string[] {
    const known = this.#context.book.find(peerId)?.addresses ?? [];
    return [...new Set([...(this.#addresses.get(peerId) ?? []), ...known])];
  }

  /** Keeps a session as long as it lives. A later one with the same peer takes its place. */
  keep(session: Session): void {
    this.#sessions.set(session.peerId, session);
    void session.ended.then(() => {
      if (this.#sessions.get(session.peerId) === session) this.#sessions.delete(session.peerId);
    });
  }
}

const reachedAgain = new TransferError("CONNECTION_LOST", "the peer is reached by another way");
const silent = new TransferError("CONNECTION_LOST", "nothing was heard of the peer any more");
