/** Says an offer: the manifest as it is walked, and then what it adds up to. */

import { type Clock, within } from "../clock.ts";
import { TransferError } from "../errors.ts";
import { streamFeature, textFeature } from "../protocol/features.ts";
import type { ControlMessage } from "../protocol/messages.ts";
import type { Channel } from "./channel.ts";
import type { ProfileName } from "./events.ts";
import { Mailbox } from "./mailbox.ts";
import type { OfferedContent } from "./offered-content.ts";
import type { Source } from "./source.ts";
import { unexpected } from "./unexpected.ts";

/** What is said of an offer beside its manifest. */
export interface OfferHead {
  transfer: string;
  targetDir: string;
  profile: ProfileName;
  /** A text in place of files. */
  text?: string | undefined;
  /** Bytes of a piece of a stream. */
  stream?: number | undefined;
}

/** What else goes into an offer, and what ends it. */
export interface OfferMore {
  /** The bytes of little files. */
  content?: Pick<OfferedContent, "read">;
  signal?: AbortSignal;
}

/**
 * Offers a source; resolves when all of it is said. Rejects with the signal's reason.
 *
 * @throws {TransferError} `UNSUPPORTED_FORMAT` for a text or a stream to a peer that takes none.
 */
export async function sayOffer(
  channel: Pick<Channel, "say" | "greeted">,
  source: Source,
  { transfer, targetDir, profile, text, stream }: OfferHead,
  { signal, content }: OfferMore = {},
): Promise<void> {
  if (text !== undefined && !(await takesTexts(channel))) throw noTexts;
  if (stream !== undefined && !(await takesStreams(channel))) throw noStreams;
  const more = { ...(text === undefined ? {} : { text }), ...(stream && { stream }) };
  await channel.say({ type: "offer", transfer, targetDir, profile, ...more });
  for await (const batch of source.batches()) {
    signal?.throwIfAborted();
    await channel.say({ type: "entries", transfer, batch });
  }
  const { entries, bytes } = source.manifest.totals;
  const { skipped } = source;
  const all = await content?.read();
  await channel.say({
    type: "offered",
    transfer,
    entries,
    bytes,
    skipped,
    ...(all && { content: all }),
  });
}

/**
 * Shows an offer to a peer that only looks, and waits until it goes.
 *
 * Rejects with `INVALID_FRAME` when it says anything: what is only shown cannot be accepted.
 */
export async function showOffer(
  channel: Channel,
  source: Source,
  head: OfferHead,
  clock: Clock,
): Promise<void> {
  const mailbox = new Mailbox<ControlMessage>();
  channel.join(head.transfer, { mailbox });
  try {
    // A text could be read by looking: of it no more than that there is one.
    const stream = source.stream?.pieceBytes;
    const shown = source.text === undefined ? { stream } : { text: "" };
    await sayOffer(channel, source, { ...head, ...shown });
    const late = () => new TransferError("PEER_REJECTED", "the offer was looked at for too long");
    throw unexpected((await within(clock, longestLookMs, mailbox.next(), late)).type);
  } catch (error) {
    const hasGone = error instanceof TransferError && error.code === "CONNECTION_LOST";
    if (!hasGone) throw error;
  } finally {
    channel.leave(head.transfer);
  }
}

async function takesTexts({ greeted }: Pick<Channel, "greeted">): Promise<boolean> {
  return (await greeted).features.includes(textFeature);
}

/** A stream travels in ultra runs: a standard piece cannot say where it ends. */
async function takesStreams({ greeted }: Pick<Channel, "greeted">): Promise<boolean> {
  const { features, profiles } = await greeted;
  return features.includes(streamFeature) && profiles.includes("ultra");
}

const noStreams = new TransferError(
  "UNSUPPORTED_FORMAT",
  "the receiver's version takes no streams; send a file, or update it",
);

const noTexts = new TransferError(
  "UNSUPPORTED_FORMAT",
  "the receiver's version takes no texts; send a file, or update it",
);

/** A program looks for a moment; the report is made on its own side. */
const longestLookMs = 60_000;
