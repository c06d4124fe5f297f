/** The receiver's side of one transfer over one session, from the offer to the receipt. */

import type { Folder, ReceiveStream } from "../engine/engine.ts";
import { errorCodes, TransferError } from "../errors.ts";
import type { LaneHeader } from "../protocol/lane.ts";
import { Manifest } from "../protocol/manifest.ts";
import type { ControlMessage, OfferContent } from "../protocol/messages.ts";
import { listen, takeAll } from "./arriving.ts";
import type { Channel, Part } from "./channel.ts";
import { canTakeContent, takeContent } from "./content-arrival.ts";
import { countWanted } from "./entry-choice.ts";
import type { OfferSummary, Receipt, SkippedThing } from "./events.ts";
import { failureFor } from "./failure.ts";
import { gatherOffer } from "./gathering.ts";
import { sayHeld } from "./held-telling.ts";
import { type IncomingDecision, type IncomingOptions, requireWanted } from "./incoming-options.ts";
import { takeText } from "./incoming-text.ts";
import { LandingNames } from "./landing-names.ts";
import { Mailbox } from "./mailbox.ts";
import { summaryOf } from "./offer-summary.ts";
import { type PaceMessage, Pacing } from "./pacing.ts";
import { sayReceipt } from "./receipt-writer.ts";
import {
  goOn,
  leaveReception,
  openReception,
  type Reception,
  removeReception,
} from "./reception.ts";
import { settle } from "./settling.ts";
import { sayLandedAgain } from "./stream-again.ts";
import type { HeldStream, StreamHold } from "./stream-hold.ts";
import { ToldBounds } from "./told-bounds.ts";
import type { TransferRecord } from "./transfer.ts";
import { unexpected } from "./unexpected.ts";
import { Unsettled } from "./unsettled.ts";

/** The message that begins an offer. */
export type OfferMessage = Extract<ControlMessage, { type: "offer" }>;

/** Receives what an `offer` message begins, and returns the receipt. */
export async function receiveOffer(
  channel: Channel,
  offer: OfferMessage,
  record: TransferRecord,
  options: IncomingOptions,
): Promise<Receipt> {
  return new Incoming(channel, offer, record, options).run();
}

class Incoming implements Part {
  readonly mailbox = new Mailbox<ControlMessage>();
  readonly #channel: Channel;
  readonly #offer: OfferMessage;
  readonly #record: TransferRecord;
  readonly #options: IncomingOptions;
  readonly #manifest = new Manifest();
  readonly #names: LandingNames;
  readonly #pacing: Pacing;
  #skippedBySender: SkippedThing[] = [];
  /** The bytes of all files, where they have come with the offer. */
  #content: OfferContent | undefined;
  #reception: Reception | null = null;
  /** The folder where it lands, as long as it is this transfer's to close. */
  #target: Folder | null = null;

  constructor(
    channel: Channel,
    offer: OfferMessage,
    record: TransferRecord,
    options: IncomingOptions,
  ) {
    this.#channel = channel;
    this.#offer = offer;
    this.#record = record;
    this.#options = options;
    this.#names = new LandingNames(this.#manifest, options.rules);
    const { engine, throttles } = options;
    this.#pacing = new Pacing({ engine, channel, record, throttles });
    // Before the first await: the entries follow the offer at once.
    channel.join(record.id, this);
  }

  async run(): Promise<Receipt> {
    const { id, signal } = this.#record;
    const cancel = () => this.mailbox.fail(signal.reason);
    signal.addEventListener("abort", cancel, { once: true });
    try {
      signal.throwIfAborted();
      this.#pacing.begin();
      const { mailbox } = this;
      const [channel, manifest, names] = [this.#channel, this.#manifest, this.#names];
      const { clock } = this.#options;
      const { skipped, content } = await gatherOffer({ mailbox, clock, manifest, names });
      [this.#skippedBySender, this.#content] = [skipped, content];
      requireContent(this.#offer, manifest);
      const summary = this.#summary();
      this.#record.emit({ type: "offer", ...summary });
      const decision = await this.#unlessEnded(
        this.#options.decide(summary, this.#manifest.fingerprint),
      );
      if (!decision) throw declined;
      const { text } = this.#offer;
      if (text !== undefined) {
        return await takeText({ transferId: id, text, channel, clock, mailbox });
      }
      const { hold } = this.#options;
      const landed = hold?.landed(id);
      if (landed) return await sayLandedAgain({ landed, channel, clock, mailbox });
      const held = (await hold?.take(id)) ?? null;
      this.#target = held?.target ?? (await decision.openTarget());
      return await this.#receive(decision, this.#target, held);
    } catch (failure) {
      const error = this.mailbox.causeOf(failure);
      // Whoever settles it needs the folder, and closes it.
      if (error instanceof Unsettled) this.#target = null;
      else await this.#giveUp(error);
      throw error;
    } finally {
      signal.removeEventListener("abort", cancel);
      this.#channel.leave(id);
      this.#pacing.close();
      await this.#target?.close();
    }
  }

  takePace(message: PaceMessage): void {
    this.#pacing.take(message);
  }

  async takeLane(format: number, header: LaneHeader, stream: ReceiveStream): Promise<void> {
    if (this.#reception) {
      stream.limitBy(this.#pacing.limiters);
      return this.#reception.lanes.take(format, header, stream);
    }
    stream.stop(errorCodes.INVALID_FRAME.wire);
    this.mailbox.fail(unexpected("a lane before the offer was accepted"));
  }

  async #receive(
    decision: IncomingDecision,
    target: Folder,
    held: HeldStream | null,
  ): Promise<Receipt> {
    const { onConflict, into, executable, chooser } = decision;
    const leftOut = chooser.leftOut(this.#manifest);
    const { stream } = this.#offer;
    const isStream = stream !== undefined;
    if (!held) requireWanted(this.#manifest, { leftOut, isStream }, this.#options.output);
    if (!executable) this.#manifest.dropExecuteBits();
    const { clock } = this.#options;
    const { id: transferId } = this.#record;
    const { peerId } = this.#channel;
    const [manifest, names] = [this.#manifest, this.#names];
    const startedAtMs = clock.now();
    const say = (message: ControlMessage) => this.#say(message);
    const about = { transferId, peerId, target, into, onConflict, leftOut, manifest, names, say };
    const options = { ...this.#options, ...about, stream };
    const opening = held ? Promise.resolve(goOn(options, held.reception)) : openReception(options);
    // Whoever is asked about conflicts may take longer than the transfer lives.
    const reception = await this.#unlessEnded(opening).catch(async (error) => {
      void opening.then(leaveReception).catch(() => {});
      throw error;
    });
    this.#reception = reception;
    const { heldBytes } = reception.arrivals;
    if (heldBytes > 0) this.#record.emit({ type: "resumed", transferId, bytes: heldBytes });
    const { arrivals, landing, plan } = reception;
    this.#channel.makeRoom(transferId);
    await sayHeld(options, reception);
    const { output, engine } = this.#options;
    const offered = this.#content;
    const content = offered && (await canTakeContent(engine, reception, offered)) ? offered : null;
    await this.#say({ type: "accept", transfer: transferId, ...(content && { content: true }) });
    const [record, pacing, channel] = [this.#record, this.#pacing, this.#channel];
    const told = new ToldBounds(clock);
    const parts = { record, pacing, channel, mailbox: this.mailbox, bounds: told };
    const arriving = { reception, manifest, clock, output, engine, ...parts };
    const listening = listen(arriving);
    listening.catch(() => {});
    if (content) await takeContent({ ...this.#options, reception, manifest, content });
    await takeAll(arriving, listening);
    // What has failed is never whole: what was handed on of it is all.
    if (arrivals.failures.size > 0) reception.handing?.stop();
    if (reception.handing) await this.#unlessEnded(reception.handing.done);
    arrivals.isSealed = true;
    await landing.land();
    const seconds = (clock.now() - startedAtMs) / 1000;
    const { features } = channel.hello;
    const landed = { transferId, manifest, plan, arrivals, landing };
    const { wireBytes } = reception.lanes;
    if (isStream)
      this.#options.hold?.land({ landed, seconds, into, wireBytes, bounds: told.shares });
    const { files, bytes } = await sayReceipt(landed, seconds, { say, features });
    const skipped = this.#skippedBySender;
    const isRemoved = isStream || !landing.isIncomplete;
    const settling = await settle(channel, clock, listening);
    const bounds = told.shares;
    const receipt = { transferId, files, bytes, wireBytes, seconds, skipped, bounds, into };
    if (settling !== "lost") {
      // One that is silent may have been cut off: when it comes back, what has landed must be known.
      await this.#end(reception, isStream || (isRemoved && settling === "settled"));
      return receipt;
    }
    const free = (how: boolean) => this.#end(reception, how).finally(() => target.close());
    throw new Unsettled(receipt, { end: () => free(isRemoved), leave: () => free(isStream) });
  }

  #unlessEnded<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.mailbox.failed]);
  }

  #say(message: ControlMessage): Promise<void> {
    return this.#channel.say(message);
  }

  /** Tells the sender why, and keeps what is proven for another try. */
  async #giveUp(error: unknown): Promise<void> {
    const { id: transfer } = this.#record;
    const { code, reason } = failureFor(error, "the receiver");
    const type = this.#reception ? "cancel" : "reject";
    if (code !== "CONNECTION_LOST") {
      await this.#say({ type, transfer, code, reason }).catch(() => {});
    }
    if (!this.#reception) return;
    const { hold } = this.#options;
    const { stream } = this.#reception;
    if (stream && hold && code === "CONNECTION_LOST" && !hold.landed(transfer)) {
      return this.#hold(hold, this.#reception);
    }
    // What a peer has sent that breaks the protocol is not worth keeping.
    const isBroken = errorCodes[code].exit === errorCodes.INVALID_FRAME.exit;
    await this.#end(this.#reception, isBroken || stream !== null);
  }

  /** Holds a stream for the sender's next connection. */
  async #hold(hold: StreamHold, reception: Reception): Promise<void> {
    await reception.lanes.close();
    const target = this.#target;
    this.#target = null;
    if (target) hold.keep({ transferId: this.#record.id, reception, target });
  }

  /** Frees the reception; that this fails changes nothing of how the transfer has ended. */
  async #end(reception: Reception, isRemoved: boolean): Promise<void> {
    const ending = isRemoved ? removeReception(reception) : leaveReception(reception);
    await ending.catch((error) => this.#record.warn(error));
  }

  #summary(): OfferSummary {
    const summary = summaryOf(this.#manifest, this.#channel, this.#offer);
    const { chooser } = this.#options;
    if (chooser.isEverything) return summary;
    return { ...summary, chosen: countWanted(this.#manifest, chooser.leftOut(this.#manifest)) };
  }
}

/** Refuses entries beside a text, and all but one empty file for a stream. */
function requireContent({ text, stream }: OfferMessage, manifest: Manifest): void {
  const { entries } = manifest.totals;
  if (text !== undefined && entries > 0) throw unexpected("entries beside a text");
  if (stream === undefined) return;
  const { kind, bytes } = entries === 1 ? manifest.entry(0) : nothing;
  if (kind !== "file" || bytes !== 0 || text !== undefined) throw unexpected("a stream");
}

const nothing = { kind: "nothing", bytes: 0 };

const declined = new TransferError("PEER_REJECTED", "the receiver declined the offer");
