/** So many things of each session at once, and not one more. */

import type { Session } from "./session.ts";

/** Counts what is under way for each session. */
export class Places {
  readonly #most: number;
  readonly #taken = new Map<Session, number>();

  /** `most` is for each session. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Takes a place; returns what gives it back, or null where there is none left. */
  take(session: Session): (() => void) | null {
    const count = this.#taken.get(session) ?? 0;
    if (count >= this.#most) return null;
    this.#taken.set(session, count + 1);
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      const left = (this.#taken.get(session) ?? 1) - 1;
      if (left > 0) this.#taken.set(session, left);
      else this.#taken.delete(session);
    };
  }
}
