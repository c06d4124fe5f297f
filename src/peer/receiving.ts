/** Receives what a ticket points to, and what connected peers offer. */

import { join, resolve } from "node:path";
import type { Endpoint } from "../engine/engine.ts";
import { errorCodes, TransferError } from "../errors.ts";
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
import { bindEndpoint, helloOf, noteSeen, orAborted, type PeerContext } from "./context.ts";
import { temporaryIdentity } from "./identity.ts";
import type { Way } from "./other-way.ts";
import type { OfferAnswer, ReceiveOptions } from "./peer-options.ts";
import { withRetries } from "./retry.ts";
import { Session, type SessionOptions } from "./session.ts";
import { WaysToSender } from "./ways-to-sender.ts";

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
  const ways = new WaysToSender({ ...context, endpoint }, ticket, record.signal);
  try {
    const receiving = { record, options, isReached: () => ways.isFound };
    return await receiveAgain(context, receiving, ({ decide, reached }) =>
      ways.use((way, watch) => {
        const open = openSession(context, way, ticket.secret);
        return receiveOver(context, open, record, decide, (session) => {
          reached();
          watch(session);
        });
      }),
    );
  } finally {
    await ways.close();
    if (endpoint !== context.endpoint) await endpoint.close();
  }
}

/** A transfer that is received, and how. */
export interface Receiving {
  record: TransferRecord;
  options: ReceiveOptions;
  /** Whether the other side is reached already, so that the next try need not wait. */
  isReached?: () => boolean;
}

/** What a try to receive is made with. */
export interface ReceiveAttempt {
  decide: IncomingOptions["decide"];
  /** To be called once the other side has been reached: from then on a lost connection is tried again. */
  reached: () => void;
}

/** Tries to receive until it is done, fails for another reason than the connection, or is late. */
export async function receiveAgain(
  context: PeerContext,
  { record, options, isReached }: Receiving,
  attempt: (attempt: ReceiveAttempt) => Promise<Receipt>,
): Promise<Receipt> {
  const decideNow = decideOnce(context, options);
  const retryForMs = options.retryForMs ?? defaultRetryForMs;
  const earlier = new EarlierTry();
  const decide: IncomingOptions["decide"] = async (summary, fingerprint) => {
    await earlier.leave();
    return decideNow(summary, fingerprint);
  };
  const retries = { clock: context.clock, record, retryForMs, isReached };
  try {
    return await withRetries(retries, async (reached) => {
      try {
        return await attempt({ decide, reached });
      } catch (error) {
        return earlier.receiptAfter(error);
      }
    });
  } finally {
    await earlier.leave();
  }
}

/** A try in which everything has landed, as long as the sender may not know it. */
export class EarlierTry {
  #unsettled: Unsettled | null = null;

  /** Keeps what a failure says of it. */
  keep(error: unknown): void {
    if (error instanceof Unsettled) this.#unsettled = error;
  }

  /** Frees it for the next try, or another command. */
  async leave(): Promise<void> {
    const unsettled = this.#unsettled;
    this.#unsettled = null;
    await unsettled?.ways.leave();
  }

  /**
   * Its receipt, when the next try finds that the sender serves the ticket no more, because it has its
   * own, or is gone; should that one come back, what has landed is known. Rejects with all else.
   */
  async receiptAfter(error: unknown): Promise<Receipt> {
    this.keep(error);
    const code = error instanceof TransferError ? error.code : null;
    const isOver = code === "PEER_UNREACHABLE" || code === "PEER_REJECTED";
    if (!this.#unsettled || !isOver) throw error;
    const { receipt, ways } = this.#unsettled;
    this.#unsettled = null;
    await (code === "PEER_REJECTED" ? ways.end() : ways.leave());
    return receipt;
  }
}

/** Makes a session of a connection; its offers go where `onOffer` says. */
type OpenSession = (onOffer: SessionOptions["onOffer"]) => Promise<Session>;

/** A sender that was dialled is shown the ticket's proof; one that has called has proven its key. */
function openSession(context: PeerContext, way: Way, secret: Uint8Array): OpenSession {
  const { clock, tuning } = context;
  const { handshakeTimeoutMs: helloTimeoutMs, receiveWindowBytes, maxStreams } = tuning;
  return (onOffer) => {
    if (way.isCall) {
      const hello = () => helloOf(context, new Uint8Array());
      const options = { clock, helloTimeoutMs, hello, onOffer };
      return Session.accept(way.connection, options, () => ({ receiveWindowBytes, maxStreams }));
    }
    const hello = (material: Uint8Array) => helloOf(context, ticketProof(secret, material));
    return Session.dial(way.connection, { clock, helloTimeoutMs, hello, onOffer });
  };
}

/** Takes the one offer of a ticket's sender. */
async function receiveOver(
  context: PeerContext,
  open: OpenSession,
  record: TransferRecord,
  decide: IncomingOptions["decide"],
  reached: (session: Session) => void,
): Promise<Receipt> {
  const offered = Promise.withResolvers<void>();
  const received = Promise.withResolvers<Receipt>();
  received.promise.catch(() => {});
  let offers = 0;
  const session = await open((from, offer) => {
    offers += 1;
    if (offers > 1) return from.closeFor(unexpected("a second offer"));
    reached(from);
    record.id = offer.transfer;
    received.resolve(receiveOffer(from, offer, record, incomingOptions(context, decide)));
    offered.resolve();
  });
  try {
    const { hello, peerId, connection } = session;
    noteSeen(context, connection);
    const address = connection.stats().remoteAddress;
    record.emit({ type: "connected", transferId: "", peerId, peerName: hello.name, address });
    const ended = session.ended.then((error) => Promise.reject(error));
    await orAborted(Promise.race([offered.promise, ended]), record.signal);
    const receipt = await received.promise;
    session.close();
    return receipt;
  } catch (error) {
    // What was said last may not have left yet: the close carries it, too.
    const { code, reason } = failureFor(error, "the receiver");
    session.connection.close(errorCodes[code].wire, reason);
    throw error;
  }
}

/** Asks once about each content: what was accepted is accepted again after a lost connection. */
export function decideOnce(
  context: PeerContext,
  options: ReceiveOptions,
): IncomingOptions["decide"] {
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
    // The sender may come back for its receipt: what has landed must be known then.
    await error.ways.leave();
    return error.receipt;
  }
}

/** A peer cannot dial itself: for a ticket of its own it dials as somebody else. */
async function endpointFor(context: PeerContext, peerId: string): Promise<Endpoint> {
  const { engine, endpoint, tuning } = context;
  if (peerId !== endpoint.peerId) return endpoint;
  return bindEndpoint(engine, temporaryIdentity(), tuning);
}

/** How a peer receives, with `decide` for what is its own. */
export function incomingOptions(
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
