/** Sends a source to one session, or to whoever brings its ticket. */

import { within } from "../clock.ts";
import { TransferError } from "../errors.ts";
import { retryForMs as defaultRetryForMs, ticketLifeMs } from "../options.ts";
import { lookFeature } from "../protocol/features.ts";
import { decodeTicket, encodeTicket } from "../protocol/ticket.ts";
import type { Receipt } from "../transfer/events.ts";
import type { OfferHead } from "../transfer/offering.ts";
import { sendSource } from "../transfer/outgoing.ts";
import type { Source } from "../transfer/source.ts";
import { SourceFiles } from "../transfer/source-files.ts";
import type { TransferRecord } from "../transfer/transfer.ts";
import { unexpected } from "../transfer/unexpected.ts";
import { reachableAddresses } from "./addresses.ts";
import { background, type PeerContext, sessionSettings, tellOnceGreeted } from "./context.ts";
import { findOtherWay } from "./other-way.ts";
import type { SendOptions } from "./peer-options.ts";
import { isConnectionFailure } from "./retry.ts";
import type { SentSources } from "./sent-sources.ts";
import { Session, type SessionOptions } from "./session.ts";
import { ShownOffer } from "./showing.ts";
import type { Tickets } from "./tickets.ts";

/** Sends a source over a session and returns the receipt. */
export async function sendOver(
  { engine, clock, tuning, knownPaths, limits }: PeerContext,
  session: Session,
  source: Source,
  record: TransferRecord,
  options: SendOptions,
): Promise<Receipt> {
  const files = new SourceFiles(engine, source, tuning);
  const { peerId, connection } = session;
  if (source.stream) source.stream.receiver ??= peerId;
  // Before the first data: later it is of no use.
  await knownPaths?.recall(connection);
  const [before, startedAtMs] = [connection.stats(), clock.now()];
  background(tellOnceGreeted(record, session, record.id));
  const { throttles, free } = limits.borrow("send", peerId);
  try {
    const receipt = await sendSource(session, source, files, record, {
      engine,
      clock,
      tuning,
      profile: options.profile ?? "ultra",
      lanes: Math.min(options.lanes ?? tuning.maxLanes, tuning.maxLanes),
      compress: options.compress ?? "auto",
      targetDir: options.targetDir ?? "",
      priority: options.priority ?? "normal",
      throttles,
      formats: options.formats,
    });
    const bytes = connection.stats().deliveredBytes - before.deliveredBytes;
    const seconds = Math.max(1, clock.now() - startedAtMs) / 1000;
    await knownPaths?.keep(connection, bytes / seconds);
    return receipt;
  } finally {
    free();
    await files.close();
  }
}

/**
 * Makes a ticket and serves it: once, or with `keep` until cancelled.
 *
 * A receiver whose connection is lost may come back. With `keep` each receiver's receipt and failure
 * is an event, and the promise only ever rejects.
 */
export async function serveTicket(
  context: PeerContext,
  tickets: Tickets,
  sources: SentSources,
  record: TransferRecord,
  options: SendOptions,
): Promise<Receipt> {
  return new TicketServer(context, sources, record, options).run(tickets);
}

/** Serves one ticket. */
class TicketServer {
  readonly #context: PeerContext;
  readonly #sources: SentSources;
  readonly #record: TransferRecord;
  readonly #options: SendOptions;
  readonly #result = Promise.withResolvers<Receipt>();
  readonly #shown: ShownOffer;
  /** The sessions that are served, by the receiver's peer id. */
  readonly #serving = new Map<string, Serving>();
  /** Ends the wait for a receiver whose connection was lost. */
  #stopWaiting = () => {};

  constructor(
    context: PeerContext,
    sources: SentSources,
    record: TransferRecord,
    options: SendOptions,
  ) {
    this.#context = context;
    this.#sources = sources;
    this.#record = record;
    this.#options = options;
    this.#shown = new ShownOffer(context, sources);
  }

  async run(tickets: Tickets): Promise<Receipt> {
    const record = this.#record;
    const known = this.#options.ticket === undefined ? null : decodeTicket(this.#options.ticket);
    const serve = (session: Session) => background(this.#serve(session));
    const lifeMs = this.#options.ticketLifeMs ?? ticketLifeMs;
    const { secret, revoke } = tickets.issue(lifeMs, serve, known?.secret);
    const { peerId, addresses: bound } = this.#context.endpoint;
    const ticket = { peerId, secret, addresses: reachableAddresses(bound) };
    record.ticket = this.#options.ticket ?? encodeTicket(ticket);
    record.emit({ type: "ready", transferId: record.id, ticket: record.ticket });
    // A transfer that runs learns of the signal itself, and tells its receiver.
    const cancel = () => {
      if (this.#options.keep || this.#serving.size === 0) this.#result.reject(record.signal.reason);
    };
    record.signal.addEventListener("abort", cancel, { once: true });
    if (record.signal.aborted) cancel();
    try {
      return await this.#result.promise;
    } finally {
      revoke();
      this.#stopWaiting();
      record.signal.removeEventListener("abort", cancel);
    }
  }

  async #serve(session: Session): Promise<void> {
    const { peerId, hello } = session;
    if (hello.features.includes(lookFeature)) return this.#shown.show(session, this.#head);
    const { stream } = this.#sources;
    if (stream && (stream.receiver ?? peerId) !== peerId) return session.closeFor(isAnothers);
    if (!this.#serving.has(peerId) && this.#serving.size > 0 && !this.#options.keep) {
      const reason = "the ticket is in use by another receiver";
      return session.closeFor(new TransferError("PEER_REJECTED", reason));
    }
    const serving: Serving = { session, done: Promise.resolve() };
    await this.#replaceBy(serving);
    serving.done = this.#serveOne(serving);
    const over = new AbortController();
    background(this.#callBack(serving, over.signal));
    await serving.done;
    over.abort();
  }

  /** Ends what the same receiver was served before. Whoever waits holds none of that: it may be large. */
  #replaceBy(serving: Serving): Promise<void> | undefined {
    const { peerId } = serving.session;
    const earlier = this.#serving.get(peerId);
    this.#serving.set(peerId, serving);
    // A receiver that comes back has lost a connection that this side may still believe in. One that
    // hears of it is a second command of the same person: would it dial again, both would for ever.
    const reason = "another command of the same receiver has dialled since";
    earlier?.session.closeFor(new TransferError("PEER_REJECTED", reason));
    return earlier?.done;
  }

  /** Calls a receiver of whom nothing is heard: it may not know where this side has moved to. */
  async #callBack(serving: Serving, signal: AbortSignal): Promise<void> {
    const { session } = serving;
    for (;;) {
      const watched = { connection: session.connection, addresses: [] };
      const way = await findOtherWay(this.#context, watched, signal);
      if (!way) return session.fail(silent);
      try {
        const again = await Session.dial(way.connection, callOptions(this.#context));
        void again.ended.then(() => way.free());
        session.fail(reachedAgain);
        return await this.#serve(again);
      } catch {
        // A receiver that still hears this side expects no call.
        await way.free();
      }
    }
  }

  async #serveOne(serving: Serving): Promise<void> {
    const { session } = serving;
    const { keep } = this.#options;
    const record = this.#record;
    this.#stopWaiting();
    try {
      const receipt = await this.#sources.use((source) =>
        sendOver(this.#context, session, source, record, this.#options),
      );
      // What was said last must arrive, again if it is lost: the receiver's end of the connection shows that it has.
      const { clock } = this.#context;
      const mostMs = farewellMs + farewellRoundTrips * session.looks.stats.rttMs;
      await within(clock, mostMs, session.ended, () => new Error("late")).catch(() => {});
      session.close();
      if (keep) record.emit({ type: "receipt", ...receipt });
      else this.#result.resolve(receipt);
    } catch (error) {
      // What was said last may not have left yet: the close carries it, too.
      session.closeFor(error);
      if (this.#serving.get(session.peerId) !== serving) return;
      if (keep && error instanceof TransferError) record.warn(error);
      else if (isConnectionFailure(error) && !record.signal.aborted) this.#waitFor(error);
      else this.#result.reject(error);
    } finally {
      if (this.#serving.get(session.peerId) === serving) this.#serving.delete(session.peerId);
    }
  }

  get #head(): OfferHead {
    const { targetDir = "", profile = "ultra" } = this.#options;
    return { transfer: this.#record.id, targetDir, profile };
  }

  /** Stays for a receiver that may come back. */
  #waitFor(error: TransferError): void {
    const leftMs = this.#options.retryForMs ?? defaultRetryForMs;
    const { id: transferId } = this.#record;
    if (leftMs <= 0) {
      this.#result.reject(error);
      return;
    }
    const reason = error.message;
    this.#record.emit({ type: "waiting", transferId, reason, retryMs: null, leftMs });
    this.#stopWaiting = this.#context.clock.after(leftMs, () => this.#result.reject(error));
  }
}

const isAnothers = new TransferError(
  "PEER_REJECTED",
  "another receiver has the beginning of the stream, and it is read only once",
);
const reachedAgain = new TransferError("CONNECTION_LOST", "the receiver is reached by another way");
const silent = new TransferError("CONNECTION_LOST", "nothing was heard of the receiver any more");

/** A receiver that is called takes offers, and makes none. */
function callOptions(context: PeerContext): SessionOptions {
  const onOffer = (session: Session) => session.closeFor(unexpected("an offer of a receiver"));
  return { ...sessionSettings(context), onOffer };
}

/**
 * How long a receiver that has everything may take to end the connection: what is lost is sent again after two round
 * trips and what an acknowledgement may wait (RFC 9002, 6.2.1), and its answer comes one later.
 */
const farewellMs = 100;
const farewellRoundTrips = 4;

/** A session under way, and when it is over. */
interface Serving {
  session: Session;
  done: Promise<void>;
}
