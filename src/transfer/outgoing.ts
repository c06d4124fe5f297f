/** The sender's side of one transfer over one session, from the offer to the receipt. */

import type { ReceiveStream } from "../engine/engine.ts";
import { fewestLanes, standardLanes } from "../options.ts";
import type { ControlMessage } from "../protocol/messages.ts";
import type { BoundWatch } from "./bound-watch.ts";
import type { Channel, Part } from "./channel.ts";
import { sayEqual } from "./compare-files.ts";
import { codingsFor } from "./compression.ts";
import { type DataFormat, FormatChoice, formatsFor } from "./data-formats.ts";
import type { Receipt } from "./events.ts";
import { peerFailure } from "./failure.ts";
import { LaneSender } from "./lane-sender.ts";
import { onesIn } from "./leftover.ts";
import { Mailbox } from "./mailbox.ts";
import { OfferedContent } from "./offered-content.ts";
import { sayDone, sayOver } from "./outgoing-ending.ts";
import { offerSource, takeAnswer } from "./outgoing-offer.ts";
import type { OutgoingOptions } from "./outgoing-options.ts";
import { OutgoingPlan } from "./outgoing-plan.ts";
import { OutgoingStream } from "./outgoing-stream.ts";
import { watchOutgoing } from "./outgoing-watch.ts";
import { type PaceMessage, Pacing } from "./pacing.ts";
import { countJobs, type Job, runBytes } from "./plan.ts";
import { readProgress } from "./progress-stream.ts";
import { ReceiptReader } from "./receipt-reader.ts";
import { ShownProgress } from "./shown-progress.ts";
import type { Source } from "./source.ts";
import type { SourceFiles } from "./source-files.ts";
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
  /** In place of the plan, where a stream is sent. */
  readonly #stream: OutgoingStream | null;
  readonly #receipt: ReceiptReader;
  readonly #place: Place;
  readonly #pacing: Pacing;
  readonly #content: OfferedContent;
  readonly #progress: ShownProgress;
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
    // A standard piece cannot say where a stream ends.
    const isUsed = ({ name }: DataFormat) => !source.stream || name === "ultra";
    const formats = () => options.formats ?? formatsFor(options.profile, channel.hello.profiles);
    this.#formats = new FormatChoice(() => formats().filter(isUsed));
    this.#plan = new OutgoingPlan(source, options.tuning);
    this.#stream = source.stream ? new OutgoingStream(source.stream) : null;
    const isHeld = (entry: number) => !this.#stream && this.#plan.isHeld(entry);
    this.#receipt = new ReceiptReader(source.manifest, files, isHeld);
    this.#place = channel.turns.place(options.priority);
    const rest = (isPaused: boolean) => this.#place.rest(isPaused);
    this.#pacing = new Pacing({ ...options, channel, record, rest });
    this.#content = new OfferedContent({ channel, files, pacing: this.#pacing, options });
    this.#lanes = new LaneSender(channel, record.id, files, {
      tuning: options.tuning,
      clock: options.clock,
      limiters: this.#pacing.limiters,
      aside: options.engine.createLimiter(),
      place: this.#place,
      codings: () => codingsFor(options.compress, channel.hello.codecs),
    });
    this.#progress = new ShownProgress({ ...options, channel, record, pacing: this.#pacing });
  }

  async run(): Promise<Receipt> {
    const { id, signal } = this.#record;
    this.#channel.join(id, this);
    const cancel = () => this.mailbox.fail(signal.reason);
    signal.addEventListener("abort", cancel, { once: true });
    try {
      signal.throwIfAborted();
      await Promise.race([this.#channel.turns.offer(() => this.#offer()), this.mailbox.failed]);
      return await this.#transfer();
    } catch (failure) {
      const error = this.mailbox.causeOf(failure);
      await sayOver(this.#channel, id, error);
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
    await offerSource(this.#channel, this.#source, this.#record, this.#options, this.#content);
    this.#pacing.begin();
    if (!this.#stream) this.#plan.planAhead(this.#formats.current.name);
    const taker = this.#stream ?? this.#plan;
    const answer = takeAnswer(this.mailbox, taker, (message) => this.#common(message));
    this.#content.answered(await answer);
    this.#stream?.requireBeginning();
  }

  async #transfer(): Promise<Receipt> {
    // A text moves nothing that could be held.
    if (this.#source.text === undefined) {
      const [channel, lanes, pacing] = [this.#channel, this.#lanes, this.#pacing];
      const about = { transferId: this.#record.id, options: this.#options };
      this.#watch = watchOutgoing({ ...about, channel, lanes, pacing });
    }
    this.#progress.begin();
    const stream = this.#stream;
    if (this.#content.isTaken) this.#tellLanes({ lanes: 0, ranges: 0, rangeBytes: 0 });
    else this.#send(() => (stream ? this.#sendStream(stream) : this.#sendAll()));
    for (;;) {
      const message = await this.mailbox.next();
      if (message.type === "want") {
        const job = (stream ?? this.#plan).wanted(message);
        if (!stream?.sendAgain(job)) this.#sendAgain([job]);
      } else if (message.type === "refuse") this.#refused(message.lane);
      else if (message.type === "results") this.#receipt.add(message.files);
      else if (message.type === "arrived") this.#receipt.addArrived(message.runs);
      else if (message.type === "receipt") {
        const { transfer } = message;
        const bounds = this.#watch?.end() ?? [];
        await this.#channel.say({ type: "settled", transfer, bounds });
        const { skipped, text } = this.#source;
        const receipt = this.#receipt.finish(transfer, message.seconds, skipped);
        const whole = { ...receipt, wireBytes: this.#wireBytes, bounds };
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
    this.#tellLanes({ lanes, ranges, rangeBytes });
    for (const [entry, held] of this.#plan.heldPieces()) {
      await this.#files.leaveOut(entry, onesIn(held));
    }
    await this.#sendJobs(format, this.#plan.jobs(format.name), { lanes, bytes });
    if (this.#plan.compared.size > 0) await this.#sendUnequal();
    await this.#done();
  }

  async #sendStream(stream: OutgoingStream): Promise<void> {
    await this.#waitForTurn();
    const [format, most] = [this.#formats.current, this.#mostLanes];
    const lanes = stream.isThere ? 0 : this.#lanes.first(Math.min(most, fewestLanes));
    this.#tellLanes({ lanes, ranges: 0, rangeBytes: 0 });
    await this.#lanes.sendStream(format, stream.jobs(), { lanes, most });
    await this.#done();
  }

  #tellLanes(counts: { lanes: number; ranges: number; rangeBytes: number }): void {
    const about = { profile: this.#formats.current.name, compress: this.#lanes.compression };
    this.#record.emit({ type: "lanes", transferId: this.#record.id, ...about, ...counts });
  }

  /** Says that it waits as long as enough others move. */
  async #waitForTurn(): Promise<void> {
    const bytes = this.#stream ? Number.POSITIVE_INFINITY : this.#plan.totalBytes;
    const turn = this.#place.enter(bytes);
    this.#pacing.setQueued(!this.#place.isMoving);
    await turn;
    this.#pacing.setQueued(false);
  }

  /** Compares what the receiver asked for, and sends only the pieces that differ. */
  async #sendUnequal(): Promise<void> {
    const { id: transfer, signal } = this.#record;
    const [files, channel, { compared }] = [this.#files, this.#channel, this.#plan];
    const equal = await sayEqual({ transfer, files, compared, channel, signal });
    const format = this.#formats.current;
    await this.#sendSome(format, () => this.#plan.unequal(format.name, equal));
  }

  get #wireBytes(): number {
    return this.#lanes.wireBytes + this.#content.sentBytes;
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
    const end = (await this.#stream?.end()) ?? null;
    if (end) this.#source.manifest.endStream(end.bytes);
    const done = { transfer: this.#record.id, files: this.#files, lanes: this.#lanes.count, end };
    await sayDone(this.#channel, done);
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

  takePace(message: PaceMessage): void {
    this.#pacing.take(message);
  }

  async takeProgress(stream: ReceiveStream): Promise<void> {
    const totalFiles = this.#source.manifest.totals.files - this.#plan.skippedFiles;
    for await (const { bytes: proven, files, lanes: laneBytes, times } of readProgress(stream)) {
      if (times) this.#watch?.heard(times);
      this.#source.stream?.release(proven);
      if (laneBytes.some((moved) => moved > 0)) this.#lanes.accepted();
      const total = this.#stream?.total ?? this.#plan.totalBytes;
      const bytes = Math.min(proven, total);
      const { count: lanes } = this.#lanes;
      const [wireBytes, boundBy] = [this.#wireBytes, this.#watch?.by ?? null];
      const sizes = { bytes, total, files, totalFiles, wireBytes };
      this.#progress.show({ ...sizes, lanes, laneBytes, boundBy });
    }
    this.#watch?.landing();
  }
}
