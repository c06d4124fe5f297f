/** Offers a transfer's source, and takes the receiver's answer. */

import type { ControlMessage } from "../protocol/messages.ts";
import type { Channel } from "./channel.ts";
import type { OfferSummary, ProfileName } from "./events.ts";
import type { Mailbox } from "./mailbox.ts";
import { summaryOf } from "./offer-summary.ts";
import type { OfferedContent } from "./offered-content.ts";
import { sayOffer } from "./offering.ts";
import type { OutgoingPlan } from "./outgoing-plan.ts";
import type { Source } from "./source.ts";
import type { TransferRecord } from "./transfer.ts";

/** What an offer says beside its entries. */
export interface OfferDetails {
  targetDir: string;
  profile: ProfileName;
}

/** Says all of an offer, and tells of it once the peer has said who it is. */
export async function offerSource(
  channel: Channel,
  source: Source,
  record: TransferRecord,
  { targetDir, profile }: OfferDetails,
  content: OfferedContent,
): Promise<void> {
  const { id, signal } = record;
  const { text, excluded } = source;
  const stream = source.stream?.pieceBytes;
  const head = { transfer: id, targetDir, profile, text, stream };
  await sayOffer(channel, source, head, { signal, content });
  await channel.greeted;
  const summary: OfferSummary = summaryOf(source.manifest, channel, head);
  record.emit({ type: "offer", ...(excluded > 0 ? { ...summary, excluded } : summary) });
}

/**
 * Takes what the receiver has, up to its yes; `otherwise` takes all other messages.
 *
 * @returns whether the receiver goes on with what came with the offer.
 */
export async function takeAnswer(
  mailbox: Mailbox<ControlMessage>,
  plan: Pick<OutgoingPlan, "skip" | "haveFiles" | "havePieces" | "compare">,
  otherwise: (message: ControlMessage) => void,
): Promise<boolean> {
  for (;;) {
    const message = await mailbox.next();
    if (message.type === "accept") return message.content ?? false;
    if (message.type === "skip") {
      for (const [first, count] of message.runs) plan.skip(first, count);
    } else if (message.type === "have") {
      for (const [first, count] of message.files) plan.haveFiles(first, count);
      for (const held of message.pieces) plan.havePieces(held);
    } else if (message.type === "compare") {
      for (const file of message.files) plan.compare(file);
    } else otherwise(message);
  }
}
