/** The tickets that a peer honours now. */

import type { Clock } from "../clock.ts";
import { isTicketProof } from "../protocol/proof.ts";
import type { Session } from "./session.ts";

/** What happens when a ticket's holder connects. */
interface Entry {
  secret: Uint8Array;
  expiresAtMs: number;
  serve: (session: Session) => void;
}

/** Secrets of tickets, each with what its holder gets. */
export class Tickets {
  readonly #clock: Clock;
  readonly #random: (bytes: number) => Uint8Array;
  readonly #entries = new Set<Entry>();

  /** `random` gives bytes that nobody can guess. */
  constructor(clock: Clock, random: (bytes: number) => Uint8Array) {
    this.#clock = clock;
    this.#random = random;
  }

  /** Makes a secret, or takes a known one, that is good for `lifeMs`. Returns it with a function that ends it. */
  issue(
    lifeMs: number,
    serve: (session: Session) => void,
    known?: Uint8Array,
  ): { secret: Uint8Array; revoke: () => void } {
    const secret = known ?? this.#random(16);
    const entry = { secret, expiresAtMs: this.#clock.now() + lifeMs, serve };
    this.#entries.add(entry);
    return { secret, revoke: () => this.#entries.delete(entry) };
  }

  /** What the holder of the proof gets; null for a wrong proof. All secrets are compared. */
  find(proof: Uint8Array, keyingMaterial: Uint8Array): ((session: Session) => void) | null {
    let found: Entry | null = null;
    for (const entry of this.#entries) {
      if (isTicketProof(proof, entry.secret, keyingMaterial)) found = entry;
    }
    if (found && found.expiresAtMs < this.#clock.now()) return null;
    return found?.serve ?? null;
  }
}
