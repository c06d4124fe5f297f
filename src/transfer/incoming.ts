/** The receiver's side of one transfer over one session, from the offer to the receipt. */

import { type Clock, within } from "../clock.ts";
import type { Engine, Folder, ReceiveStream, SendStream } from "../engine/engine.ts";
import { errorCodes, TransferError } from "../errors.ts";
import { progressIntervalMs } from "../options.ts";
import { encodeProgressHeader, type LaneFormat, type LaneHeader, laneFormatOf } from "../protocol/lane.ts";
import { maxItems } from "../protocol/limits.ts";
import { Manifest } from "../protocol/manifest.ts";
import { type ControlMessage, encodeProgress, type FileResult } from "../protocol/messages.ts";
import { Arrivals } from "./arrivals.ts";
import type { Channel, Part } from "./channel.ts";
import { type ConflictPolicy, type LandingPlan, planLanding, runsOf } from "./conflicts.ts";
import type { OfferSummary, Receipt, SkippedThing } from "./events.ts";
import type { NameRules } from "./landing-name.ts";
import { LandingNames } from "./landing-names.ts";
import { LaneReceiver } from "./lane-receiver.ts";
import { Mailbox } from "./mailbox.ts";
import { summaryOf } from "./offer-summary.ts";
import { receiptFile } from "./receipt-reader.ts";
import { SpeedMeter } from "./speed.ts";
import { Staging } from "./staging.ts";
import type { TransferRecord } from "./transfer.ts";

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

/** Receives what an `offer` message begins, and returns the receipt. */
export async function receiveOffer(
  channel: Channel,
  offer: Extract<ControlMessage, { type: "offer" }>,
  record: TransferRecord,
  options: IncomingOptions,
): Promise<Receipt> {
  return new Incoming(channel, offer, record, options).run();
}

class Incoming implements Part {
  readonly mailbox = new Mailbox<ControlMessage>();
  readonly #channel: Channel;
  readonly #offer: Extract<ControlMessage, { type: "offer" }>;
  readonly #record: TransferRecord;
  readonly #options: IncomingOptions;
  readonly #manifest = new Manifest();
  readonly #names: LandingNames;
  readonly #speed = new SpeedMeter();
  readonly #lanes: (LaneReceiver | null)[] = [];
  #skippedBySender: SkippedThing[] = [];
  #started: { staging: Staging; arrivals: Arrivals; total: number } | null = null;
  #lanesEnded = 0;
  /** Lanes that the sender says it opened; null before it is done. */
  #lanesSaid: number | null = null;
  #wanted = new Map<string, number>();
  #hasRefused = false;
  #finished = Promise.withResolvers<void>();

  constructor(
    channel: Channel,
    offer: Extract<ControlMessage, { type: "offer" }>,
    record: TransferRecord,
    options: IncomingOptions,
  ) {
    this.#channel = channel;
    this.#offer = offer;
    this.#record = record;
    this.#options = options;
    this.#names = new LandingNames(this.#manifest, options.rules);
    this.#finished.promise.catch(() => {});
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
      const decision = await Promise.race([this.#options.decide(summary), this.mailbox.failed]);
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
      } else this.#common(message);
    }
  }

  async #receive(decision: IncomingDecision): Promise<Receipt> {
    const { clock } = this.#options;
    const { id: transfer } = this.#record;
    const { target } = decision;
    const plan = await Promise.race([
      planLanding(target, this.#manifest, this.#names, decision.onConflict),
      this.mailbox.failed,
    ]);
    const startedAtMs = clock.now();
    const started = await this.#prepare(target, plan);
    this.#started = started;
    const runs = runsOf(plan.skipped);
    for (let at = 0; at < runs.length; at += maxItems) {
      await this.#channel.say({ type: "skip", transfer, runs: runs.slice(at, at + maxItems) });
    }
    await this.#channel.say({ type: "accept", transfer });
    const progress = await this.#channel.connection.openUnidirectional();
    await progress.write(encodeProgressHeader(transfer));
    this.#speed.add(clock.now(), 0);
    const stopTelling = clock.every(progressIntervalMs, () => this.#tellProgress(progress));
    try {
      this.#checkFinished();
      await Promise.race([this.#listen(), this.#finished.promise]);
      await this.#tellProgress(progress);
    } finally {
      stopTelling();
    }
    const { staging, arrivals } = started;
    const arrived = (entry: number) => arrivals.hash(entry) !== undefined && !arrivals.failures.has(entry);
    await staging.land({ arrived, syncAll: !this.#syncEach() });
    await progress.finish().catch(() => {});
    const seconds = (clock.now() - startedAtMs) / 1000;
    return await this.#sayReceipt(plan, seconds, decision.into);
  }

  async #prepare(target: Folder, plan: LandingPlan): Promise<{ staging: Staging; arrivals: Arrivals; total: number }> {
    const { id: transferId } = this.#record;
    const manifest = this.#manifest;
    const names = this.#names;
    let expected = 0;
    let total = 0;
    for (const [position, { kind, bytes }] of manifest) {
      if (kind !== "file" || plan.skipped.has(position)) continue;
      expected += 1;
      total += bytes;
    }
    const free = await target.freeBytes();
    if (total > free) {
      throw new TransferError(
        "DISK_FULL",
        `the receiver's disk has ${free} bytes free and the files need ${total}; make room or choose another folder`,
      );
    }
    const staging = await Staging.create({ target, transferId, manifest, names, plan });
    const arrivals = new Arrivals({
      engine: this.#options.engine,
      manifest,
      staging: staging.folder,
      pathOf: (entry) => names.path(entry),
      expected,
      syncEach: this.#syncEach(),
    });
    return { staging, arrivals, total };
  }

  /** Few files are synced one by one; with many, one sync of the disk is far cheaper. */
  #syncEach(): boolean {
    const { files, folders } = this.#manifest.totals;
    return files <= mostSyncedEach && folders === 0;
  }

  async #listen(): Promise<never> {
    for (;;) {
      const message = await this.mailbox.next();
      if (message.type === "absent") {
        for (const { entry, code, reason } of message.failures) {
          if (entry >= this.#manifest.totals.entries) throw unexpected("absent");
          await this.#started?.arrivals.fail(entry, { code, reason });
        }
      } else if (message.type === "done") {
        this.#lanesSaid = message.lanes;
        this.#checkFinished();
      } else this.#common(message);
    }
  }

  async takeLane(format: number, header: LaneHeader, stream: ReceiveStream): Promise<void> {
    const started = this.#started;
    if (!started || this.#lanes[header.lane] !== undefined) {
      stream.stop(errorCodes.INVALID_FRAME.wire);
      this.mailbox.fail(unexpected("lane"));
      return;
    }
    this.#lanes[header.lane] = null;
    try {
      const name = this.#formatOf(format);
      const lane = new LaneReceiver(stream, name, {
        manifest: this.#manifest,
        arrivals: started.arrivals,
        staging: started.staging.folder,
        pathOf: (entry) => this.#names.path(entry),
        want: (entry, offset, length) => this.#want(entry, offset, length),
      });
      this.#lanes[header.lane] = lane;
      await lane.run();
    } catch (error) {
      if (!(error instanceof TransferError) || error.code !== "UNSUPPORTED_FORMAT") {
        stream.stop(errorCodes.CANCELLED.wire);
        this.mailbox.fail(error);
        return;
      }
      await this.#refuse(header.lane, stream, error);
    }
    this.#lanesEnded += 1;
    this.#checkFinished();
  }

  #formatOf(format: number): LaneFormat {
    const name = laneFormatOf(format);
    if (this.#options.formats.includes(name)) return name;
    throw new TransferError("UNSUPPORTED_FORMAT", `the data format ${name} is not taken here`);
  }

  async #refuse(lane: number, stream: ReceiveStream, error: TransferError): Promise<void> {
    this.#hasRefused = true;
    const { code, message: reason } = error;
    stream.stop(errorCodes[code].wire);
    await this.#channel.say({ type: "refuse", transfer: this.#record.id, lane, code, reason });
  }

  /** Asks for a piece once more; a piece that is bad again and again fails its file. */
  async #want(entry: number, offset: number, length: number): Promise<void> {
    const key = `${entry}:${offset}`;
    const tries = (this.#wanted.get(key) ?? 0) + 1;
    this.#wanted.set(key, tries);
    if (tries > mostTries) {
      const reason = "bytes and hash differ again and again; check the sender's memory and disk";
      await this.#started?.arrivals.fail(entry, { code: "CONTENT_MISMATCH", reason });
      this.#checkFinished();
    } else {
      const { id: transfer } = this.#record;
      await this.#channel.say({ type: "want", transfer, entry, offset, length });
    }
  }

  #checkFinished(): void {
    if (this.#lanesSaid !== this.#lanesEnded || !this.#started) return;
    if (this.#started.arrivals.isSettled) this.#finished.resolve();
    else if (this.#wanted.size === 0 && !this.#hasRefused) {
      this.mailbox.fail(unexpected("done before the last piece"));
    }
  }

  async #tellProgress(stream: SendStream): Promise<void> {
    const started = this.#started;
    if (!started) return;
    const { arrivals, total } = started;
    const lanes = Array.from(this.#lanes, (lane) => lane?.bytes ?? 0);
    const bytes = Math.min(total, lanes.reduce((sum, laneBytes) => sum + laneBytes, 0));
    const files = arrivals.completeFiles;
    this.#speed.add(this.#options.clock.now(), bytes);
    this.#record.emit({
      type: "progress",
      transferId: this.#record.id,
      bytes,
      total,
      files,
      totalFiles: this.#manifest.totals.files,
      throughput: this.#speed.bytesPerSecond,
      etaMs: this.#speed.etaMs(total - bytes),
      lanes: lanes.length,
      laneBytes: lanes,
      rttMs: this.#channel.connection.stats().rttMs,
    });
    const message = { bytes, files, lanes, current: arrivals.current(mostCurrent) };
    if (this.#isTelling) return;
    this.#isTelling = true;
    await stream.write(encodeProgress(message)).catch(() => {});
    this.#isTelling = false;
  }

  #isTelling = false;

  async #sayReceipt(plan: LandingPlan, seconds: number, into: string): Promise<Receipt> {
    const { id: transfer } = this.#record;
    const files = [];
    let bytes = 0;
    let batch: FileResult[] = [];
    for (const [entry, { kind, bytes: size }] of this.#manifest) {
      const result = this.#result(entry, plan);
      if (kind !== "file" && result.status !== "failed") continue;
      if (result.status === "received") bytes += size;
      files.push(receiptFile(this.#manifest, result));
      batch.push(result);
      if (batch.length < resultsInMessage) continue;
      await this.#channel.say({ type: "results", transfer, files: batch });
      batch = [];
    }
    await this.#channel.say({ type: "results", transfer, files: batch });
    await this.#channel.say({ type: "receipt", transfer, bytes, seconds });
    await within(this.#options.clock, settleMs, this.#settled(), () => declined).catch(() => {});
    const skipped = this.#skippedBySender;
    return { transferId: transfer, files, bytes, seconds, skipped, into };
  }

  async #settled(): Promise<void> {
    while ((await this.mailbox.next()).type !== "settled");
  }

  #result(entry: number, plan: LandingPlan): FileResult {
    const { staging, arrivals } = this.#started ?? {};
    const nothing = { entry, hash: new Uint8Array(), savedAs: "", code: null, reason: "" };
    if (plan.skipped.has(entry)) {
      return { ...nothing, status: "skipped", reason: "a file of that name is there already" };
    }
    const failure = arrivals?.failures.get(entry) ?? staging?.failures.get(entry);
    if (failure) return { ...nothing, status: "failed", ...failure };
    const hash = arrivals?.hash(entry) ?? new Uint8Array();
    const landed = staging?.landedPath(entry) ?? "";
    const savedAs = landed === this.#manifest.path(entry) ? "" : landed;
    return { ...nothing, status: "received", hash, savedAs };
  }

  /** What may come at any time. */
  #common(message: ControlMessage): void {
    if (message.type === "cancel") throw new TransferError(message.code, message.reason);
    throw unexpected(message.type);
  }

  /** Tells the sender why, and removes what has arrived. */
  async #giveUp(error: unknown): Promise<void> {
    const { id: transfer } = this.#record;
    const isOurs = error instanceof TransferError;
    const code = isOurs ? error.code : "CANCELLED";
    const text = isOurs ? error.message : "the receiver cancelled the transfer";
    const reason = text.slice(0, 500);
    const type = this.#started ? "cancel" : "reject";
    if (code !== "CONNECTION_LOST") {
      await this.#channel.say({ type, transfer, code, reason }).catch(() => {});
    }
    await this.#started?.arrivals.close();
    await this.#started?.staging.remove();
  }

  #summary(): OfferSummary {
    const { targetDir, profile } = this.#offer;
    const { peerId, hello } = this.#channel;
    const { id: transferId } = this.#record;
    const about = { transferId, peerId, peerName: hello.name, targetDir, profile };
    return summaryOf(this.#manifest, about);
  }
}

function unexpected(what: string): TransferError {
  return new TransferError(
    "INVALID_FRAME",
    `the sender sent "${what}" where it means nothing; are both sides of one version?`,
  );
}

const declined = new TransferError("PEER_REJECTED", "the receiver declined the offer");
const mostSyncedEach = 16;
const mostTries = 3;
const mostCurrent = 64;
const resultsInMessage = 1024;
/** How long a receiver waits for the sender to have its receipt. */
const settleMs = 5000;
