/** Opens a transfer's lanes, all at once, and keeps them busy with jobs. */

import type { SendStream, SpentTime } from "../engine/engine.ts";
import { errorCodes, TransferError } from "../errors.ts";
import { lazy } from "../lazy.ts";
import {
  fewestBusyLanes,
  mostTurnBytes,
  progressIntervalMs,
  secondConnectionLanes,
} from "../options.ts";
import { encodeLaneHeader } from "../protocol/lane.ts";
import { maxLanes } from "../protocol/limits.ts";
import type { Channel } from "./channel.ts";
import { type Codings, type Compression, compressionText } from "./compression.ts";
import { Crew } from "./crew.ts";
import type { DataFormat } from "./data-formats.ts";
import type { Gate } from "./gate.ts";
import { busyLanes, dealer, inTurns, isHeldByThread, type Job, mostTurn } from "./plan.ts";
import { type Route, type RouteOptions, Routes } from "./routes.ts";
import { sumOfSpent } from "./side-clock.ts";
import type { SourceFiles } from "./source-files.ts";
import { type UnitOptions, UnitSender } from "./unit-sender.ts";

/** An open lane and what it was given. */
interface Lane {
  format: DataFormat;
  stream: SendStream;
  /** Kept until the peer is known to accept the format. */
  given: Job[];
  isRefused: boolean;
}

/** What the lanes of a transfer share, with each other and with those of other transfers. */
export interface LaneOptions extends Omit<UnitOptions, "codings">, RouteOptions {
  /** How pieces may be encoded; asked once the peer has said what it reads. */
  codings: () => Codings;
}

/** What the lanes go over. */
type Carrier = Pick<Channel, "connection" | "looks" | "widen">;

/** The lanes of one transfer. */
export class LaneSender {
  readonly #channel: Carrier;
  readonly #transferId: string;
  readonly #options: LaneOptions;
  /** Without a stream as long as it is being opened. */
  readonly #lanes: (Lane | undefined)[] = [];
  readonly #units: () => UnitSender;
  /** Lanes that the path has use for, those of other transfers included. */
  #useful = fewestBusyLanes;
  #mostTurn = mostTurnBytes;
  #isAccepted = false;
  #isClosed = false;

  constructor(channel: Carrier, transferId: string, files: SourceFiles, options: LaneOptions) {
    this.#channel = channel;
    this.#transferId = transferId;
    this.#options = options;
    this.#units = lazy(() => new UnitSender(files, { ...options, codings: options.codings() }));
  }

  /** Lanes opened so far. */
  get count(): number {
    return this.#lanes.length;
  }

  /** Of so many lanes, those to begin with: all, but beside other transfers only those that will be busy. */
  first(lanes: number): number {
    if (this.#options.place.isAlone) return lanes;
    this.#look();
    return Math.min(lanes, this.#busy);
  }

  /** How pieces are encoded. */
  get compression(): Compression {
    return compressionText(this.#options.codings());
  }

  /** Bytes that all lanes have taken, headers and what was sent again included. */
  get wireBytes(): number {
    return this.#lanes.reduce((sum, lane) => sum + (lane?.stream.sentBytes ?? 0), 0);
  }

  /** Where the time of all lanes went. */
  get spent(): SpentTime {
    return sumOfSpent(this.#lanes.flatMap((lane) => lane?.stream.spent ?? []));
  }

  /** Notes that the peer takes the format in use: what was given need not be remembered. */
  accepted(): void {
    if (this.#isAccepted) return;
    this.#isAccepted = true;
    for (const lane of this.#lanes) if (lane) lane.given = [];
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
   * Standard deals: job n goes to lane n modulo lanes. In ultra each lane takes the next turn when it is
   * free, and lanes are added where the path holds more than theirs.
   * What a refused lane was given is not sent elsewhere: {@link LaneSender.refused} has it.
   *
   * @returns null if the peer took the format; if not, the jobs that are left.
   */
  async sendJobs(
    format: DataFormat,
    plan: Generator<Job>,
    { lanes, most, bytes }: LaneCounts,
  ): Promise<Job[] | null> {
    const deal = format.name === "standard";
    const jobs = deal
      ? plan
      : inTurns(plan, bytes, () => ({ lanes: this.#busy, mostBytes: this.#mostTurn }));
    let isDry = false;
    const takeNext = () => {
      const { value, done } = jobs.next();
      isDry ||= done === true;
      return done ? undefined : value;
    };
    const next = deal ? dealer(jobs, lanes) : takeNext;
    const isMore = () => !deal && !isDry;
    const opened = await this.#share(format, next, { lanes, most, isMore });
    return opened.some((lane) => lane.isRefused) ? [...jobs] : null;
  }

  /**
   * The same with jobs that come with time; none of them is in a lane twice.
   *
   * @throws {TransferError} `UNSUPPORTED_FORMAT` if the peer did not take the format.
   */
  async sendStream(
    format: DataFormat,
    jobs: AsyncGenerator<Job, undefined>,
    { lanes, most }: Omit<LaneCounts, "bytes">,
  ): Promise<void> {
    let isDry = false;
    const next = async () => {
      const { value } = await jobs.next();
      isDry ||= value === undefined;
      return value;
    };
    const opened = await this.#share(format, next, { lanes, most, isMore: () => !isDry });
    if (opened.some((lane) => lane.isRefused)) {
      throw new TransferError(
        "UNSUPPORTED_FORMAT",
        "the receiver did not take the stream's format",
      );
    }
  }

  /** Opens lanes that each take the next job when they are free, and more of them as the path has use for. */
  async #share(
    format: DataFormat,
    next: NextJob,
    { lanes, most, isMore }: { lanes: number; most: number; isMore: () => boolean },
  ): Promise<Lane[]> {
    const { clock, place } = this.#options;
    const crew = new Crew();
    this.#look();
    const routes = new Routes(this.#options, () => this.#busy);
    const hire = async (count: number, route: Route) => {
      const opened = await this.#openAll(route, format, count);
      opened.forEach((lane, at) => {
        crew.add(this.#work(lane, () => next(at), route.gate));
      });
      return opened;
    };
    const first = routes.add(this.#channel.connection);
    const widen = async () => {
      const second = await this.#channel.widen();
      if (!second || routes.count > 1 || !isMore()) return;
      crew.add(hire(place.share(secondConnectionLanes), routes.add(second)));
    };
    const stopLooking = clock.every(progressIntervalMs, () => {
      this.#look();
      routes.resize();
      if (!isMore() || !this.#isAccepted) return;
      const missing = Math.min(this.#busy, most) - this.count;
      if (missing > 0) crew.add(hire(missing, first));
      const hasRoom = routes.count === 1 && most >= secondConnectionLanes;
      if (hasRoom && !place.isBehind && this.#isHeldByThread) void widen();
    });
    try {
      const opened = await hire(lanes, first);
      await crew.done();
      return opened;
    } finally {
      routes.close();
      stopLooking();
    }
  }

  /** Abandons the lanes that are still open. */
  close(): void {
    this.#isClosed = true;
    for (const lane of this.#lanes) lane?.stream.reset(errorCodes.CANCELLED.wire);
  }

  /** How many of them are to be busy with this transfer. */
  get #busy(): number {
    return this.#options.place.share(this.#useful);
  }

  /** Asks the connection for its rate, and how many lanes it has use for. Not before each job: the counters wait for a lock. */
  #look(): void {
    const { tuning } = this.#options;
    const { stats } = this.#channel.looks;
    const { congestionWindowBytes, rateBytesPerSecond, rttMs } = stats;
    // A controller without an idea of the rate has a window for each round trip.
    const estimate = rateBytesPerSecond || (1000 * congestionWindowBytes) / Math.max(1, rttMs);
    this.#units().look({ estimate, rttMs, wireBytes: this.wireBytes });
    this.#useful = busyLanes(stats, tuning.streamWindowBytes);
    this.#mostTurn = mostTurn(rttMs, tuning.streamWindowBytes);
  }

  /** Whether more is sent, and faster, than one thread of either side is good for. */
  get #isHeldByThread(): boolean {
    const { tuning, place } = this.#options;
    const leftBytes = place.bytes - this.wireBytes;
    return isHeldByThread(this.#channel.looks.stats, leftBytes, tuning.secondConnectionAbove);
  }

  async #openAll(route: Route, format: DataFormat, count: number): Promise<Lane[]> {
    const first = this.count;
    if (first + count > maxLanes) {
      throw new TransferError(
        "CONTENT_MISMATCH",
        "pieces were bad again and again; check memory and disk of both sides",
      );
    }
    // Their numbers are taken before anything is awaited.
    this.#lanes.length += count;
    return Promise.all(
      Array.from({ length: count }, (_, at) => this.#open(route, format, first + at)),
    );
  }

  async #open(route: Route, format: DataFormat, number: number): Promise<Lane> {
    const stream = await route.connection.openUnidirectional();
    // One that was on its way when the others were abandoned.
    if (this.#isClosed) stream.reset(errorCodes.CANCELLED.wire);
    stream.limitBy(route.limiters);
    await stream.setPriority(this.#options.place.rank);
    const lane: Lane = { format, stream, given: [], isRefused: false };
    this.#lanes[number] = lane;
    const header = { transferId: this.#transferId, lane: number };
    await this.#unlessRefused(lane, () => stream.write(encodeLaneHeader(format.wire, header)));
    return lane;
  }

  async #work(lane: Lane, next: () => ReturnType<NextJob>, gate: Gate): Promise<void> {
    for (let job = await next(); job; job = await next()) {
      const current = job;
      if (!this.#isAccepted) lane.given.push(current);
      await gate.run(() => this.#unlessRefused(lane, () => this.#sendUnits(lane, current)));
      if (lane.isRefused) return;
    }
    await this.#unlessRefused(lane, () => lane.stream.finish());
  }

  #sendUnits({ format, stream }: Lane, job: Job): Promise<void> {
    return this.#units().send({ format: format.name, stream }, job);
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
}

/** The next job for the lane of a number; undefined when there is none any more. */
type NextJob = (lane: number) => Job | undefined | Promise<Job | undefined>;

/** How much is sent, and over how many lanes. */
interface LaneCounts {
  /** Opened at once. */
  lanes: number;
  /** At most, later ones included. */
  most: number;
  /** Of all runs. */
  bytes: number;
}
