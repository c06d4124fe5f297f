/** Receives what a ticket points to, and what connected peers offer. */

import { join, resolve } from "node:path";
import type { Connection, Endpoint } from "../engine/engine.ts";
import { errorCodes } from "../errors.ts";
import { formatsByPreference } from "../protocol/lane.ts";
import { ticketProof } from "../protocol/proof.ts";
import { decodeTicket } from "../protocol/ticket.ts";
import type { OfferSummary, Receipt } from "../transfer/events.ts";
import { failureFor } from "../transfer/failure.ts";
import { openBelow, openInbox } from "../transfer/inbox.ts";
import {
  type IncomingDecision,
  type IncomingOptions,
  type OfferMessage,
  receiveOffer,
} from "../transfer/incoming.ts";
import { nameRules } from "../transfer/landing-name.ts";
import type { TransferRecord } from "../transfer/transfer.ts";
import { unexpected } from "../transfer/unexpected.ts";
import { bindEndpoint, dialPeer, helloOf, orAborted, type PeerContext } from "./context.ts";
import { temporaryIdentity } from "./identity.ts";
import type { OfferAnswer, ReceiveOptions } from "./peer-options.ts";
import { Session } from "./session.ts";

/** Dials the sender of a ticket, takes its offer and returns the receipt. */
export async function receiveTicket(
  context: PeerContext,
  text: string,
  record: TransferRecord,
  options: ReceiveOptions,
): Promise<Receipt> {
  const { clock, tuning } = context;
  const { peerId, secret, addresses } = decodeTicket(text);
  const endpoint = await endpointFor(context, peerId);
  let connection: Connection | null = null;
  try {
    connection = await dialPeer({ ...context, endpoint }, peerId, addresses, record.signal);
    const offered = Promise.withResolvers<void>();
    const received = Promise.withResolvers<Receipt>();
    const decide = async (summary: OfferSummary) => {
      if (options.accept && !(await options.accept(summary))) return null;
      return decision(context, summary, options);
    };
    let offers = 0;
    const session = await Session.dial(connection, {
      clock,
      helloTimeoutMs: tuning.handshakeTimeoutMs,
      hello: (material) => helloOf(context, ticketProof(secret, material)),
      onOffer: (from, offer) => {
        offers += 1;
        if (offers > 1) return from.closeFor(unexpected("a second offer"));
        record.id = offer.transfer;
        received.resolve(receiveOffer(from, offer, record, incomingOptions(context, decide)));
        offered.resolve();
      },
    });
    received.promise.catch(() => {});
    const { hello } = session;
    const address = connection.stats().remoteAddress;
    record.emit({ type: "connected", transferId: "", peerId, peerName: hello.name, address });
    const ended = session.ended.then((error) => Promise.reject(error));
    await orAborted(Promise.race([offered.promise, ended]), record.signal);
    const receipt = await received.promise;
    connection.close(0, "");
    return receipt;
  } catch (error) {
    // What was said last may not have left yet: the close carries it, too.
    const { code, reason } = failureFor(error, "the receiver");
    connection?.close(errorCodes[code].wire, reason);
    throw error;
  } finally {
    if (endpoint !== context.endpoint) await endpoint.close();
  }
}

/** Takes an offer of a connected peer, as `answer` decides. */
export async function takeOffer(
  context: PeerContext,
  session: Session,
  offer: OfferMessage,
  record: TransferRecord,
  answer: (offer: OfferSummary) => OfferAnswer | Promise<OfferAnswer>,
): Promise<Receipt> {
  const decide = async (summary: OfferSummary) => {
    const answered = await answer(summary);
    return answered ? decision(context, summary, answered === true ? {} : answered) : null;
  };
  return receiveOffer(session, offer, record, incomingOptions(context, decide));
}

/** A peer cannot dial itself: for a ticket of its own it dials as somebody else. */
async function endpointFor(context: PeerContext, peerId: string): Promise<Endpoint> {
  const { engine, endpoint, tuning } = context;
  if (peerId !== endpoint.peerId) return endpoint;
  return bindEndpoint(engine, temporaryIdentity(), tuning);
}

function incomingOptions(
  { engine, clock, options }: PeerContext,
  decide: IncomingOptions["decide"],
): IncomingOptions {
  const formats = options.formats ?? formatsByPreference;
  return { engine, clock, rules: nameRules(process.platform), formats, decide };
}

async function decision(
  { engine, options }: PeerContext,
  { targetDir }: OfferSummary,
  { into, onConflict }: Pick<ReceiveOptions, "into" | "onConflict">,
): Promise<IncomingDecision> {
  const path = into ?? options.inbox ?? ".";
  const inbox = await openInbox(engine, path);
  try {
    const target = await openBelow(inbox, targetDir, nameRules(process.platform));
    return { target, into: join(resolve(path), targetDir), onConflict: onConflict ?? "rename" };
  } finally {
    await inbox.close();
  }
}
