/** Peers that may call without a ticket, because a transfer with them is under way. */

import type { Connection } from "../engine/engine.ts";

/** Who is expected, by peer id; each key proves itself in the connection's handshake. */
export class Callers {
  readonly #expected = new Map<string, (connection: Connection) => void>();
  readonly #listen: () => void;

  /** `listen` lets calls come in; it is called with the first that is expected. */
  constructor(listen: () => void) {
    this.#listen = listen;
  }

  /** Resolves with the peer's call. Cancelling: rejects with the signal's reason. */
  async expect(peerId: string, signal: AbortSignal): Promise<Connection> {
    const called = Promise.withResolvers<Connection>();
    const cancel = () => called.reject(signal.reason);
    signal.addEventListener("abort", cancel, { once: true });
    this.#expected.set(peerId, called.resolve);
    this.#listen();
    try {
      return await called.promise;
    } finally {
      signal.removeEventListener("abort", cancel);
      if (this.#expected.get(peerId) === called.resolve) this.#expected.delete(peerId);
    }
  }

  /** Whether a peer's call is waited for. */
  has(peerId: string): boolean {
    return this.#expected.has(peerId);
  }

  /** Hands a connection over to whoever expects it; false where nobody does. */
  take(connection: Connection): boolean {
    const resolve = this.#expected.get(connection.peerId);
    resolve?.(connection);
    return resolve !== undefined;
  }
}
