/** Reads an offer to its end. */

import { type Clock, within } from "../clock.ts";
import { TransferError } from "../errors.ts";
import type { Manifest } from "../protocol/manifest.ts";
import type { ControlMessage } from "../protocol/messages.ts";
import type { LandingNames } from "./landing-names.ts";
import type { Mailbox } from "./mailbox.ts";
import { unexpected } from "./unexpected.ts";

/** The message that ends an offer. */
type OfferedMessage = Extract<ControlMessage, { type: "offered" }>;

/** Where an offer comes from, and what takes it. */
export interface Gathering {
  mailbox: Mailbox<ControlMessage>;
  clock: Clock;
  manifest: Manifest;
  names: LandingNames;
}

/**
 * Fills a manifest, and chooses the names to land under. Returns what the sender has left out, and the bytes of the
 * files, where those have come, too.
 *
 * @throws {TransferError} `NAME_REFUSED`, `INVALID_FRAME`, `LIMIT_EXCEEDED`, or `PEER_UNREACHABLE` when
 * the sender falls silent.
 */
export async function gatherOffer(
  gathering: Gathering,
): Promise<Pick<OfferedMessage, "skipped" | "content">> {
  const { mailbox, clock, manifest, names } = gathering;
  for (;;) {
    const silent = () => new TransferError("PEER_UNREACHABLE", "the sender's offer does not end");
    const message = await within(clock, offerTimeoutMs, mailbox.next(), silent);
    if (message.type === "entries") {
      const first = manifest.totals.entries;
      for (const [at, entry] of manifest.addBatch(message.batch).entries()) {
        names.add(first + at, entry);
      }
    } else if (message.type === "offered") {
      const { entries, bytes } = manifest.totals;
      if (message.entries !== entries || message.bytes !== bytes) throw unexpected("offered");
      if (message.content && message.content.bytes.length !== bytes) throw unexpected("content");
      return message;
    } else throw unexpected(message.type);
  }
}

/** How long a sender may be silent within its offer: a walk of a slow disk takes its time. */
const offerTimeoutMs = 5 * 60_000;
