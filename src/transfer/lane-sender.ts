/** Opens a transfer's lanes, all at once, and keeps them busy with jobs. */

import type { Clock } from "../clock.ts";
import type { Connection, SendStream } from "../engine/engine.ts";
import { errorCodes, TransferError } from "../errors.ts";
import { progressIntervalMs } from "../options.ts";
import { encodeLaneHeader, encodeUnit } from "../protocol/lane.ts";
import { maxLanes } from "../protocol/limits.ts";
import type { DataFormat } from "./data-formats.ts";
import { Gate } from "./gate.ts";
import { activeLanes, type Job } from "./plan.ts";
import type { SourceFiles } from "./source-files.ts";

/** An open lane and what it was given. */
interface Lane {
  format: DataFormat;
  stream: SendStream;
  /** Kept until the peer is known to accept the format. */
  given: Job[];
  isRefused: boolean;
}

/** The lanes of one transfer. */
export class LaneSender {
  readonly #connection: Connection;
  readonly #transferId: string;
  readonly #files: SourceFiles;
  readonly #options: { streamWindowBytes: number; clock: Clock };
  readonly #lanes: Lane[] = [];
  #isAccepted = false;

  constructor(
    connection: Connection,
    transferId: string,
    files: SourceFiles,
    options: { streamWindowBytes: number; clock: Clock },
  ) {
    this.#connection = connection;
    this.#transferId = transferId;
    this.#files = files;
    this.#options = options;
  }

  /** Lanes opened so far. */
  get count(): number {
    return this.#lanes.length;
  }

  /** Notes that the peer takes the format in use: what was given need not be remembered. */
  accepted(): void {
    if (this.#isAccepted) return;
    this.#isAccepted = true;
    for (const lane of this.#lanes) lane.given = [];
  }

  /** The format and the jobs of a lane that the peer refused. `INVALID_FRAME` if there is none. */
  refused(number: number): { wire: number; jobs: Job[] } {
    const lane = this.#lanes[number];
    if (!lane || this.#isAccepted) {
      throw new TransferError("INVALID_FRAME", "the peer refused a lane that it cannot have seen");
    }
    lane.isRefused = true;
    return { wire: lane.format.wire, jobs: lane.given.splice(0) };
  }

  /**
   * Opens lanes and sends the jobs over them; resolves when all are handed to the engine.
   *
   * Each lane takes the next job when it is free; with `deal`, job n goes to lane n modulo lanes.
   * What a refused lane was given is not sent elsewhere: {@link LaneSender.refused} has it.
   *
   * @returns whether the peer took the format; if not, jobs may be left.
   */
  async sendJobs(
    format: DataFormat,
    jobs: Iterator<Job>,
    lanes: number,
    options: { deal: boolean },
  ): Promise<boolean> {
    const first = this.count;
    if (first + lanes > maxLanes) {
      throw new TransferError(
        "CONTENT_MISMATCH",
        "pieces were bad again and again; check memory and disk of both sides",
      );
    }
    const opened = await Promise.all(
      Array.from({ length: lanes }, (_, at) => this.#open(format, first + at)),
    );
    const { streamWindowBytes, clock } = this.#options;
    // Asked for now and then only: the counters wait for whatever the connection is doing.
    const room = () => {
      const { congestionWindowBytes } = this.#connection.stats();
      return activeLanes(lanes, congestionWindowBytes, streamWindowBytes);
    };
    const gate = new Gate(room());
    const stopTicking = clock.every(progressIntervalMs, () => gate.resize(room()));
    const next = options.deal ? dealer(jobs, lanes) : () => jobs.next().value as Job | undefined;
    try {
      await Promise.all(opened.map((lane, at) => this.#work(lane, () => next(at), gate)));
    } finally {
      stopTicking();
    }
    return !opened.some((lane) => lane.isRefused);
  }

  /** Abandons the lanes that are still open. */
  close(): void {
    for (const { stream } of this.#lanes) stream.reset(errorCodes.CANCELLED.wire);
  }

  async #open(format: DataFormat, number: number): Promise<Lane> {
    const stream = await this.#connection.openUnidirectional();
    const lane: Lane = { format, stream, given: [], isRefused: false };
    this.#lanes[number] = lane;
    const header = { transferId: this.#transferId, lane: number };
    await this.#unlessRefused(lane, () => stream.write(encodeLaneHeader(format.wire, header)));
    return lane;
  }

  async #work(lane: Lane, next: () => Job | undefined, gate: Gate): Promise<void> {
    for (let job = next(); job; job = next()) {
      const current = job;
      if (!this.#isAccepted) lane.given.push(current);
      await gate.run(() => this.#unlessRefused(lane, () => this.#send(lane, current)));
      if (lane.isRefused) return;
    }
    await this.#unlessRefused(lane, () => lane.stream.finish());
  }

  async #unlessRefused(lane: Lane, work: () => Promise<void>): Promise<void> {
    try {
      if (!lane.isRefused) await work();
    } catch (error) {
      const isRefusal = error instanceof TransferError && error.code === "UNSUPPORTED_FORMAT";
      if (!isRefusal) throw error;
      lane.isRefused = true;
    }
  }

  async #send(lane: Lane, job: Job): Promise<void> {
    if (job.kind === "bundle") return this.#sendBundle(lane, job.entries);
    const { entry, offset, length } = job;
    const plan = this.#files.plan(entry);
    const header = encodeUnit(lane.format.name, job);
    try {
      await this.#files.borrow(entry, async (file) => {
        const { values, failure } = await lane.stream.sendRun(header, file, {
          ...plan,
          offset,
          length,
        });
        if (failure) this.#files.fail(entry, failure);
        else await this.#files.keepValues(entry, offset, values);
      });
    } catch (error) {
      if (!isOfSource(error)) throw error;
      this.#files.fail(entry, error);
      await lane.stream.write(Buffer.concat([header, absentPiece]));
    }
  }

  async #sendBundle(lane: Lane, entries: number[]): Promise<void> {
    const { source } = this.#files;
    const [first = 0] = entries;
    const { folder } = source.place(first);
    const sources = entries.map((entry) => {
      const { bytes, mtimeMs } = source.manifest.entry(entry);
      return { path: source.place(entry).path, bytes, mtimeMs };
    });
    const header = encodeUnit(lane.format.name, { kind: "bundle", entries });
    const results = await lane.stream.sendBundle(header, folder, sources);
    results.forEach(({ status, hash, failure }, at) => {
      const entry = entries[at] ?? 0;
      if (status === "ok") this.#files.keepHash(entry, hash);
      else this.#files.fail(entry, failure);
    });
  }
}

/** Whether a failure is of the file that is read, and not of the lane that it goes into. */
function isOfSource(error: unknown): boolean {
  if (!(error instanceof TransferError)) return false;
  return error.code.startsWith("DISK_") || error.code === "SOURCE_CHANGED";
}

/** Deals jobs to lanes in turn. */
function dealer(jobs: Iterator<Job>, lanes: number): (lane: number) => Job | undefined {
  const hands: Job[][] = Array.from({ length: lanes }, () => []);
  let turn = 0;
  return (lane) => {
    for (;;) {
      const job = hands[lane]?.shift();
      if (job) return job;
      const { value, done } = jobs.next();
      if (done) return undefined;
      hands[turn]?.push(value);
      turn = (turn + 1) % lanes;
    }
  };
}

/** A piece that says that it cannot be read: codec 255, no bytes, no value. */
const absentPiece = Buffer.from("ff00000000", "hex");
