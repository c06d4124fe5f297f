/** The receiver's side of a text, which has come whole with its offer: nothing is written, no lane comes. */

import type { Clock } from "../clock.ts";
import type { ControlMessage } from "../protocol/messages.ts";
import type { Channel } from "./channel.ts";
import type { Receipt } from "./events.ts";
import type { Mailbox } from "./mailbox.ts";
import { MadeFiles } from "./receipt-files.ts";
import { hearSettled, settle } from "./settling.ts";
import { ownsNothing, Unsettled } from "./unsettled.ts";

/** A text that was accepted. */
export interface AcceptedText {
  transferId: string;
  text: string;
  channel: Channel;
  clock: Clock;
  mailbox: Mailbox<ControlMessage>;
}

/** Says that the text is here, and returns the receipt. */
export async function takeText(accepted: AcceptedText): Promise<Receipt> {
  const { transferId, text, channel, clock, mailbox } = accepted;
  const startedAtMs = clock.now();
  await channel.say({ type: "accept", transfer: transferId });
  const seconds = (clock.now() - startedAtMs) / 1000;
  await channel.say({ type: "receipt", transfer: transferId, bytes: 0, seconds });
  const none = () => [].values();
  const files = new MadeFiles(0, { all: none, notAsOffered: none });
  const { length: characters } = text;
  const moved = { files, bytes: 0, wireBytes: 0, bounds: [], skipped: [] };
  const receipt = { transferId, ...moved, seconds, characters };
  const settling = await settle(channel, clock, hearSettled(mailbox));
  if (settling === "lost") throw new Unsettled(receipt, ownsNothing);
  return receipt;
}
