/** Reads an offer from its first entries to its end. */

import { type Clock, within } from "../clock.ts";
import { TransferError } from "../errors.ts";
import type { Manifest } from "../protocol/manifest.ts";
import type { ControlMessage } from "../protocol/messages.ts";
import type { SkippedThing } from "./events.ts";
import type { LandingNames } from "./landing-names.ts";
import type { Mailbox } from "./mailbox.ts";
import { unexpected } from "./unexpected.ts";

/** What an offer is read into. */
export interface Gathered {
  manifest: Manifest;
  names: LandingNames;
  clock: Clock;
}

/** Fills the manifest and the names; returns what the sender has left out. `INVALID_FRAME` for what is no offer. */
export async function readOffer(
  mailbox: Mailbox<ControlMessage>,
  { manifest, names, clock }: Gathered,
): Promise<SkippedThing[]> {
  const silent = () => new TransferError("PEER_UNREACHABLE", "the sender's offer does not end");
  for (;;) {
    const message = await within(clock, offerTimeoutMs, mailbox.next(), silent);
    if (message.type === "entries") {
      const first = manifest.totals.entries;
      for (const [at, entry] of manifest.addBatch(message.batch).entries()) {
        names.add(first + at, entry);
      }
    } else if (message.type === "offered") {
      const { entries, bytes } = manifest.totals;
      if (message.entries !== entries || message.bytes !== bytes) throw unexpected("offered");
      return message.skipped;
    } else throw unexpected(message.type);
  }
}

/** How long a sender may be silent within its offer: a walk of a slow disk takes its time. */
const offerTimeoutMs = 5 * 60_000;
