/** The receiver's side of a text, which has come whole with its offer: nothing is written, no lane comes. */

import { type Clock, within } from "../clock.ts";
import { TransferError } from "../errors.ts";
import type { ControlMessage } from "../protocol/messages.ts";
import type { Receipt } from "./events.ts";
import type { Mailbox } from "./mailbox.ts";
import { MadeFiles } from "./receipt-files.ts";
import { unexpected } from "./unexpected.ts";
import { Unsettled } from "./unsettled.ts";

/** A text that was accepted. */
export interface AcceptedText {
  transferId: string;
  text: string;
  clock: Clock;
  mailbox: Mailbox<ControlMessage>;
  say: (message: ControlMessage) => Promise<void>;
}

/** Says that the text is here, and returns the receipt. */
export async function takeText(accepted: AcceptedText): Promise<Receipt> {
  const { transferId, text, clock, mailbox, say } = accepted;
  const startedAtMs = clock.now();
  await say({ type: "accept", transfer: transferId });
  await hear(mailbox, "done");
  const seconds = (clock.now() - startedAtMs) / 1000;
  await say({ type: "receipt", transfer: transferId, bytes: 0, seconds });
  const none = () => [].values();
  const files = new MadeFiles(0, { all: none, notAsOffered: none });
  const { length: characters } = text;
  const moved = { files, bytes: 0, wireBytes: 0, bounds: [], skipped: [] };
  const receipt = { transferId, ...moved, seconds, characters };
  const silent = () => new TransferError("PEER_UNREACHABLE", "the sender did not take its receipt");
  try {
    await within(clock, settleMs, hear(mailbox, "settled"), silent);
  } catch (error) {
    const isLost = error instanceof TransferError && error.code === "CONNECTION_LOST";
    if (isLost) throw new Unsettled(receipt, { end: nothing, leave: nothing });
    if (!(error instanceof TransferError) || error.code !== "PEER_UNREACHABLE") throw error;
  }
  return receipt;
}

async function hear(mailbox: Mailbox<ControlMessage>, type: ControlMessage["type"]): Promise<void> {
  const message = await mailbox.next();
  if (message.type !== type) throw unexpected(message.type);
}

/** There is nothing to free. */
async function nothing(): Promise<void> {}

/** How long a sender may take for its receipt. */
const settleMs = 5000;
