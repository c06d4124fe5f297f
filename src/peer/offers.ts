/** The offers that come: for a transfer that expects one, or for whoever decides about all others. */

import { TransferError } from "../errors.ts";
import { maxWaitingOffers } from "../options.ts";
import type { OfferSummary } from "../transfer/events.ts";
import type { OfferMessage } from "../transfer/incoming.ts";
import type { TransferRecord } from "../transfer/transfer.ts";
import { unexpected } from "../transfer/unexpected.ts";
import { background, type PeerContext } from "./context.ts";
import type { Guests } from "./guests.ts";
import { Places } from "./places.ts";
import { takeOffer } from "./receiving.ts";
import { noOffers, tooManyOffers } from "./refusals.ts";
import type { Session } from "./session.ts";
import type { TransferList } from "./transfer-list.ts";

/** A transfer of this side that waits for an offer. */
export interface Expectation {
  readonly record: TransferRecord;
  /** Whether a peer may connect for it. */
  isOpenTo(peerId: string): boolean;
  /** Whether it is this offer that it waits for. */
  wants(session: Session, offer: OfferMessage): boolean;
  /** Takes the offer; its entries follow at once. */
  take(session: Session, offer: OfferMessage): void;
}

/** All offers to one peer. */
export class Offers {
  readonly #context: PeerContext;
  readonly #transfers: TransferList;
  readonly #guests: Guests;
  readonly #waiting = new Places(maxWaitingOffers);
  readonly #expectations = new Set<Expectation>();
  /** The sessions over which incoming transfers were offered. */
  readonly #offeredOver = new WeakMap<TransferRecord, Session>();

  /** Begins without expectations: all offers are for `onOffer`. */
  constructor(context: PeerContext, transfers: TransferList, guests: Guests) {
    this.#context = context;
    this.#transfers = transfers;
    this.#guests = guests;
  }

  /** Waits for an offer until the returned function is called. */
  expect(expectation: Expectation): () => void {
    this.#expectations.add(expectation);
    return () => this.#expectations.delete(expectation);
  }

  /** Whether an offer of a peer is waited for. */
  isExpected(peerId: string): boolean {
    return [...this.#expectations].some((one) => one.isOpenTo(peerId));
  }

  /** Gives an offer to whom it is for. */
  take(session: Session, offer: OfferMessage): void {
    const earlier = this.#transfers.find(offer.transfer);
    for (const expectation of this.#expectations) {
      const isFree = !earlier || earlier === expectation.record;
      if (!isFree || !expectation.wants(session, offer)) continue;
      expectation.take(session, offer);
      return;
    }
    const over = earlier && this.#offeredOver.get(earlier);
    if (earlier && (over?.peerId !== session.peerId || over === session)) {
      session.closeFor(unexpected("an offer with the id of another"));
    } else this.#ask(session, offer, earlier);
  }

  /** Lets `onOffer` decide. */
  #ask(session: Session, offer: OfferMessage, earlier: TransferRecord | undefined): void {
    const { transfer } = offer;
    const { onOffer } = this.#context.options;
    // The sender has lost a connection that this side may still believe in.
    earlier?.lose(new TransferError("CONNECTION_LOST", "the sender dialled again"));
    const answered = onOffer && this.#waiting.take(session);
    if (!onOffer || !answered) {
      const [code, reason] = onOffer ? tooManyOffers : noOffers;
      background(session.say({ type: "reject", transfer, code, reason }));
      return;
    }
    const answer = async (summary: OfferSummary) => {
      const given = await onOffer(summary);
      await earlier?.done.catch(() => {});
      answered();
      if (given) this.#guests.trust(session);
      return given;
    };
    const record = this.#transfers.add("receive", { id: transfer });
    this.#offeredOver.set(record, session);
    const work = takeOffer(this.#context, session, offer, record, answer);
    this.#transfers.run(record, work.finally(answered));
  }
}
