/** Receives what a ticket points to, and what connected peers offer. */

import type { Endpoint } from "../engine/engine.ts";
import { retryForMs as defaultRetryForMs } from "../options.ts";
import { formatsByPreference } from "../protocol/lane.ts";
import { decodeTicket } from "../protocol/ticket.ts";
import { EntryChooser } from "../transfer/entry-choice.ts";
import type { OfferSummary, Receipt } from "../transfer/events.ts";
import { type OfferMessage, receiveOffer } from "../transfer/incoming.ts";
import type { IncomingOptions } from "../transfer/incoming-options.ts";
import { nameRules } from "../transfer/landing-name.ts";
import { OrderedOutput } from "../transfer/ordered-output.ts";
import { StreamHold } from "../transfer/stream-hold.ts";
import type { TransferRecord } from "../transfer/transfer.ts";
import { unexpected } from "../transfer/unexpected.ts";
import { Unsettled } from "../transfer/unsettled.ts";
import {
  bindEndpoint,
  noteSeen,
  orAborted,
  type PeerContext,
  readCodecs,
  sessionSettings,
  tellConnected,
  unlessEnded,
} from "./context.ts";
import { decideOnce, decision } from "./deciding.ts";
import { EarlierTry } from "./earlier-try.ts";
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
    return await receiveAgain(context, receiving, ({ taking, reached }) =>
      ways.use((way, watch) => {
        const open = openSession(context, way, ticket.secret);
        return receiveOver(context, open, record, taking, (session) => {
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

/** How offers are taken: all but the limits, which depend on the peer. */
export type Taking = Omit<IncomingOptions, "throttles">;

/** Takes offers as a caller wants; `before` comes before each decision. */
export function takingOf(
  context: PeerContext,
  options: ReceiveOptions,
  before: () => Promise<void>,
): Taking {
  const chooser = EntryChooser.of(options);
  const output = options.output && new OrderedOutput(options.output);
  const decideNow = decideOnce(context, chooser, options);
  const decide: IncomingOptions["decide"] = async (summary, fingerprint) => {
    await before();
    return decideNow(summary, fingerprint);
  };
  return { ...incomingOptions(context, chooser, decide), output, hold: new StreamHold() };
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
  /** How the offer is received. */
  taking: Taking;
  /** To be called once the other side has been reached: from then on a lost connection is tried again. */
  reached: () => void;
}

/** Tries to receive until it is done, fails for another reason than the connection, or is late. */
export async function receiveAgain(
  context: PeerContext,
  { record, options, isReached }: Receiving,
  attempt: (attempt: ReceiveAttempt) => Promise<Receipt>,
): Promise<Receipt> {
  const retryForMs = options.retryForMs ?? defaultRetryForMs;
  const earlier = new EarlierTry();
  const taking = takingOf(context, options, () => earlier.leave());
  const retries = { clock: context.clock, record, retryForMs, isReached };
  try {
    return await withRetries(retries, async (reached) => {
      try {
        return await attempt({ taking, reached });
      } catch (error) {
        return earlier.receiptAfter(error);
      }
    });
  } catch (error) {
    throw taking.hold?.explain(error) ?? error;
  } finally {
    await taking.hold?.leave();
    await earlier.leave();
  }
}

/** Makes a session of a connection; its offers go where `onOffer` says. */
type OpenSession = (onOffer: SessionOptions["onOffer"]) => Promise<Session>;

/** A sender that was dialled is shown the ticket's proof; one that has called has proven its key. */
function openSession(context: PeerContext, way: Way, secret: Uint8Array): OpenSession {
  const { receiveWindowBytes, maxStreams } = context.tuning;
  return (onOffer) => {
    if (way.isCall) {
      const options = { ...sessionSettings(context), onOffer };
      return Session.accept(way.connection, options, () => ({ receiveWindowBytes, maxStreams }));
    }
    return Session.dial(way.connection, { ...sessionSettings(context, { secret }), onOffer });
  };
}

/** Takes the one offer of a ticket's sender. */
async function receiveOver(
  context: PeerContext,
  open: OpenSession,
  record: TransferRecord,
  taking: Taking,
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
    received.resolve(receiveWithin(context, from, offer, record, taking));
    offered.resolve();
  });
  try {
    noteSeen(context, session.connection);
    tellConnected(record, session);
    await orAborted(unlessEnded(session, offered.promise), record.signal);
    const receipt = await received.promise;
    session.close();
    return receipt;
  } catch (error) {
    // What was said last may not have left yet: the close carries it, too.
    session.closeFor(error, "the receiver");
    throw error;
  }
}

/** Receives within the limits of this participant and for the peer. */
export async function receiveWithin(
  context: PeerContext,
  session: Session,
  offer: OfferMessage,
  record: TransferRecord,
  taking: Taking,
): Promise<Receipt> {
  const { throttles, free } = context.limits.borrow("receive", session.peerId);
  try {
    return await receiveOffer(session, offer, record, { ...taking, throttles });
  } finally {
    free();
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
    if (!answered) return null;
    const yes = answered === true ? {} : answered;
    return decision(context, summary, { ...yes, chooser: EntryChooser.of(yes) });
  };
  try {
    const taking = incomingOptions(context, EntryChooser.of({}), decide);
    return await receiveWithin(context, session, offer, record, taking);
  } catch (error) {
    if (!(error instanceof Unsettled)) throw error;
    // The sender may come back for its receipt: what has landed must be known then.
    await error.ways.leave();
    return error.receipt;
  }
}

/** A peer cannot dial itself: for a ticket of its own it dials as somebody else. */
export async function endpointFor(context: PeerContext, peerId: string): Promise<Endpoint> {
  const { engine, endpoint, tuning } = context;
  if (peerId !== endpoint.peerId) return endpoint;
  return bindEndpoint(engine, temporaryIdentity(), tuning);
}

function incomingOptions(
  { engine, clock, options, tuning }: PeerContext,
  chooser: EntryChooser,
  decide: IncomingOptions["decide"],
): Taking {
  const formats = options.formats ?? formatsByPreference;
  const { pieceTable } = tuning;
  const codecs = readCodecs(options);
  const rules = nameRules(process.platform);
  return { engine, clock, rules, formats, codecs, pieceTable, chooser, decide };
}
