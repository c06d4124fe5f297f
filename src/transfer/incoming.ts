/** The receiver's side of one transfer over one session, from the offer to the receipt. */

import { type Clock, within } from "../clock.ts";
import type { Engine, Folder, ReceiveStream } from "../engine/engine.ts";
import { errorCodes, TransferError } from "../errors.ts";
import { progressIntervalMs } from "../options.ts";
import type { LaneFormat, LaneHeader } from "../protocol/lane.ts";
import { maxItems } from "../protocol/limits.ts";
import { Manifest } from "../protocol/manifest.ts";
import type { ControlMessage } from "../protocol/messages.ts";
import { Arrivals } from "./arrivals.ts";
import type { Channel, Part } from "./channel.ts";
import { type ConflictPolicy, type LandingPlan, planLanding, runsOf } from "./conflicts.ts";
import type { OfferSummary, Receipt, SkippedThing } from "./events.ts";
import { failureFor } from "./failure.ts";
import { checkSpace } from "./inbox.ts";
import { IncomingLanes } from "./incoming-lanes.ts";
import type { NameRules } from "./landing-name.ts";
import { LandingNames } from "./landing-names.ts";
import { Mailbox } from "./mailbox.ts";
import { summaryOf } from "./offer-summary.ts";
import { ProgressTeller } from "./progress-teller.ts";
import { sayReceipt } from "./receipt-writer.ts";
import { Staging } from "./staging.ts";
import type { TransferRecord } from "./transfer.ts";
import { unexpected } from "./unexpected.ts";

/** What a transfer is received with. */
export interface IncomingOptions {
  engine: Engine;
  clock: Clock;
  rules: NameRules;
  /** Data formats that are taken; others are refused. */
  formats: readonly LaneFormat[];
  /** Decides, and names where it lands; null refuses. Called once, when all of the offer is known. */
  decide: (offer: OfferSummary) => Promise<IncomingDecision | null>;
}

/** A yes to an offer. */
export interface IncomingDecision {
  /** The folder where it lands, held open; closed by the transfer. */
  target: Folder;
  /** The same in the system's notation. */
  into: string;
  onConflict: ConflictPolicy;
}

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

/** What exists once an offer is accepted. */
interface Reception {
  plan: LandingPlan;
  staging: Staging;
  arrivals: Arrivals;
  lanes: IncomingLanes;
  /** Bytes that are to arrive. */
  total: number;
}

class Incoming implements Part {
  readonly mailbox = new Mailbox<ControlMessage>();
  readonly #channel: Channel;
  readonly #offer: OfferMessage;
  readonly #record: TransferRecord;
  readonly #options: IncomingOptions;
  readonly #manifest = new Manifest();
  readonly #names: LandingNames;
  #skippedBySender: SkippedThing[] = [];
  #reception: Reception | null = null;

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
    // Before the first await: the entries follow the offer at once.
    channel.join(record.id, this);
  }

  async run(): Promise<Receipt> {
    const { id, signal } = this.#record;
    const cancel = () => this.mailbox.fail(signal.reason);
    signal.addEventListener("abort", cancel, { once: true });
    let target: Folder | null = null;
    try {
      signal.throwIfAborted();
      await this.#gather();
      const summary = this.#summary();
      this.#record.emit({ type: "offer", ...summary });
      const decision = await this.#unlessEnded(this.#options.decide(summary));
      if (!decision) throw declined;
      target = decision.target;
      return await this.#receive(decision);
    } catch (error) {
      await this.#giveUp(error);
      throw error;
    } finally {
      signal.removeEventListener("abort", cancel);
      this.#channel.leave(id);
      await target?.close();
    }
  }

  async takeLane(format: number, header: LaneHeader, stream: ReceiveStream): Promise<void> {
    if (this.#reception) return this.#reception.lanes.take(format, header, stream);
    stream.stop(errorCodes.INVALID_FRAME.wire);
    this.mailbox.fail(unexpected("a lane before the offer was accepted"));
  }

  /** Reads the offer to its end. */
  async #gather(): Promise<void> {
    for (;;) {
      const message = await this.mailbox.next();
      if (message.type === "entries") {
        const first = this.#manifest.totals.entries;
        for (const [at, entry] of this.#manifest.addBatch(message.batch).entries()) {
          this.#names.add(first + at, entry);
        }
      } else if (message.type === "offered") {
        const { entries, bytes } = this.#manifest.totals;
        if (message.entries !== entries || message.bytes !== bytes) throw unexpected("offered");
        this.#skippedBySender = message.skipped;
        return;
      } else throw unexpected(message.type);
    }
  }

  async #receive({ target, onConflict, into }: IncomingDecision): Promise<Receipt> {
    const { clock } = this.#options;
    const { id: transferId } = this.#record;
    const manifest = this.#manifest;
    const plan = await this.#unlessEnded(planLanding(target, manifest, this.#names, onConflict));
    const startedAtMs = clock.now();
    const reception = await this.#prepare(target, plan);
    this.#reception = reception;
    const { arrivals, staging } = reception;
    await this.#sayAccept(plan);
    const listening = this.#listen(reception);
    listening.catch(() => {});
    await this.#takeAll(reception, listening);
    await arrivals.discardFailed();
    await staging.land({
      arrived: (entry) => arrivals.hash(entry) !== undefined && !arrivals.failures.has(entry),
      syncAll: !this.#syncsEach(),
    });
    const seconds = (clock.now() - startedAtMs) / 1000;
    const landed = { transferId, manifest, plan, arrivals, staging };
    const { files, bytes } = await sayReceipt(landed, seconds, (message) => this.#say(message));
    // The sender must have its receipt before this side may close; one that is gone is not waited for.
    await within(clock, settleMs, listening, () => declined).catch(() => {});
    return { transferId, files, bytes, seconds, skipped: this.#skippedBySender, into };
  }

  async #prepare(target: Folder, plan: LandingPlan): Promise<Reception> {
    const { id: transferId } = this.#record;
    const { engine, formats } = this.#options;
    const manifest = this.#manifest;
    const pathOf = (entry: number) => this.#names.path(entry);
    const isExpected = (entry: number) => this.#isExpected(plan, entry);
    const { files: expected, bytes: total } = this.#expected(plan);
    await checkSpace(target, total);
    const staging = await Staging.create({
      target,
      transferId,
      manifest,
      names: this.#names,
      plan,
    });
    const { folder } = staging;
    const syncEach = this.#syncsEach();
    const arrivals = new Arrivals({
      engine,
      manifest,
      staging: folder,
      pathOf,
      isExpected,
      expected,
      syncEach,
    });
    const say = (message: ControlMessage) => this.#say(message);
    const context = { manifest, arrivals, staging: folder, pathOf };
    const lanes = new IncomingLanes({ ...context, transferId, formats, say });
    return { plan, staging, arrivals, lanes, total };
  }

  #isExpected(plan: LandingPlan, entry: number): boolean {
    if (entry >= this.#manifest.totals.entries || plan.skipped.has(entry)) return false;
    return this.#manifest.entry(entry).kind === "file";
  }

  /** Files and bytes that are to arrive. */
  #expected(plan: LandingPlan): { files: number; bytes: number } {
    const expected = { files: 0, bytes: 0 };
    for (const [position, { bytes }] of this.#manifest) {
      if (!this.#isExpected(plan, position)) continue;
      expected.files += 1;
      expected.bytes += bytes;
    }
    return expected;
  }

  /** Few files are synced one by one; with many, one sync of the disk is far cheaper. */
  #syncsEach(): boolean {
    const { files, folders } = this.#manifest.totals;
    return files <= mostSyncedEach && folders === 0;
  }

  async #sayAccept(plan: LandingPlan): Promise<void> {
    const { id: transfer } = this.#record;
    const runs = runsOf(plan.skipped);
    for (let at = 0; at < runs.length; at += maxItems) {
      await this.#say({ type: "skip", transfer, runs: runs.slice(at, at + maxItems) });
    }
    await this.#say({ type: "accept", transfer });
  }

  /** Resolves when every file has arrived or failed. */
  async #takeAll(reception: Reception, listening: Promise<void>): Promise<void> {
    const { arrivals, lanes, total } = reception;
    const { clock } = this.#options;
    const { connection } = this.#channel;
    const { files: totalFiles } = this.#manifest.totals;
    const told = { clock, connection, record: this.#record, arrivals, lanes, total, totalFiles };
    const progress = await ProgressTeller.open(told);
    const stopTelling = clock.every(progressIntervalMs, () => void progress.tell());
    try {
      const early = listening.then(() => Promise.reject(unexpected("settled")));
      await Promise.race([lanes.finished, early]);
    } finally {
      stopTelling();
    }
    await progress.tell();
    await progress.close();
  }

  /** Takes messages until the sender has its receipt. */
  async #listen({ arrivals, lanes }: Reception): Promise<void> {
    for (;;) {
      const message = await this.mailbox.next();
      if (message.type === "absent") {
        for (const { entry, code, reason } of message.failures) {
          arrivals.fail(entry, { code, reason });
        }
      } else if (message.type === "done") lanes.done(message.lanes);
      else if (message.type === "settled") return;
      else throw unexpected(message.type);
    }
  }

  #unlessEnded<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.mailbox.failed]);
  }

  #say(message: ControlMessage): Promise<void> {
    return this.#channel.say(message);
  }

  /** Tells the sender why, and removes what has arrived. */
  async #giveUp(error: unknown): Promise<void> {
    const { id: transfer } = this.#record;
    const { code, reason } = failureFor(error, "the receiver");
    const type = this.#reception ? "cancel" : "reject";
    if (code !== "CONNECTION_LOST") {
      await this.#say({ type, transfer, code, reason }).catch(() => {});
    }
    await this.#reception?.lanes.close();
    await this.#reception?.arrivals.close();
    await this.#reception?.staging.remove();
  }

  #summary(): OfferSummary {
    const { targetDir, profile } = this.#offer;
    const { peerId, hello } = this.#channel;
    const { id: transferId } = this.#record;
    const about = { transferId, peerId, peerName: hello.name, targetDir, profile };
    return summaryOf(this.#manifest, about);
  }
}

const declined = new TransferError("PEER_REJECTED", "the receiver declined the offer");
const mostSyncedEach = 16;
/** How long a receiver waits for the sender to have its receipt. */
const settleMs = 5000;
