/** Sends the units of jobs, each encoded as is best when its turn comes. */

import type { Clock } from "../clock.ts";
import { asTheyAre } from "../codec.ts";
import type { SendStream, SourceFile } from "../engine/engine.ts";
import { TransferError } from "../errors.ts";
import { quickForBundles, type Tuning } from "../options.ts";
import { encodeUnit, type LaneFormat } from "../protocol/lane.ts";
import { CodecChoice, type CodingStep } from "./codec-choice.ts";
import type { Codings } from "./compression.ts";
import { isDiskFailure } from "./disk-failure.ts";
import { PathRate } from "./path-rate.ts";
import type { Job } from "./plan.ts";
import type { SourceFiles } from "./source-files.ts";

/** A run of pieces as a job. */
type RunJob = Extract<Job, { kind: "run" }>;

/** What units are sent with. */
export interface UnitOptions {
  codings: Codings;
  clock: Clock;
  tuning: Tuning;
}

/** A stream and the format of its units. */
export interface UnitLane {
  format: LaneFormat;
  stream: SendStream;
}

/** Sends units of one transfer. */
export class UnitSender {
  #path = { rateBytesPerSecond: 0, rttMs: 0 };
  /** The controller's idea of the path. */
  #estimate = 0;
  #encodedBytes = 0;
  readonly #rate = new PathRate();
  readonly #files: SourceFiles;
  readonly #clock: Clock;
  readonly #codings: Codings;
  /** Small files and the pieces of large ones are not alike. */
  readonly #choices: { run: CodecChoice; bundle: CodecChoice };

  constructor(files: SourceFiles, { codings, clock, tuning }: UnitOptions) {
    this.#files = files;
    this.#clock = clock;
    this.#codings = codings;
    const of = codings.kind === "best" ? codings.of : [];
    // One core is for the network.
    const threads = Math.max(1, tuning.encodeConcurrency - 1);
    this.#choices = { run: new CodecChoice(of, threads), bundle: new CodecChoice(of, threads) };
  }

  /** Takes in what is known of the path: now and then, while units are sent. */
  look({ rttMs, ...seen }: { estimate: number; rttMs: number; wireBytes: number }): void {
    const counts = { ...seen, nowMs: this.#clock.now(), encodedBytes: this.#encodedBytes };
    this.#estimate = seen.estimate;
    this.#path = { rateBytesPerSecond: this.#rate.look(counts), rttMs };
  }

  /** Sends a job; what cannot be read of it is noted, and said to be absent. */
  async send(lane: UnitLane, job: Job): Promise<void> {
    if (job.kind === "bundle") return this.#sendBundle(lane, job.entries);
    let rest: RunJob | null = job;
    try {
      await this.#files.borrow(job, async (file) => {
        while (rest) rest = await this.#sendSome(lane, rest, file);
      });
    } catch (error) {
      if (!isOfSource(error)) throw error;
      this.#files.fail(job.entry, error);
      await lane.stream.write(Buffer.concat([encodeUnit(lane.format, rest ?? job), absentPiece]));
    }
  }

  /** Sends the first pieces of a job, and returns what is left of it. */
  async #sendSome(
    { format, stream }: UnitLane,
    job: RunJob,
    file: SourceFile,
  ): Promise<RunJob | null> {
    const { entry, offset, pieceBytes } = job;
    return this.#encoded(stream, job.kind, async ({ mostBytes }) => {
      const most = Math.max(1, Math.floor(mostBytes / pieceBytes)) * pieceBytes;
      // How a stream begins says whether it is one piece.
      const length = this.#files.source.stream ? job.length : Math.min(most, job.length);
      const header = encodeUnit(format, { ...job, length });
      const run = { ...this.#files.plan(entry, offset), offset, length };
      const { values, failure } = await stream.sendRun(header, file, run);
      if (failure) {
        this.#files.fail(entry, failure);
        return null;
      }
      await this.#files.keepValues(entry, offset, values);
      const left = job.length - length;
      return left > 0 ? { ...job, offset: offset + length, length: left } : null;
    });
  }

  async #sendBundle({ format, stream }: UnitLane, entries: number[]): Promise<void> {
    const { source } = this.#files;
    const [first = 0] = entries;
    const { folder } = source.place(first);
    const sources = entries.map((entry) => {
      const { bytes, mtimeMs } = source.manifest.entry(entry);
      return { path: source.place(entry).path, bytes, mtimeMs };
    });
    const header = encodeUnit(format, { kind: "bundle", entries });
    const results = await this.#encoded(stream, "bundle", () =>
      stream.sendBundle(header, folder, sources),
    );
    results.forEach(({ status, hash, failure }, at) => {
      const entry = entries[at] ?? 0;
      if (status === "ok") this.#files.keepHash(entry, hash);
      else this.#files.fail(entry, failure);
    });
  }

  /** Does a call in the coding that is best now, and takes in what that came to. */
  async #encoded<T>(
    stream: SendStream,
    kind: Job["kind"],
    call: (step: CodingStep) => Promise<T>,
  ): Promise<T> {
    const isTooQuick = kind === "bundle" && this.#estimate > quickForBundles;
    if (this.#codings.kind === "fixed" || isTooQuick) {
      const coding = this.#codings.kind === "fixed" ? this.#codings.coding : asTheyAre;
      stream.setCoding(coding);
      return call({ coding, mostBytes: Number.POSITIVE_INFINITY, isTrial: false });
    }
    const choice = this.#choices[kind];
    const step = choice.next({ ...this.#path, nowMs: this.#clock.now() });
    const before = stream.encoded;
    stream.setCoding(step.coding);
    try {
      return await call(step);
    } finally {
      const after = stream.encoded;
      const encoded = {
        rawBytes: after.rawBytes - before.rawBytes,
        sentBytes: after.sentBytes - before.sentBytes,
        encodeMs: after.encodeMs - before.encodeMs,
      };
      this.#encodedBytes += encoded.sentBytes;
      choice.note(step, encoded, this.#clock.now());
    }
  }
}

/** Whether a failure is of the file that is read, and not of the lane that it goes into. */
function isOfSource(error: unknown): boolean {
  const isChanged = error instanceof TransferError && error.code === "SOURCE_CHANGED";
  return isChanged || isDiskFailure(error);
}

/** A piece that says that it cannot be read: codec 255, no bytes, no value. */
const absentPiece = Buffer.from("ff00000000", "hex");
