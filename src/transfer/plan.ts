/**
 * Cuts what is offered into jobs for lanes.
 *
 * Pure: no I/O, no clock, no engine.
 */

import {
  bundleBytes,
  bundledFileBytes,
  bundleFiles,
  fewestBusyLanes,
  fewestLanes,
  laneTurnMs,
  longPathRttMs,
  mostTurnBytes,
  mostTurnMs,
  type SizeTable,
  secondConnectionBytes,
  secondConnectionRttMs,
} from "../options.ts";
import { maxRunPieces } from "../protocol/limits.ts";

/** A file to plan. */
export interface PlannedFile {
  /** Its position in the manifest. */
  entry: number;
  bytes: number;
  /** Files of different groups lie in different folders and share no bundle. */
  group: number;
  /** The parts that must travel, where that is not all of it. */
  parts?: readonly FilePart[];
}

/** Whole pieces of a file that follow each other. */
export interface FilePart {
  offset: number;
  length: number;
}

/** What a lane does before it asks for more. */
export type Job =
  | { kind: "run"; entry: number; offset: number; length: number; pieceBytes: number }
  | { kind: "bundle"; entries: number[] };

/** The tables that a plan follows. */
export interface PlanTables {
  rangeTable: SizeTable;
  pieceTable: SizeTable;
}

/** Number of pieces of a file, or of a run; an empty one is one empty piece. */
export function piecesIn(bytes: number, pieceBytes: number): number {
  return Math.max(1, Math.ceil(bytes / pieceBytes));
}

/** The row of a table for a file's size. */
export function bytesFor(table: SizeTable, fileBytes: number): number {
  for (const { upTo, bytes } of table) if (fileBytes <= upTo) return bytes;
  throw new RangeError("the last row of a table must be for files of any size");
}

/**
 * Size of the ranges of a file: the table's, or less, so that a file of 8 pieces has 8 ranges.
 *
 * One lane's window alone would cap the file's rate.
 */
function rangeBytesFor(fileBytes: number, tables: PlanTables): number {
  const pieceBytes = bytesFor(tables.pieceTable, fileBytes);
  const pieces = Math.ceil(fileBytes / pieceBytes);
  const share = Math.max(1, Math.floor(pieces / fewestLanes)) * pieceBytes;
  const most = maxRunPieces * pieceBytes;
  const range = Math.min(most, Math.max(pieceBytes, bytesFor(tables.rangeTable, fileBytes)));
  return pieces < fewestLanes ? range : Math.min(range, share);
}

/**
 * Ultra: each file as ranges, and small files many to a bundle, in manifest order.
 *
 * @example
 * [...planUltra([{ entry: 0, bytes: 100_000, group: 0 }], defaultTuning)];
 * // [{ kind: "run", entry: 0, offset: 0, length: 100_000, pieceBytes: 65_536 }]
 */
export function* planUltra(files: Iterable<PlannedFile>, tables: PlanTables): Generator<Job> {
  let entries: number[] = [];
  let held = 0;
  let heldGroup = 0;
  for (const { entry, bytes, group, parts } of files) {
    if (!parts && isBundled(bytes, tables)) {
      const isFull = held + bytes > bundleBytes || entries.length === bundleFiles;
      if (entries.length > 0 && (isFull || group !== heldGroup)) {
        yield { kind: "bundle", entries };
        entries = [];
        held = 0;
      }
      entries.push(entry);
      held += bytes;
      heldGroup = group;
    } else yield* runsOf({ entry, bytes, group, parts }, rangeBytesFor(bytes, tables), tables);
  }
  if (entries.length > 0) yield { kind: "bundle", entries };
}

/** Standard: one piece a job; an empty file is one empty piece. */
export function* planStandard(files: Iterable<PlannedFile>, tables: PlanTables): Generator<Job> {
  for (const file of files) {
    yield* runsOf(file, bytesFor(tables.pieceTable, file.bytes), tables);
  }
}

/** Number of jobs, counted up to `most`. */
export function countJobs(jobs: Iterable<Job>, most: number): number {
  let count = 0;
  for (const _ of jobs) {
    count += 1;
    if (count === most) break;
  }
  return count;
}

/** Bytes of all runs of a plan. */
export function runBytes(jobs: Iterable<Job>): number {
  let bytes = 0;
  for (const job of jobs) if (job.kind === "run") bytes += job.length;
  return bytes;
}

/**
 * Cuts runs into turns: what a lane does before it looks for more.
 *
 * A turn is a share of what is left, so that lanes end together: one that was left alone with a long
 * range would fill no more than its own window.
 *
 * @param leftBytes - bytes of all the runs
 * @param path - tells how many lanes are busy, and the longest turn that ends in time
 */
export function* inTurns(
  jobs: Iterable<Job>,
  leftBytes: number,
  path: () => { lanes: number; mostBytes: number },
): Generator<Job> {
  let left = leftBytes;
  for (const job of jobs) {
    if (job.kind === "bundle") {
      yield job;
      continue;
    }
    let done = 0;
    do {
      const { lanes, mostBytes } = path();
      const share = Math.min(mostBytes, left / (2 * lanes));
      const wanted = Math.max(1, Math.floor(share / job.pieceBytes)) * job.pieceBytes;
      const length = Math.min(wanted, job.length - done);
      yield { ...job, offset: job.offset + done, length };
      done += length;
      left -= length;
    } while (done < job.length);
  }
}

/**
 * Lanes that should be busy at once: enough windows for what the path holds in flight, and no more, because
 * on a fast local wire few lanes are quicker than many, and each holds a window (docs/performance.md#lanes).
 *
 * Twice the congestion window, which itself is twice the path's content: a lane whose packet is lost
 * stands still with a full window until the packet has come again, at 5 % loss perhaps twice. A local wire's
 * congestion window is far more than twice its content, for acknowledgements come in bursts there; on a long
 * path it tells at the start what the next round trip will carry, before any rate does.
 */
export function busyLanes(
  { congestionWindowBytes, rateBytesPerSecond, rttMs }: PathLook,
  streamWindowBytes: number,
): number {
  const rate = rateBytesPerSecond || Number.POSITIVE_INFINITY;
  const content = (rate * Math.max(rttMs, laneTurnMs)) / 1000;
  const isLong = rttMs >= longPathRttMs;
  const flying = isLong ? congestionWindowBytes : Math.min(congestionWindowBytes, 2 * content);
  return Math.max(fewestBusyLanes, Math.ceil((2 * flying) / streamWindowBytes));
}

/**
 * The longest turn of a lane.
 *
 * A lane carries a window in a round trip, and where packets are lost in three: on a long path a lane that took much
 * while few were busy would be at it when all others are done.
 */
export function mostTurn(rttMs: number, streamWindowBytes: number): number {
  if (rttMs < longPathRttMs) return mostTurnBytes;
  return Math.min(mostTurnBytes, (streamWindowBytes * mostTurnMs) / rttMs);
}

/**
 * Whether a thread of one side holds a transfer, and not the wire, for long enough that a second connection
 * with threads of its own is worth its handshake (docs/architecture.md).
 *
 * @param leftBytes - what is still to be sent
 * @param above - bytes a second that no slower wire reaches
 */
export function isHeldByThread(
  { rateBytesPerSecond, rttMs }: PathLook,
  leftBytes: number,
  above: number,
): boolean {
  const isFast = rateBytesPerSecond > above && rttMs < secondConnectionRttMs;
  return isFast && leftBytes > secondConnectionBytes;
}

/** What a path is taken to carry. */
export interface PathLook {
  congestionWindowBytes: number;
  /** 0 until it is known. */
  rateBytesPerSecond: number;
  rttMs: number;
}

function isBundled(bytes: number, tables: PlanTables): boolean {
  return bytes <= Math.min(bundledFileBytes, bytesFor(tables.pieceTable, bytes));
}

function* runsOf(file: PlannedFile, rangeBytes: number, tables: PlanTables): Generator<Job> {
  const { entry, bytes } = file;
  const pieceBytes = bytesFor(tables.pieceTable, bytes);
  for (const { offset, length } of file.parts ?? [{ offset: 0, length: bytes }]) {
    let done = 0;
    do {
      const some = Math.min(rangeBytes, length - done);
      yield { kind: "run", entry, offset: offset + done, length: some, pieceBytes };
      done += some;
    } while (done < length);
  }
}

/** Deals jobs to lanes in turn; what it returns gives the next job of a lane. */
export function dealer(jobs: Iterator<Job>, lanes: number): (lane: number) => Job | undefined {
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
