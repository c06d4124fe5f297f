/** Peers that came without a ticket, while this one takes offers of anyone. */

import type { PeerLimits } from "../engine/engine.ts";
import { TransferError } from "../errors.ts";
import { maxGuests } from "../options.ts";
import type { Session } from "./session.ts";

/** The guests of a peer: few at once, and each may send little until one of its offers is accepted. */
export class Guests {
  readonly #trusted: PeerLimits;
  /** In the order of their coming. */
  readonly #sessions = new Set<Session>();

  /** `trusted` is what a guest may send once it is none any more. */
  constructor({ receiveWindowBytes, maxStreams }: PeerLimits) {
    this.#trusted = { receiveWindowBytes, maxStreams };
  }

  /** Lets a session in; if there are too many, the first to come must go. */
  add(session: Session): void {
    this.#sessions.add(session);
    void session.ended.then(() => this.#sessions.delete(session));
    const [first] = this.#sessions;
    if (!first || this.#sessions.size <= maxGuests) return;
    this.#sessions.delete(first);
    first.closeFor(new TransferError("LIMIT_EXCEEDED", "too many peers are connected; try again"));
  }

  /** Lets a guest send as much as the holder of a ticket may. */
  trust(session: Session): void {
    if (this.#sessions.delete(session)) session.connection.admit(this.#trusted);
  }
}
