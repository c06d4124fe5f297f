/** The sender's side of one transfer over one session, from the offer to the receipt. */

import type { ReceiveStream } from "../engine/engine.ts";
import { standardLanes } from "../options.ts";
import { maxItems } from "../protocol/limits.ts";
import type { ControlMessage } from "../protocol/messages.ts";
import { batches, textBytes } from "./batches.ts";
import type { BoundWatch } from "./bound-watch.ts";
import type { Channel, Part } from "./channel.ts";
import { compareFile } from "./compare-files.ts";
import { codingsFor } from "./compression.ts";
import { type DataFormat, FormatChoice, formatsFor } from "./data-formats.ts";
import type { Receipt } from "./events.ts";
import { failureFor, peerFailure } from "./failure.ts";
import { LaneSender } from "./lane-sender.ts";
import { onesIn, provenRuns } from "./leftover.ts";
import { Mailbox } from "./mailbox.ts";
import { offerSource, takeAnswer } from "./outgoing-offer.ts";
import type { OutgoingOptions } from "./outgoing-options.ts";
import { OutgoingPlan } from "./outgoing-plan.ts";
import { watchOutgoing } from "./outgoing-watch.ts";
import { type PaceMessage, Pacing } from "./pacing.ts";
import { countJobs, type Job, runBytes } from "./plan.ts";
import { readProgress } from "./progress-stream.ts";
import { ReceiptReader } from "./receipt-reader.ts";
import type { Source } from "./source.ts";
import type { SourceFiles } from "./source-files.ts";
import { SpeedMeter } from "./speed.ts";
import type { TransferRecord } from "./transfer.ts";
import type { Place } from "./turns.ts";
import { unexpected } from "./unexpected.ts";

/** Sends a source to a peer and returns the receipt. Rejects with why it did not come to one. */
export async function sendSource(
  channel: Channel,
  source: Source,
  files: SourceFiles,
  record: TransferRecord,
  options: OutgoingOptions,
): Promise<Receipt> {
  return new Outgoing(channel, source, files, record, options).run();
}

class Outgoing implements Part {
  readonly mailbox = new Mailbox<ControlMessage>();
  readonly #channel: Channel;
  readonly #source: Source;
  readonly #files: SourceFiles;
  readonly #record: TransferRecord;
  readonly #options: OutgoingOptions;
  readonly #formats: FormatChoice;
  readonly #lanes: LaneSender;
  readonly #plan: OutgoingPlan;
  readonly #receipt: ReceiptReader;
  readonly #place: Place;
  readonly #pacing: Pacing;
  readonly #speed = new SpeedMeter();
  #watch: BoundWatch | null = null;
  #isOver = false;
  /** Jobs that must be sent again. */
  #again: Job[] = [];
  /** The work on lanes that is under way. */
  #sending: Promise<void> = Promise.resolve();

  constructor(
    channel: Channel,
    source: Source,
    files: SourceFiles,
    record: TransferRecord,
    options: OutgoingOptions,
  ) {
    this.#channel = channel;
    this.#source = source;
    this.#files = files;
    this.#record = record;
    this.#options = options;
    this.#formats = new FormatChoice(
      options.formats ?? formatsFor(options.profile, channel.hello.profiles),
    );
    this.#plan = new OutgoingPlan(source, options.tuning);
    this.#receipt = new ReceiptReader(source.manifest, files, (entry) => this.#plan.isHeld(entry));
    this.#place = channel.turns.place(options.priority);
    const { engine, throttles } = options;
    const rest = (isPaused: boolean) => this.#place.rest(isPaused);
    this.#pacing = new Pacing({ engine, channel, record, throttles, rest });
    this.#lanes = new LaneSender(channel.connection, record.id, files, {
      tuning: options.tuning,
      clock: options.clock,
      limiters: this.#pacing.limiters,
      looks: channel.looks,
      place: this.#place,
      codings: codingsFor(options.compress, channel.hello.codecs),
    });
  }

  async run(): Promise<Receipt> {
    const { id, signal } = this.#record;
    const { turns } = this.#channel;
    this.#channel.join(id, this);
    const cancel = () => this.mailbox.fail(signal.reason);
    signal.addEventListener("abort", cancel, { once: true });
    try {
      signal.throwIfAborted();
      await Promise.race([turns.offer(() => this.#offer()), this.mailbox.failed]);
      return await this.#transfer();
    } catch (error) {
      await this.#giveUp(error);
      throw error;
    } finally {
      this.#isOver = true;
      this.#watch?.close();
      signal.removeEventListener("abort", cancel);
      this.#channel.leave(id);
      this.#pacing.close();
      this.#place.leave();
      this.#lanes.close();
    }
  }

  /** Offers the source, once the receiver has room for one more offer, and waits for its yes. */
  async #offer(): Promise<void> {
    if (this.#isOver) return;
    await offerSource(this.#channel, this.#source, this.#record, this.#options);
    this.#pacing.begin();
    await takeAnswer(this.mailbox, this.#plan, (message) => this.#common(message));
  }

  async #transfer(): Promise<Receipt> {
    // A text moves nothing that could be held.
    if (this.#source.text === undefined) {
      const [channel, lanes, pacing] = [this.#channel, this.#lanes, this.#pacing];
      const about = { transferId: this.#record.id, options: this.#options };
      this.#watch = watchOutgoing({ ...about, channel, lanes, pacing });
    }
    this.#speed.add(this.#options.clock.now(), 0);
    this.#send(() => this.#sendAll());
    for (;;) {
      const message = await this.mailbox.next();
      if (message.type === "want") this.#sendAgain([this.#plan.wanted(message)]);
      else if (message.type === "refuse") this.#refused(message.lane);
      else if (message.type === "results") this.#receipt.add(message.files);
      else if (message.type === "receipt") {
        const { transfer } = message;
        const bounds = this.#watch?.end() ?? [];
        await this.#channel.say({ type: "settled", transfer, bounds });
        const { skipped, text } = this.#source;
        const receipt = this.#receipt.finish(transfer, message.seconds, skipped);
        const whole = { ...receipt, wireBytes: this.#lanes.wireBytes, bounds };
        return text === undefined ? whole : { ...whole, characters: text.length };
      } else this.#common(message);
    }
  }

  /** Does work on lanes after what is under way; a failure of it ends the transfer. */
  #send(work: () => Promise<void>): void {
    this.#sending = this.#sending.then(work);
    this.#sending.catch((error) => this.mailbox.fail(error));
  }

  async #sendAll(): Promise<void> {
    await this.#waitForTurn();
    const format = this.#formats.current;
    const { ranges, rangeBytes, bytes, lanes: wanted } = this.#plan.size(format.name);
    const most = Math.min(this.#mostLanes, format.name === "ultra" ? wanted : standardLanes);
    const lanes = this.#lanes.first(most);
    const { id: transferId } = this.#record;
    const about = { profile: format.name, compress: this.#lanes.compression };
    this.#record.emit({ type: "lanes", transferId, ...about, lanes, ranges, rangeBytes });
    for (const [entry, held] of this.#plan.heldPieces()) {
      await this.#files.leaveOut(entry, onesIn(held));
    }
    await this.#sendJobs(format, this.#plan.jobs(format.name), { lanes, bytes });
    if (this.#plan.compared.size > 0) await this.#sendUnequal();
    await this.#done();
  }

  /** Says that it waits as long as enough others move. */
  async #waitForTurn(): Promise<void> {
    const turn = this.#place.enter();
    this.#pacing.setQueued(!this.#place.isMoving);
    await turn;
    this.#pacing.setQueued(false);
  }

  /** Compares what the receiver asked for, and sends only the pieces that differ. */
  async #sendUnequal(): Promise<void> {
    const { id: transfer, signal } = this.#record;
    const equal = new Map<number, Uint8Array>();
    for (const [entry, file] of this.#plan.compared) {
      signal.throwIfAborted();
      const same = await compareFile(this.#files, entry, file);
      if (!same) continue;
      equal.set(entry, same);
      await this.#files.leaveOut(entry, onesIn(same));
      for (const runs of batches(provenRuns(same), maxItems, () => wireRunBytes)) {
        await this.#channel.say({ type: "equal", transfer, entry, runs });
      }
    }
    const format = this.#formats.current;
    await this.#sendSome(format, () => this.#plan.unequal(format.name, equal));
  }

  get #mostLanes(): number {
    return Math.min(this.#options.lanes, this.#channel.hello.maxLanes);
  }

  /** Sends what is not much. */
  async #sendSome(format: DataFormat, jobs: () => Generator<Job>): Promise<void> {
    const lanes = countJobs(jobs(), standardLanes);
    await this.#sendJobs(format, jobs(), { lanes, bytes: runBytes(jobs()) });
  }

  async #sendJobs(
    format: DataFormat,
    jobs: Generator<Job>,
    size: { lanes: number; bytes: number },
  ): Promise<void> {
    const left = await this.#lanes.sendJobs(format, jobs, { ...size, most: this.#mostLanes });
    if (!left) return;
    this.#formats.drop(format.wire);
    this.#sendAgain(left);
  }

  #sendAgain(jobs: Job[]): void {
    this.#again.push(...jobs);
    this.#send(async () => {
      const again = this.#again.splice(0);
      if (again.length === 0) return;
      const format = this.#formats.current;
      await this.#sendSome(format, () => this.#plan.inFormat(format.name, again));
      await this.#done();
    });
  }

  async #done(): Promise<void> {
    const { id: transfer } = this.#record;
    const failures = this.#files.takeFailures();
    const bytesOf = ({ reason }: { reason: string }) => textBytes("", reason);
    for (const batch of batches(failures, maxItems, bytesOf)) {
      await this.#channel.say({ type: "absent", transfer, failures: batch });
    }
    await this.#channel.say({ type: "done", transfer, lanes: this.#lanes.count });
  }

  #refused(lane: number): void {
    const { wire, jobs } = this.#lanes.refused(lane);
    this.#formats.drop(wire);
    this.#sendAgain(jobs);
  }

  /** What may come at any time. */
  #common(message: ControlMessage): void {
    if (message.type === "reject") throw peerFailure(message);
    throw unexpected(message.type);
  }

  async #giveUp(error: unknown): Promise<void> {
    const { code, reason } = failureFor(error, "the sender");
    if (code === "CONNECTION_LOST" || code === "PEER_REJECTED") return;
    const { id: transfer } = this.#record;
    await this.#channel.say({ type: "cancel", transfer, code, reason }).catch(() => {});
  }

  takePace(message: PaceMessage): void {
    this.#pacing.take(message);
  }

  async takeProgress(stream: ReceiveStream): Promise<void> {
    const { totals } = this.#source.manifest;
    const total = totals.bytes - this.#plan.skippedBytes;
    const totalFiles = totals.files - this.#plan.skippedFiles;
    for await (const { bytes, files, lanes, times } of readProgress(stream)) {
      if (times) this.#watch?.heard(times);
      const now = this.#options.clock.now();
      const moved = lanes.reduce((sum, some) => sum + some, 0);
      if (moved > 0) this.#lanes.accepted();
      this.#speed.add(now, moved);
      this.#record.emit({
        type: "progress",
        transferId: this.#record.id,
        bytes: Math.min(bytes, total),
        total,
        files,
        totalFiles,
        throughput: this.#speed.bytesPerSecond,
        etaMs: this.#speed.etaMs(total - bytes),
        lanes: this.#lanes.count,
        laneBytes: lanes,
        wireBytes: this.#lanes.wireBytes,
        rttMs: this.#channel.looks.stats.rttMs,
        boundBy: this.#watch?.by ?? null,
        ...this.#pacing.shown,
      });
    }
    this.#watch?.landing();
  }
}

/** At most, in CBOR. */
const wireRunBytes = 32;
