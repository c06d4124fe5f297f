/** Asks other peers for what they share, and receives what they send for it. */

import { within } from "../clock.ts";
import { TransferError } from "../errors.ts";
import { encodeName } from "../lossless-name.ts";
import { requestTimeoutMs } from "../options.ts";
import { requestsFeature } from "../protocol/features.ts";
import { maxEntries } from "../protocol/limits.ts";
import type { Hello } from "../protocol/messages.ts";
import type { AnswerMessage, ListedEntry, RequestMessage } from "../protocol/request-messages.ts";
import type { OfferSummary, Receipt } from "../transfer/events.ts";
import { peerFailure } from "../transfer/failure.ts";
import { offeredNames } from "../transfer/source-roots.ts";
import type { TransferRecord } from "../transfer/transfer.ts";
import { unexpected } from "../transfer/unexpected.ts";
import type { Connections } from "./connections.ts";
import {
  background,
  newId,
  orAborted,
  type PeerContext,
  tellOnceGreeted,
  unlessEnded,
} from "./context.ts";
import type { Offers } from "./offers.ts";
import { type ReceiveAttempt, type Receiving, receiveAgain, receiveWithin } from "./receiving.ts";
import type { Session } from "./session.ts";

/** What is asked, without its id. */
type Question = { type: "list"; path: string; after: string } | { type: "get"; paths: string[] };

/** A request that waits for its answer. */
interface Pending {
  session: Session;
  /** Takes the answer in the turn in which it came. */
  take: (answer: AnswerMessage) => void;
}

/** The side of a peer that asks. */
export class Requests {
  readonly #context: PeerContext;
  readonly #connections: Connections;
  readonly #offers: Offers;
  readonly #pending = new Map<string, Pending>();

  /** Asks over the connections, and expects what comes for it among the offers. */
  constructor(context: PeerContext, connections: Connections, offers: Offers) {
    this.#context = context;
    this.#connections = connections;
    this.#offers = offers;
  }

  /** Takes an answer; one that nobody waits for is late, not wrong. */
  take(session: Session, answer: AnswerMessage): void {
    const pending = this.#pending.get(answer.request);
    if (pending?.session === session) pending.take(answer);
  }

  /** The things in a shared folder, a page at a time; of the path `""`, the shares themselves. */
  async *list(
    from: string,
    path: string,
    signal: AbortSignal = new AbortController().signal,
  ): AsyncGenerator<ListedEntry> {
    const peerId = this.#connections.identify(from);
    const session = await this.#connections.reach(peerId, signal);
    let after = "";
    for (let count = 0; count <= maxEntries; ) {
      const answer = await this.#ask(session, { type: "list", path, after }, { signal });
      if (answer.type !== "listing") throw unexpected(answer.type);
      for (const entry of answer.entries) {
        // So each page goes on behind the one before it, and the last one comes.
        const isNext = Buffer.compare(encodeName(entry.name), encodeName(after)) > 0;
        if (!isNext) throw unexpected("listing");
        after = entry.name;
        count += 1;
        yield entry;
      }
      if (answer.more === 0) return;
      if (answer.entries.length === 0) throw unexpected("listing");
    }
    throw new TransferError("LIMIT_EXCEEDED", "the folder has more entries than can be listed");
  }

  /** Asks for files and folders, and receives them; after a lost connection it asks again. */
  get(peerId: string, paths: readonly string[], receiving: Receiving): Promise<Receipt> {
    const { record } = receiving;
    const { connect, isReached } = this.#connections.reachAgain(peerId, record.signal);
    return receiveAgain(this.#context, { ...receiving, isReached }, async (attempt) => {
      const session = await connect();
      background(tellOnceGreeted(record, session));
      return this.#getOver(session, [...paths], { ...attempt, record });
    });
  }

  async #getOver(
    session: Session,
    paths: string[],
    { record, taking, reached }: ReceiveAttempt & { record: TransferRecord },
  ): Promise<Receipt> {
    const offered = Promise.withResolvers<{ receipt: Promise<Receipt> }>();
    offered.promise.catch(() => {});
    let granted = "";
    const stop = this.#offers.expect({
      record,
      isOpenTo: () => false,
      wants: (from, { transfer }) => from === session && transfer === granted,
      take: (_, offer) => {
        granted = "";
        reached();
        record.id = offer.transfer;
        const receipt = receiveWithin(this.#context, session, offer, record, {
          ...taking,
          async decide(summary, fingerprint) {
            requireAsked(summary, paths);
            return taking.decide(summary, fingerprint);
          },
        });
        receipt.catch(() => {});
        offered.resolve({ receipt });
      },
    });
    try {
      const question: Question = { type: "get", paths };
      const answer = await this.#ask(session, question, {
        signal: record.signal,
        // In the turn in which it came: the offer may be read in the next.
        heed(heard) {
          if (heard.type === "granted") granted = heard.transfer;
        },
      });
      if (answer.type !== "granted") throw unexpected(answer.type);
      const { receipt } = await this.#soon(session, offered.promise, record.signal);
      return await receipt;
    } finally {
      stop();
    }
  }

  /** The answer to a question. Rejects with the failure of one that is denied. */
  async #ask(
    session: Session,
    question: Question,
    { signal, heed }: { signal: AbortSignal; heed?: (answer: AnswerMessage) => void },
  ): Promise<AnswerMessage> {
    const request = newId(this.#context.engine);
    const answered = Promise.withResolvers<AnswerMessage>();
    answered.promise.catch(() => {});
    const take = (answer: AnswerMessage) => {
      heed?.(answer);
      if (answer.type === "denied") answered.reject(peerFailure(answer));
      else answered.resolve(answer);
    };
    this.#pending.set(request, { session, take });
    try {
      const message: RequestMessage = { ...question, request };
      // A question goes with the hello: an older peer answers it with an error, like any that it does not know.
      await session.say(message);
      requireRequests(await orAborted(session.greeted, signal));
      return await this.#soon(session, answered.promise, signal);
    } finally {
      this.#pending.delete(request);
    }
  }

  /** What a session promises, unless it ends, takes too long, or nobody wants it any more. */
  #soon<T>(session: Session, promise: Promise<T>, signal: AbortSignal): Promise<T> {
    const { clock } = this.#context;
    const silent = () => new TransferError("PEER_UNREACHABLE", "the other side does not answer");
    const soon = within(clock, requestTimeoutMs, unlessEnded(session, promise), silent);
    return orAborted(soon, signal);
  }
}

function requireRequests({ features }: Hello): void {
  if (features.includes(requestsFeature)) return;
  const message = "the other side's quiver is older and shares nothing; update it";
  throw new TransferError("UNSUPPORTED_VERSION", message);
}

/** Refuses an offer of other things than were asked for: a person has named those, and no others. */
function requireAsked({ items, moreItems }: OfferSummary, paths: readonly string[]): void {
  const asked = offeredNames(paths.map((path) => path.split("/").at(-1) ?? ""));
  const offered = items.map(({ name }) => name);
  const isAsked = moreItems === 0 && offered.sort().join("/") === asked.sort().join("/");
  if (!isAsked) throw unexpected("an offer of other things than were asked for");
}
