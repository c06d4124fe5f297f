/** Messages for one transfer: put by the session's reader, taken by the transfer, bounded. */

import { TransferError } from "../errors.ts";

/** A bounded queue with one reader. */
export class Mailbox<T> {
  #items: T[] = [];
  #failure: { error: unknown } | null = null;
  #arrived = Promise.withResolvers<void>();
  #taken = Promise.withResolvers<void>();
  #failed = Promise.withResolvers<never>();

  constructor() {
    this.#failed.promise.catch(() => {});
  }

  /** Never resolves; rejects when the mailbox fails. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Why work has failed: that its connection was closed on this side says less than what it was closed for. */
  causeOf(error: unknown): unknown {
    const isOwnEnd = error instanceof TransferError && error.code === "CANCELLED";
    return isOwnEnd && this.#failure ? this.#failure.error : error;
  }

  /** Adds an item; waits while the reader is far behind, so that a fast peer cannot fill memory. */
  async put(item: T): Promise<void> {
    while (this.#items.length >= capacity && !this.#failure) await this.#taken.promise;
    if (this.#failure) return;
    this.#items.push(item);
    this.#arrived.resolve();
  }

  /** Ends it: what is in it can still be taken, then {@link Mailbox.next} rejects with `error`. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#failed.reject(error);
    this.#arrived.resolve();
    this.#taken.resolve();
  }

  /** The next item. Rejects once the mailbox has failed and is empty. */
  async next(): Promise<T> {
    for (;;) {
      const item = this.#items.shift();
      if (item !== undefined) {
        this.#taken.resolve();
        this.#taken = Promise.withResolvers();
        return item;
      }
      if (this.#failure) throw this.#failure.error;
      this.#arrived = Promise.withResolvers();
      await this.#arrived.promise;
    }
  }
}

const capacity = 16;
