/** How a receiver ends whose sender does not know yet that everything has landed. */

import { TransferError } from "../errors.ts";
import type { Receipt } from "./events.ts";

/** Everything has landed, but the connection was lost before the sender knew. */
export class Unsettled extends TransferError {
  readonly receipt: Receipt;
  /** Ends the transfer all the same, or frees it for another try. */
  readonly ways: { end: () => Promise<void>; leave: () => Promise<void> };

  constructor(receipt: Receipt, ways: Unsettled["ways"]) {
    super("CONNECTION_LOST", "everything is here, but the sender does not know it yet");
    this.receipt = receipt;
    this.ways = ways;
  }
}

/** The ways of one that holds nothing which would have to be freed. */
export const ownsNothing: Unsettled["ways"] = { end: async () => {}, leave: async () => {} };
