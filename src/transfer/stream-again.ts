/** Says once more what a stream came to, to a sender whose connection was lost before it knew. */

import { type Clock, within } from "../clock.ts";
import { TransferError } from "../errors.ts";
import type { ControlMessage } from "../protocol/messages.ts";
import type { Receipt } from "./events.ts";
import type { Mailbox } from "./mailbox.ts";
import { sayReceipt } from "./receipt-writer.ts";
import type { LandedStream } from "./stream-hold.ts";
import { unexpected } from "./unexpected.ts";

/** What has landed, and who is told. */
export interface Again {
  landed: LandedStream;
  clock: Clock;
  mailbox: Mailbox<ControlMessage>;
  say: (message: ControlMessage) => Promise<void>;
}

/** Accepts the offer as one whose file is there; returns the receipt. */
export async function sayLandedAgain({ landed, clock, mailbox, say }: Again): Promise<Receipt> {
  const { seconds, into, wireBytes } = landed;
  const { transferId } = landed.landed;
  await say({ type: "have", transfer: transferId, files: [[0, 1]], pieces: [] });
  await say({ type: "accept", transfer: transferId });
  const { files, bytes } = await sayReceipt(landed.landed, seconds, { say, features: [] });
  const late = () => new TransferError("PEER_UNREACHABLE", "the sender did not take its receipt");
  const settled = async () => {
    for (;;) {
      const message = await mailbox.next();
      if (message.type === "settled") return message.bounds ?? [];
      if (message.type !== "done") throw unexpected(message.type);
    }
  };
  const bounds = await within(clock, settleMs, settled(), late);
  return { transferId, files, bytes, wireBytes, seconds, skipped: [], bounds, into };
}

/** How long a receiver waits for the sender to have its receipt. */
const settleMs = 5000;
