/** Looks at offers and at sources without moving anything. */

import type { Engine } from "../engine/engine.ts";
import { openNativeEngine } from "../engine/native.ts";
import { absolutePath } from "../named-path.ts";
import { defaultTuning } from "../options.ts";
import { lookFeature } from "../protocol/features.ts";
import { Manifest } from "../protocol/manifest.ts";
import type { ControlMessage } from "../protocol/messages.ts";
import { decodeTicket } from "../protocol/ticket.ts";
import { type EntryChoice, EntryChooser } from "../transfer/entry-choice.ts";
import type { ConflictChoice, OfferContents, SkippedThing } from "../transfer/events.ts";
import { gatherOffer } from "../transfer/gathering.ts";
import type { OfferMessage } from "../transfer/incoming.ts";
import { nameRules } from "../transfer/landing-name.ts";
import { LandingNames } from "../transfer/landing-names.ts";
import { Mailbox } from "../transfer/mailbox.ts";
import { contentsOf, summaryOf } from "../transfer/offer-summary.ts";
import { mostListed, type Preflight, preflightOf } from "../transfer/preflight.ts";
import { Source, type SourceOptions } from "../transfer/source.ts";
import { unexpected } from "../transfer/unexpected.ts";
import { dialPeer, orAborted, type PeerContext, sessionSettings, unlessEnded } from "./context.ts";
import { endpointFor } from "./receiving.ts";
import { Session } from "./session.ts";

/** What a report is to be about. */
export interface PreflightOptions extends EntryChoice {
  /** The folder where the files would land. @default the peer's inbox */
  into?: string;
  /** What would be done where names are taken. @default "rename" */
  onConflict?: ConflictChoice | "ask";
  signal?: AbortSignal;
}

/** Dials the sender of a ticket, reads its offer, and goes. The ticket stays good. */
export async function lookAtTicket(
  context: PeerContext,
  text: string,
  options: PreflightOptions,
): Promise<Preflight> {
  const { peerId, addresses, secret } = decodeTicket(text);
  const chooser = EntryChooser.of(options);
  const endpoint = await endpointFor(context, peerId);
  const { signal = new AbortController().signal } = options;
  try {
    const connection = await dialPeer({ ...context, endpoint }, peerId, addresses, { signal });
    try {
      const offered = Promise.withResolvers<Preflight>();
      offered.promise.catch(() => {});
      const session = await Session.dial(connection, {
        ...sessionSettings(context, { secret, features: [lookFeature] }),
        onOffer: (from, offer) =>
          offered.resolve(lookAt(context, from, offer, { ...options, chooser })),
      });
      return await orAborted(unlessEnded(session, offered.promise), signal);
    } finally {
      connection.close(0, "");
    }
  } finally {
    if (endpoint !== context.endpoint) await endpoint.close();
  }
}

async function lookAt(
  { engine, clock, options: peerOptions }: PeerContext,
  session: Session,
  offer: OfferMessage,
  options: PreflightOptions & { chooser: EntryChooser },
): Promise<Preflight> {
  const rules = nameRules(process.platform);
  const mailbox = new Mailbox<ControlMessage>();
  const manifest = new Manifest();
  const names = new LandingNames(manifest, rules);
  // Before the first await: the entries follow the offer at once.
  session.join(offer.transfer, {
    mailbox,
    async takeLane() {
      throw unexpected("a lane for who only looks");
    },
  });
  const { skipped } = await gatherOffer({ mailbox, clock, manifest, names });
  const into = absolutePath(options.into ?? peerOptions.inbox ?? ".");
  const { onConflict = "rename", chooser } = options;
  const leftOut = chooser.leftOut(manifest);
  const source = { engine, rules, manifest, names, skipped, into, onConflict, leftOut };
  return preflightOf(summaryOf(manifest, session, offer), source);
}

/** A report on what a sending of the same paths would offer. Lists hold 1,000 items at most. */
export interface SourcePreflight extends OfferContents {
  /** Things that the choice leaves out, a folder as one. */
  excluded: number;
  /** What cannot travel. */
  skipped: SkippedThing[];
  /** Characters (UTF-16) of a text in place of files. */
  characters?: number;
}

/**
 * Walks what would be sent, and reports; opens no socket.
 *
 * @throws {TransferError} as the sending would: `DISK_*` or `INVALID_ARGUMENT`.
 */
export async function sourcePreflight(
  paths: readonly string[],
  options: SourceOptions & { engine?: Engine } = {},
): Promise<SourcePreflight> {
  const { engine = openNativeEngine(defaultTuning) } = options;
  const source = await Source.open(engine, paths, options);
  try {
    await source.walked;
    const { manifest, excluded, skipped, text } = source;
    const report = { ...contentsOf(manifest), excluded, skipped: skipped.slice(0, mostListed) };
    return text === undefined ? report : { ...report, characters: text.length };
  } finally {
    await source.close();
  }
}
