/** The jobs of one transfer that is sent: what the receiver does not have, and what it asks for again. */

import { mostBundleLanes, type Tuning } from "../options.ts";
import { type LaneFormat, valueBytes } from "../protocol/lane.ts";
import type { ComparedPieces, HeldPieces } from "../protocol/messages.ts";
import { EntrySet } from "./entry-set.ts";
import {
  bytesFor,
  type FilePart,
  type Job,
  type PlannedFile,
  piecesIn,
  planStandard,
  planUltra,
} from "./plan.ts";
import type { Source } from "./source.ts";
import { unexpected } from "./unexpected.ts";

/** Plans a source for one receiver. */
export class OutgoingPlan {
  readonly #source: Source;
  readonly #tuning: Tuning;
  readonly #skipped = new EntrySet();
  /** Files that need not travel, and their bytes. */
  skippedFiles = 0;
  skippedBytes = 0;
  /** Runs come in order, so that a peer cannot name the same entries again and again. */
  #skippedTo = 0;
  #haveTo = 0;
  /** Which pieces of a file the receiver has; one byte a piece. */
  readonly #held = new Map<number, Uint8Array>();
  /** Pieces of files that the receiver wants compared first. */
  readonly compared = new Map<number, ComparedFile>();
  #ahead: JobsAhead | null = null;

  constructor(source: Source, tuning: Tuning) {
    this.#source = source;
    this.#tuning = tuning;
  }

  /** Leaves out a run of entries that the receiver has. `INVALID_FRAME` for one beyond the last. */
  skip(first: number, count: number): void {
    const { manifest } = this.#source;
    if (first < this.#skippedTo || first + count > manifest.totals.entries)
      throw unexpected("skip");
    this.#skippedTo = first + count;
    this.#ahead = null;
    for (let entry = first; entry < first + count; entry += 1) {
      const { kind, bytes } = manifest.entry(entry);
      if (kind === "file") this.skippedFiles += 1;
      this.skippedBytes += bytes;
      this.#skipped.add(entry);
    }
  }

  /** Leaves out a run of files that the receiver has whole. `INVALID_FRAME` for one beyond the last. */
  haveFiles(first: number, count: number): void {
    const { entries } = this.#source.manifest.totals;
    if (first < this.#haveTo || first + count > entries) throw unexpected("have");
    this.#haveTo = first + count;
    this.#ahead = null;
    for (let entry = first; entry < first + count; entry += 1) this.#skipped.add(entry);
  }

  /** Leaves out pieces that the receiver has. `INVALID_FRAME` for those that no file has. */
  havePieces({ entry, pieceBytes, first, count }: HeldPieces): void {
    const pieces = this.#checkPieces(entry, pieceBytes, first, count);
    // Pieces of another size than this side cuts are sent again.
    if (pieceBytes !== this.#pieceBytes(entry)) return;
    const held = this.#held.get(entry) ?? new Uint8Array(pieces);
    if (held.subarray(first, first + count).includes(1)) throw unexpected("pieces twice");
    this.#ahead = null;
    this.#held.set(entry, held.fill(1, first, first + count));
  }

  /** Notes pieces that are to be compared by value. `INVALID_FRAME` for those that no file has. */
  compare({ entry, pieceBytes, first, values }: ComparedPieces): void {
    const pieces = this.#checkPieces(entry, pieceBytes, first, values.length / valueBytes);
    if (pieceBytes !== this.#pieceBytes(entry)) return;
    const file = this.compared.get(entry) ?? { pieceBytes, pieces, runs: [] };
    const isNext = first >= (file.runs.at(-1)?.end ?? 0);
    if (!isNext) throw unexpected("compare");
    this.#ahead = null;
    file.runs.push({ first, end: first + values.length / valueBytes, values });
    this.compared.set(entry, file);
  }

  /** Jobs for what is left of files that were compared; one byte a piece, 1 where it is equal. */
  *unequal(format: LaneFormat, equal: ReadonlyMap<number, Uint8Array>): Generator<Job> {
    const plan = format === "ultra" ? planUltra : planStandard;
    for (const [entry, same] of equal) {
      this.#held.set(entry, same);
      yield* plan([this.#file(entry)], this.#tuning);
    }
  }

  /** Whether the receiver has a file, or pieces of it. */
  isHeld(entry: number): boolean {
    return this.#skipped.has(entry) || this.#held.has(entry);
  }

  /** Pieces of a file that need not be read. */
  heldPieces(): Iterable<[entry: number, held: Uint8Array]> {
    return this.#held;
  }

  /** Bytes of the files that travel. */
  get totalBytes(): number {
    return this.#source.manifest.totals.bytes - this.skippedBytes;
  }

  /** All jobs in a format. */
  *jobs(format: LaneFormat): Generator<Job> {
    const { kept } = this.planAhead(format);
    this.#ahead = null;
    yield* kept ?? this.#plan(format);
  }

  /** Plans all: while the receiver decides there is time for it. What it has then changes that. */
  planAhead(format: LaneFormat): JobsAhead {
    if (this.#ahead?.format === format) return this.#ahead;
    const size = { ranges: 0, bundles: 0, rangeBytes: 0, bytes: 0 };
    let kept: Job[] | null = [];
    for (const job of this.#plan(format)) {
      const length = job.kind === "run" ? job.length : 0;
      if (job.kind === "bundle") size.bundles += 1;
      size.rangeBytes = Math.max(size.rangeBytes, length);
      size.bytes += length;
      size.ranges += 1;
      if (size.ranges === mostCounted) break;
      if (size.ranges > mostKept) kept = null;
      kept?.push(job);
    }
    this.#ahead = { format, ...size, kept };
    return this.#ahead;
  }

  #plan(format: LaneFormat): Generator<Job> {
    const plan = format === "ultra" ? planUltra : planStandard;
    return plan(this.#files(), this.#tuning);
  }

  /**
   * How many jobs there are, counted up to 100,000; the bytes of the largest run, and of all; and the
   * lanes for them: one for each run, and few for bundles, as a slow disk leaves each lane's window full.
   */
  size(format: LaneFormat): { ranges: number; rangeBytes: number; bytes: number; lanes: number } {
    const { ranges, bundles, rangeBytes, bytes } = this.planAhead(format);
    const lanes = ranges - bundles + Math.min(bundles, mostBundleLanes);
    return { ranges, rangeBytes, bytes, lanes };
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
      const isLeft = kind === "file" && !this.#skipped.has(entry) && !this.compared.has(entry);
      if (isLeft) yield this.#file(entry);
    }
  }

  #file(entry: number): PlannedFile {
    const { bytes } = this.#source.manifest.entry(entry);
    const file = { entry, bytes, group: this.#source.place(entry).group };
    const held = this.#held.get(entry);
    return held ? { ...file, parts: missingParts(held, this.#pieceBytes(entry), bytes) } : file;
  }

  #pieceBytes(entry: number): number {
    return bytesFor(this.#tuning.pieceTable, this.#source.manifest.entry(entry).bytes);
  }

  /** Number of pieces of a file; `INVALID_FRAME` if the run does not lie in it. */
  #checkPieces(entry: number, pieceBytes: number, first: number, count: number): number {
    const { manifest } = this.#source;
    if (entry >= manifest.totals.entries) throw unexpected("pieces");
    const { kind, bytes } = manifest.entry(entry);
    const pieces = piecesIn(bytes, pieceBytes);
    if (kind !== "file" || first + count > pieces) throw unexpected("pieces");
    return pieces;
  }
}

/** A plan as far as it was counted. */
interface JobsAhead {
  format: LaneFormat;
  ranges: number;
  bundles: number;
  rangeBytes: number;
  bytes: number;
  /** All jobs; null where they are many. */
  kept: readonly Job[] | null;
}

/** A file of which the receiver has another version. */
export interface ComparedFile {
  pieceBytes: number;
  /** Pieces of the whole file. */
  pieces: number;
  /** The values that the receiver told, 32 bytes a piece, in order. */
  runs: { first: number; end: number; values: Uint8Array }[];
}

function missingParts(held: Uint8Array, pieceBytes: number, fileBytes: number): FilePart[] {
  const parts: FilePart[] = [];
  for (let at = held.indexOf(0); at >= 0; ) {
    const next = held.indexOf(1, at);
    const end = next < 0 ? held.length : next;
    const offset = at * pieceBytes;
    parts.push({ offset, length: Math.min(end * pieceBytes, fileBytes) - offset });
    at = held.indexOf(0, end);
  }
  return parts;
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
/** Those of 100,000 small files are 400, and take a megabyte. */
const mostKept = 1024;
