/** The connections of a peer: made when they are needed, kept while they live, found by peer id. */

import { TransferError } from "../errors.ts";
import { unknownPeer } from "./address-book.ts";
import { dialPeer, noteSeen, type PeerContext } from "./context.ts";
import type { Guests } from "./guests.ts";
import { parsePeerReference } from "./peer-name.ts";
import { Session, type SessionOptions } from "./session.ts";

/** The sessions with others, whoever dialled. */
export class Connections {
  readonly #context: PeerContext;
  readonly #guests: Guests;
  readonly #sessionOptions: () => SessionOptions;
  readonly #sessions = new Map<string, Session>();
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

  /** The session with a peer, which is dialled where it was last if it is not connected. */
  async reach(peerId: string, signal: AbortSignal): Promise<Session> {
    const known = this.#context.book.find(peerId)?.addresses ?? [];
    const addresses = new Set([...(this.#addresses.get(peerId) ?? []), ...known]);
    // A peer that dialled this one, and that nobody knows, must come back by itself.
    if (this.has(peerId) || addresses.size === 0) return this.find(peerId);
    return this.dial(peerId, [...addresses], signal);
  }

  /** Connects to a peer and remembers where it was. */
  async dial(peerId: string, addresses: readonly string[], signal?: AbortSignal): Promise<Session> {
    if (peerId === this.#context.endpoint.peerId) {
      throw new TransferError("INVALID_ARGUMENT", "that is this machine itself; name another peer");
    }
    const connection = await dialPeer(this.#context, peerId, addresses, signal);
    const session = await Session.dial(connection, this.#sessionOptions());
    this.#addresses.set(peerId, addresses);
    noteSeen(this.#context, connection);
    this.keep(session);
    return session;
  }

  /** Keeps a session as long as it lives. A later one with the same peer takes its place. */
  keep(session: Session): void {
    this.#sessions.set(session.peerId, session);
    void session.ended.then(() => {
      if (this.#sessions.get(session.peerId) === session) this.#sessions.delete(session.peerId);
    });
  }
}
