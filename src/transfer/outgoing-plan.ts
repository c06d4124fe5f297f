/** The jobs of one transfer that is sent: what the receiver does not have, and what it asks for again. */

import type { Tuning } from "../options.ts";
import type { LaneFormat } from "../protocol/lane.ts";
import { bytesFor, type Job, type PlannedFile, planStandard, planUltra } from "./plan.ts";
import type { Source } from "./source.ts";
import { unexpected } from "./unexpected.ts";

/** Plans a source for one receiver. */
export class OutgoingPlan {
  readonly #source: Source;
  readonly #tuning: Tuning;
  readonly #skipped = new Set<number>();
  /** Bytes of files that need not travel. */
  skippedBytes = 0;

  constructor(source: Source, tuning: Tuning) {
    this.#source = source;
    this.#tuning = tuning;
  }

  /** Leaves out a run of entries that the receiver has. `INVALID_FRAME` for one beyond the last. */
  skip(first: number, count: number): void {
    const { manifest } = this.#source;
    if (first + count > manifest.totals.entries) throw unexpected("skip");
    for (let entry = first; entry < first + count; entry += 1) {
      if (!this.#skipped.has(entry)) this.skippedBytes += manifest.entry(entry).bytes;
      this.#skipped.add(entry);
    }
  }

  /** All jobs in a format. */
  jobs(format: LaneFormat): Generator<Job> {
    const plan = format === "ultra" ? planUltra : planStandard;
    return plan(this.#files(), this.#tuning);
  }

  /** How many jobs there are, counted up to 100,000, and the bytes of the largest run. */
  size(format: LaneFormat): { ranges: number; rangeBytes: number } {
    let ranges = 0;
    let rangeBytes = 0;
    for (const job of this.jobs(format)) {
      if (job.kind === "run") rangeBytes = Math.max(rangeBytes, job.length);
      ranges += 1;
      if (ranges === mostCounted) break;
    }
    return { ranges, rangeBytes };
  }

  /** Jobs as a format can carry them: the standard one has no bundles, and its runs are one piece. */
  *inFormat(format: LaneFormat, jobs: readonly Job[]): Generator<Job> {
    for (const job of jobs) {
      if (format === "ultra") yield job;
      else if (job.kind === "run") yield* piecesOf(job);
      else
        yield* planStandard(
          job.entries.map((entry) => this.#file(entry)),
          this.#tuning,
        );
    }
  }

  /** The job that a `want` asks for. `INVALID_FRAME` for what was not offered. */
  wanted(want: { entry: number; offset: number; length: number }): Job {
    const { entry, offset, length } = want;
    const { manifest } = this.#source;
    if (entry >= manifest.totals.entries) throw unexpected("want");
    const { kind, bytes } = manifest.entry(entry);
    const pieceBytes = bytesFor(this.#tuning.pieceTable, bytes);
    const end = offset + length;
    const isWhole = offset % pieceBytes === 0 && (end === bytes || length % pieceBytes === 0);
    if (kind !== "file" || !isWhole || end > bytes || (length === 0 && bytes > 0)) {
      throw unexpected("want");
    }
    return { kind: "run", entry, offset, length, pieceBytes };
  }

  *#files(): Generator<PlannedFile> {
    for (const [entry, { kind }] of this.#source.manifest) {
      if (kind === "file" && !this.#skipped.has(entry)) yield this.#file(entry);
    }
  }

  #file(entry: number): PlannedFile {
    const { bytes } = this.#source.manifest.entry(entry);
    return { entry, bytes, group: this.#source.place(entry).group };
  }
}

function* piecesOf(run: Extract<Job, { kind: "run" }>): Generator<Job> {
  const end = run.offset + run.length;
  let { offset } = run;
  do {
    const length = Math.min(run.pieceBytes, end - offset);
    yield { ...run, offset, length };
    offset += length;
  } while (offset < end);
}

/** A million pieces need not be counted to be shown. */
const mostCounted = 100_000;
