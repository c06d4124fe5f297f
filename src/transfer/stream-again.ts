/** Says once more what a stream came to, to a sender whose connection was lost before it knew. */

import type { Clock } from "../clock.ts";
import type { ControlMessage } from "../protocol/messages.ts";
import type { Channel } from "./channel.ts";
import type { Receipt } from "./events.ts";
import type { Mailbox } from "./mailbox.ts";
import { sayReceipt } from "./receipt-writer.ts";
import { hearSettled, settle } from "./settling.ts";
import type { LandedStream } from "./stream-hold.ts";
import { ownsNothing, Unsettled } from "./unsettled.ts";

/** What has landed, and who is told. */
export interface Again {
  landed: LandedStream;
  channel: Channel;
  clock: Clock;
  mailbox: Mailbox<ControlMessage>;
}

/** Accepts the offer as one whose file is there; returns the receipt. */
export async function sayLandedAgain(again: Again): Promise<Receipt> {
  const { landed, channel, clock, mailbox } = again;
  const { seconds, into, wireBytes, bounds } = landed;
  const { transferId } = landed.landed;
  const say = (message: ControlMessage) => channel.say(message);
  await say({ type: "have", transfer: transferId, files: [[0, 1]], pieces: [] });
  await say({ type: "accept", transfer: transferId });
  const { files, bytes } = await sayReceipt(landed.landed, seconds, { say, features: [] });
  const settling = await settle(channel, clock, hearSettled(mailbox));
  const receipt = { transferId, files, bytes, wireBytes, seconds, skipped: [], bounds, into };
  if (settling === "lost") throw new Unsettled(receipt, ownsNothing);
  return receipt;
}
