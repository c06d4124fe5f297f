/** What a receiver has of a try whose end the sender may not know. */

import { TransferError } from "../errors.ts";
import type { Receipt } from "../transfer/events.ts";
import { Unsettled } from "../transfer/unsettled.ts";

/** A try in which everything has landed, as long as the sender may not know it. */
export class EarlierTry {
  #unsettled: Unsettled | null = null;

  /** Keeps what a failure says of it. */
  keep(error: unknown): void {
    if (error instanceof Unsettled) this.#unsettled = error;
  }

  /** Frees it for the next try, or another command. */
  async leave(): Promise<void> {
    const unsettled = this.#unsettled;
    this.#unsettled = null;
    await unsettled?.ways.leave();
  }

  /**
   * Its receipt, when the next try finds that the sender serves the ticket no more, because it has its
   * own, or is gone; should that one come back, what has landed is known. Rejects with all else.
   */
  async receiptAfter(error: unknown): Promise<Receipt> {
    this.keep(error);
    const code = error instanceof TransferError ? error.code : null;
    const isOver = code === "PEER_UNREACHABLE" || code === "PEER_REJECTED";
    if (!this.#unsettled || !isOver) throw error;
    const { receipt, ways } = this.#unsettled;
    this.#unsettled = null;
    await (code === "PEER_REJECTED" ? ways.end() : ways.leave());
    return receipt;
  }
}
