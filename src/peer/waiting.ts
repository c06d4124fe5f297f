/** Receives the next offer of some peers, and stays for its sender when a connection is lost. */

import { within } from "../clock.ts";
import { TransferError } from "../errors.ts";
import { retryForMs as defaultRetryForMs } from "../options.ts";
import type { Receipt } from "../transfer/events.ts";
import type { OfferMessage } from "../transfer/incoming.ts";
import { Mailbox } from "../transfer/mailbox.ts";
import type { TransferRecord } from "../transfer/transfer.ts";
import { reachableAddresses } from "./addresses.ts";
import { type PeerContext, tellConnected } from "./context.ts";
import { EarlierTry } from "./earlier-try.ts";
import type { Expectation, Offers } from "./offers.ts";
import type { ReceiveOptions } from "./peer-options.ts";
import { type Receiving, receiveWithin, type Taking, takingOf } from "./receiving.ts";
import { isConnectionFailure } from "./retry.ts";
import type { Session } from "./session.ts";

/** Takes the first offer that one of the peers makes, and returns the receipt. */
export async function receiveFrom(
  context: PeerContext,
  offers: Offers,
  wait: Wait,
): Promise<Receipt> {
  const waiting = new Waiting(context, wait);
  const stop = offers.expect(waiting);
  try {
    return await waiting.run();
  } finally {
    stop();
  }
}

/** A transfer that waits, and for whom. */
export interface Wait extends Receiving {
  peerIds: ReadonlySet<string>;
}

class Waiting implements Expectation {
  readonly record: TransferRecord;
  readonly #context: PeerContext;
  readonly #options: ReceiveOptions;
  readonly #taking: Taking;
  readonly #earlier = new EarlierTry();
  /** What each offer came to, in the order of their coming. */
  readonly #tries = new Mailbox<{ receipt: Promise<Receipt> }>();
  #peerIds: ReadonlySet<string>;
  /** The end of the try before. */
  #before: Promise<unknown> | null = null;
  /** The try that is under way. */
  #current: { session: Session; ended: Promise<unknown> } | null = null;

  constructor(context: PeerContext, { peerIds, record, options }: Wait) {
    this.#context = context;
    this.#peerIds = peerIds;
    this.record = record;
    this.#options = options;
    this.#taking = takingOf(context, options, async () => {
      await this.#before;
      await this.#earlier.leave();
    });
  }

  isOpenTo(peerId: string): boolean {
    return this.#peerIds.has(peerId);
  }

  wants(session: Session, offer: OfferMessage): boolean {
    if (!this.isOpenTo(session.peerId)) return false;
    const current = this.#current;
    // A sender that dialled again has lost a connection that this side may still believe in.
    return !current || (current.session !== session && this.record.id === offer.transfer);
  }

  take(session: Session, offer: OfferMessage): void {
    const before = this.#current;
    before?.session.fail(new TransferError("CONNECTION_LOST", "the sender dialled again"));
    this.record.id = offer.transfer;
    tellConnected(this.record, session, offer.transfer);
    this.#before = before?.ended ?? null;
    const receipt = receiveWithin(this.#context, session, offer, this.record, this.#taking);
    const current = { session, ended: receipt.catch(() => {}) };
    void current.ended.then(() => {
      if (this.#current === current) this.#current = null;
    });
    this.#current = current;
    // What was begun with one peer is not gone on with by another.
    this.#peerIds = new Set([session.peerId]);
    void this.#tries.put({ receipt });
  }

  async run(): Promise<Receipt> {
    const { endpoint } = this.#context;
    const { signal } = this.record;
    const cancel = () => this.#tries.fail(signal.reason);
    signal.addEventListener("abort", cancel, { once: true });
    if (signal.aborted) cancel();
    const addresses = reachableAddresses(endpoint.addresses);
    this.record.emit({ type: "listening", transferId: "", peerId: endpoint.peerId, addresses });
    try {
      let { receipt } = await this.#tries.next();
      for (;;) {
        try {
          return await receipt;
        } catch (error) {
          signal.throwIfAborted();
          this.#earlier.keep(error);
          if (!isConnectionFailure(error)) throw error;
          const next = await this.#comesBack(error);
          if (!next) return await this.#earlier.receiptAfter(gone(error));
          receipt = next.receipt;
        }
      }
    } catch (error) {
      throw this.#taking.hold?.explain(error) ?? error;
    } finally {
      signal.removeEventListener("abort", cancel);
      await this.#taking.hold?.leave();
      await this.#earlier.leave();
    }
  }

  /** The try that the sender makes when it dials again; null if it does not. */
  async #comesBack(error: TransferError): Promise<{ receipt: Promise<Receipt> } | null> {
    const leftMs = this.#options.retryForMs ?? defaultRetryForMs;
    if (leftMs <= 0) return null;
    const { id: transferId } = this.record;
    const reason = error.message;
    this.record.emit({ type: "waiting", transferId, reason, retryMs: null, leftMs });
    const late = gone(error);
    const next = within(this.#context.clock, leftMs, this.#tries.next(), () => late);
    return next.catch((failure: unknown) => {
      if (failure === late) return null;
      throw failure;
    });
  }
}

function gone(cause: TransferError): TransferError {
  return new TransferError("PEER_UNREACHABLE", `the sender did not come back: ${cause.message}`, {
    cause,
  });
}
