/**
 * The receiver's record of what is proven and on disk, kept beside the files that arrive.
 *
 * A record is written only after what it tells of is synced: after any crash the journal promises
 * nothing that is not there (docs/architecture.md). Many records share one sync.
 */

import type { Clock } from "../clock.ts";
import type { LogFile } from "../engine/engine.ts";
import { valueBytes } from "../protocol/lane.ts";
import type { Manifest } from "../protocol/manifest.ts";
import { naming } from "./disk-failure.ts";
import {
  encodeRecord,
  type JournalRecord,
  journalVersion,
  type LandingIntent,
  type ProvenRun,
} from "./journal-records.ts";

/** What a journal is written with. */
export interface JournalOptions {
  log: LogFile;
  clock: Clock;
  manifest: Manifest;
  /** Whether the log tells of this very manifest already. */
  isBegun: boolean;
  /** Brings files to disk, names included, before a record tells of them. */
  sync: (entries: ReadonlySet<number>) => Promise<void>;
  /** Brings the names of the log and of its folder to disk. */
  anchor: () => Promise<void>;
}

/** See the file's head. */
export class Journal {
  readonly #options: JournalOptions;
  #pending: (Uint8Array | Neighbours)[] = [];
  /** Runs and other things that those tell of. */
  #pendingCount = 0;
  #dirty = new Set<number>();
  #dirtyBytes = 0;
  #isBegun: boolean;
  #isAnchored = false;
  #committing: Promise<void> = Promise.resolve();
  #isCommitting = false;
  #endedAtMs: number;
  /** How long the last commit took; the first one is worth waiting a second for. */
  #tookMs = firstWaitMs / costShare;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#isBegun = options.isBegun;
    this.#endedAtMs = options.clock.now();
  }

  /** Whether nothing is worth keeping: no record on disk, none to come. */
  get isEmpty(): boolean {
    return !this.#isBegun && this.#pending.length === 0;
  }

  /** The log that it writes. */
  get log(): LogFile {
    return this.#options.log;
  }

  /** Notes pieces that are proven and on disk. */
  keep(run: ProvenRun): void {
    const isFirst = run.first === 0 && run.values.length === valueBytes;
    if (isFirst) this.#addNeighbour(run);
    else this.#add({ kind: "proven", run });
  }

  /** Notes pieces that are proven and written, `bytes` in all. */
  note(run: ProvenRun, bytes: number): void {
    this.keep(run);
    this.#dirty.add(run.entry);
    this.#dirtyBytes += bytes;
  }

  /** Takes back whatever was said of a file. To be committed before its bytes change. */
  void(entry: number): void {
    this.#dirty.delete(entry);
    this.#add({ kind: "void", entry });
  }

  /** Notes where a thing is about to land. To be committed before it does. */
  intend(intent: LandingIntent): void {
    this.#add({ kind: "landing", intent });
  }

  /** Whether a commit is due: often enough to lose little, rarely enough to cost under a hundredth. */
  get isDue(): boolean {
    if (this.#isCommitting || this.#pending.length === 0) return false;
    const waitMs = Math.min(longestWaitMs, Math.max(shortestWaitMs, costShare * this.#tookMs));
    const waitedMs = this.#options.clock.now() - this.#endedAtMs;
    const isMuch = this.#dirtyBytes >= mostDirtyBytes || this.#pendingCount >= mostDirtyRecords;
    return waitedMs >= waitMs || isMuch;
  }

  /** Resolves when it takes more: what a slow disk has not synced must not fill the memory. */
  async room(): Promise<void> {
    while (this.#pendingCount >= mostPending) await this.commit();
  }

  /** Brings everything noted so far to disk. Rejects with `DISK_*`; then nothing more is written. */
  commit(): Promise<void> {
    const commit = this.#committing.then(() => this.#commit());
    this.#committing = commit;
    commit.catch(() => {});
    return commit;
  }

  async #commit(): Promise<void> {
    if (this.#pending.length === 0) return;
    const { clock, sync, anchor } = this.#options;
    const startedAtMs = clock.now();
    const records = this.#pending;
    const dirty = this.#dirty;
    this.#pending = [];
    this.#pendingCount = 0;
    this.#dirty = new Set();
    this.#dirtyBytes = 0;
    this.#isCommitting = true;
    try {
      await sync(dirty);
      if (!this.#isAnchored) await anchor();
      this.#isAnchored = true;
      await naming("the journal of what arrives", this.#write(records));
    } finally {
      this.#isCommitting = false;
      this.#endedAtMs = clock.now();
      this.#tookMs = this.#endedAtMs - startedAtMs;
    }
  }

  async #write(pending: readonly (Uint8Array | Neighbours)[]): Promise<void> {
    const { log } = this.#options;
    if (!this.#isBegun) await log.truncate(0);
    for (const part of partsOf(this.#records(pending))) await log.append(part);
    this.#isBegun = true;
    await log.sync();
  }

  /** What is to be written: first of all what the journal is of. */
  *#records(pending: readonly (Uint8Array | Neighbours)[]): Generator<Uint8Array> {
    if (!this.#isBegun) {
      const { batches, totals } = this.#options.manifest;
      yield encodeRecord({ kind: "header", version: journalVersion });
      for (const batch of batches) yield encodeRecord({ kind: "batch", batch });
      yield encodeRecord({ kind: "sealed", entries: totals.entries });
    }
    for (const record of pending) yield record instanceof Neighbours ? record.record : record;
  }

  #add(record: JournalRecord): void {
    this.#pending.push(encodeRecord(record));
    this.#pendingCount += 1;
  }

  #addNeighbour(run: ProvenRun): void {
    this.#pendingCount += 1;
    const last = this.#pending.at(-1);
    const isAdded = last instanceof Neighbours && last.add(run);
    if (!isAdded) this.#pending.push(new Neighbours(run));
  }
}

/** Files that follow each other, each with the value of its first piece; a record for each would cost more than its write. */
class Neighbours {
  readonly #first: number;
  readonly #pieceBytes: number;
  #values: Buffer;
  #count = 1;

  constructor({ entry, pieceBytes, values }: ProvenRun) {
    this.#first = entry;
    this.#pieceBytes = pieceBytes;
    this.#values = Buffer.from(values);
  }

  /** Adds the next file; false for one that does not follow, or is one too many. */
  add({ entry, pieceBytes, values }: ProvenRun): boolean {
    const isNext = entry === this.#first + this.#count && pieceBytes === this.#pieceBytes;
    if (!isNext || this.#count === mostNeighbours) return false;
    const at = this.#count * valueBytes;
    if (at === this.#values.length) {
      const larger = Buffer.allocUnsafe(2 * at);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values.set(values, at);
    this.#count += 1;
    return true;
  }

  get record(): Uint8Array {
    const values = this.#values.subarray(0, this.#count * valueBytes);
    const about = { first: this.#first, pieceBytes: this.#pieceBytes };
    return encodeRecord({ kind: "neighbours", ...about, values });
  }
}

/** Joins records to writes of some hundred kilobytes. */
function* partsOf(records: Iterable<Uint8Array>): Generator<Uint8Array> {
  let part: Uint8Array[] = [];
  let bytes = 0;
  for (const record of records) {
    part.push(record);
    bytes += record.length;
    if (bytes < writtenBytes) continue;
    yield Buffer.concat(part);
    [part, bytes] = [[], 0];
  }
  if (part.length > 0) yield Buffer.concat(part);
}

const writtenBytes = 256 * 1024;
const mostNeighbours = 1024;
/** A commit may take a hundredth of the time: after one that took 10 ms, a second passes. */
const costShare = 100;
const firstWaitMs = 1000;
const shortestWaitMs = 100;
/** The most that a crash may cost: 2 s or 64 MiB, whichever comes first. */
const longestWaitMs = 2000;
const mostDirtyBytes = 64 * 1024 * 1024;
/** So many new files hold some 10 MB of the system's memory until they are synced, and 2 MB here. */
const mostDirtyRecords = 8192;
const mostPending = 2 * mostDirtyRecords;
