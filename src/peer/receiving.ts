/** Receives what a ticket points to, and what connected peers offer. */

import { join, resolve } from "node:path";
import type { Connection, Endpoint } from "../engine/engine.ts";
import { errorCodes } from "../errors.ts";
import { retryForMs as defaultRetryForMs } from "../options.ts";
import { formatsByPreference } from "../protocol/lane.ts";
import { ticketProof } from "../protocol/proof.ts";
import { decodeTicket } from "../protocol/ticket.ts";
import type { ConflictPolicy } from "../transfer/conflicts.ts";
import type { ConflictChoice, OfferSummary, Receipt } from "../transfer/events.ts";
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
import { Unsettled } from "../transfer/unsettled.ts";
import { bindEndpoint, dialPeer, helloOf, orAborted, type PeerContext } from "./context.ts";
import { temporaryIdentity } from "./identity.ts";
import type { OfferAnswer, ReceiveOptions } from "./peer-options.ts";
import { withRetries } from "./retry.ts";
import { Session } from "./session.ts";

/**
 * Dials the sender of a ticket, takes its offer and returns the receipt.
 *
 * A connection that is lost on the way is dialled again, and the transfer goes on where it was.
 */
export async function receiveTicket(
  context: PeerContext,
  text: string,
  record: TransferRecord,
  options: ReceiveOptions,
): Promise<Receipt> {
  const ticket = decodeTicket(text);
  const endpoint = await endpointFor(context, ticket.peerId);
  const sender = { ...ticket, dial: { ...context, endpoint } };
  const decide = decideOnce(context, options);
  const retryForMs = options.retryForMs ?? defaultRetryForMs;
  let unsettled: Unsettled | null = null;
  try {
    return await withRetries({ clock: context.clock, record, retryForMs }, async (reached) => {
      const connection = await dialAgain(sender, record, unsettled);
      if (!connection) return unsettled?.receipt ?? Promise.reject(unexpected("no receipt"));
      unsettled = null;
      try {
        return await receiveOver(context, connection, ticket.secret, record, decide, reached);
      } catch (error) {
        if (error instanceof Unsettled) unsettled = error;
        throw error;
      }
    });
  } finally {
    if (endpoint !== context.endpoint) await endpoint.close();
  }
}

/**
 * Dials a ticket's sender. Null if it cannot be reached and everything has landed in an earlier try:
 * the sender has its receipt, or will never have it.
 */
async function dialAgain(
  { peerId, addresses, dial }: { peerId: string; addresses: readonly string[]; dial: PeerContext },
  record: TransferRecord,
  unsettled: Unsettled | null,
): Promise<Connection | null> {
  try {
    const connection = await dialPeer(dial, peerId, addresses, record.signal);
    await unsettled?.ways.leave();
    return connection;
  } catch (error) {
    if (!unsettled) throw error;
    await unsettled.ways.end();
    return null;
  }
}

/** Takes the one offer of a ticket's sender. */
async function receiveOver(
  context: PeerContext,
  connection: Connection,
  secret: Uint8Array,
  record: TransferRecord,
  decide: IncomingOptions["decide"],
  reached: () => void,
): Promise<Receipt> {
  const { clock, tuning } = context;
  try {
    const offered = Promise.withResolvers<void>();
    const received = Promise.withResolvers<Receipt>();
    let offers = 0;
    const session = await Session.dial(connection, {
      clock,
      helloTimeoutMs: tuning.handshakeTimeoutMs,
      hello: (material) => helloOf(context, ticketProof(secret, material)),
      onOffer: (from, offer) => {
        offers += 1;
        if (offers > 1) return from.closeFor(unexpected("a second offer"));
        reached();
        record.id = offer.transfer;
        received.resolve(receiveOffer(from, offer, record, incomingOptions(context, decide)));
        offered.resolve();
      },
    });
    received.promise.catch(() => {});
    const { hello, peerId } = session;
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
    connection.close(errorCodes[code].wire, reason);
    throw error;
  }
}

/** Asks once about each content: what was accepted is accepted again after a lost connection. */
function decideOnce(context: PeerContext, options: ReceiveOptions): IncomingOptions["decide"] {
  const { accept, into } = options;
  const onConflict = rememberChoices(options.onConflict ?? "rename");
  let accepted: string | null = null;
  return async (summary, fingerprint) => {
    const offered = JSON.stringify([fingerprint, summary.targetDir]);
    if (accept && accepted !== offered && !(await accept(summary))) return null;
    accepted = offered;
    return decision(context, summary, { into, onConflict, executable: true });
  };
}

/** A policy that is asked once about each path. */
function rememberChoices(policy: ConflictPolicy): ConflictPolicy {
  if (typeof policy !== "function") return policy;
  const choices = new Map<string, ConflictChoice>();
  return async (conflict) => {
    const choice = choices.get(conflict.path) ?? (await policy(conflict));
    choices.set(conflict.path, choice);
    return choice;
  };
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
  try {
    return await receiveOffer(session, offer, record, incomingOptions(context, decide));
  } catch (error) {
    if (!(error instanceof Unsettled)) throw error;
    await error.ways.end();
    return error.receipt;
  }
}

/** A peer cannot dial itself: for a ticket of its own it dials as somebody else. */
async function endpointFor(context: PeerContext, peerId: string): Promise<Endpoint> {
  const { engine, endpoint, tuning } = context;
  if (peerId !== endpoint.peerId) return endpoint;
  return bindEndpoint(engine, temporaryIdentity(), tuning);
}

function incomingOptions(
  { engine, clock, options, tuning }: PeerContext,
  decide: IncomingOptions["decide"],
): IncomingOptions {
  const formats = options.formats ?? formatsByPreference;
  const { pieceTable } = tuning;
  return { engine, clock, rules: nameRules(process.platform), formats, pieceTable, decide };
}

async function decision(
  { engine, options }: PeerContext,
  { targetDir }: OfferSummary,
  { into, onConflict, executable }: Exclude<OfferAnswer, boolean>,
): Promise<IncomingDecision> {
  const path = into ?? options.inbox ?? ".";
  const inbox = await openInbox(engine, path);
  try {
    const target = await openBelow(inbox, targetDir, nameRules(process.platform));
    return {
      target,
      into: join(resolve(path), targetDir),
      onConflict: onConflict ?? "rename",
      executable: executable ?? false,
    };
  } finally {
    await inbox.close();
  }
}
