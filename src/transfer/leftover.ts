/** What an interrupted transfer left: its manifest, its proven pieces, and what has landed. */

import type { LogFile } from "../engine/engine.ts";
import { TransferError } from "../errors.ts";
import { valueBytes } from "../protocol/lane.ts";
import { minPieceLog } from "../protocol/limits.ts";
import { Manifest } from "../protocol/manifest.ts";
import { EntrySet } from "./entry-set.ts";
import { HashColumn } from "./hash-column.ts";
import {
  type JournalRecord,
  type LandingIntent,
  type ProvenRun,
  readJournal,
  recordBytes,
} from "./journal-records.ts";
import { piecesIn } from "./plan.ts";

/** The proven pieces of a file. */
export interface KeptFile {
  /** The file's size when they were proven. */
  bytes: number;
  pieceBytes: number;
  /** One byte a piece: 1 where it is proven. */
  proven: Uint8Array;
  /** 32 bytes a piece; zeros where it is not proven. */
  values: Uint8Array;
}

/** What a journal tells. */
export class Leftover {
  #manifest = new Manifest();
  readonly landed = new Map<number, LandingIntent>();
  /** Files of one piece: their hashes. */
  readonly #whole = new HashColumn();
  readonly #parts = new Map<number, KeptFile>();
  readonly #void = new EntrySet();
  #isSealed = false;
  /** Bytes of the journal's whole records; what follows was torn. */
  bytes = 0;

  /** Reads a journal, a part at a time; null when it does not get as far as its manifest's end. */
  static async read(log: Pick<LogFile, "read">): Promise<Leftover | null> {
    const leftover = new Leftover();
    for (let length = partBytes; ; ) {
      const offset = leftover.bytes;
      const part = await log.read({ offset, length });
      leftover.take(part);
      if (leftover.bytes > offset) length = partBytes;
      else if (part.length === length && recordBytes(part) > length) length = recordBytes(part);
      else return leftover.isWhole ? leftover : null;
    }
  }

  /** Whether the journal got as far as its manifest's end. */
  get isWhole(): boolean {
    return this.#isSealed;
  }

  /** What was offered. */
  get manifest(): Manifest {
    return this.#manifest;
  }

  /** Looks whether it is of this very offer, and shares the offer's manifest then. */
  compareWith(manifest: Manifest): void {
    if (this.#manifest.fingerprint === manifest.fingerprint) this.#manifest = manifest;
  }

  /** Whether it is of the very offer that it was compared with. */
  isOf(manifest: Manifest): boolean {
    return this.#manifest === manifest;
  }

  /** What is proven of a file; null if nothing. */
  kept(entry: number): KeptFile | null {
    const hash = this.#whole.get(entry);
    if (!hash) return this.#parts.get(entry) ?? null;
    const { bytes } = this.manifest.entry(entry);
    const pieceBytes = 2 ** Math.max(minPieceLog, Math.ceil(Math.log2(Math.max(1, bytes))));
    return { bytes, pieceBytes, proven: Uint8Array.of(1), values: hash };
  }

  /** Bytes that are proven, all files together. */
  get provenBytes(): number {
    let sum = 0;
    for (const [entry, { kind, bytes }] of this.manifest) {
      if (kind !== "file") continue;
      const kept = this.kept(entry);
      if (kept) sum += Math.min(bytes, onesIn(kept.proven) * kept.pieceBytes);
    }
    return sum;
  }

  /** Takes the records of the journal's next part, as far as they are whole. */
  take(part: Uint8Array): void {
    try {
      for (const { record, end } of readJournal(part, this.bytes)) {
        if (!this.#takeOne(record)) return;
        this.bytes = end;
      }
    } catch (error) {
      // A manifest that this version does not read.
      if (!(error instanceof TransferError)) throw error;
    }
  }

  /** Takes a record; false for one that cannot follow those before it. */
  #takeOne(record: JournalRecord): boolean {
    const { totals } = this.manifest;
    if (record.kind === "header") return true;
    if (record.kind === "batch") {
      if (this.#isSealed) return false;
      this.manifest.addBatch(record.batch);
      return true;
    }
    if (record.kind === "sealed") {
      this.#isSealed = record.entries === totals.entries;
      return this.#isSealed;
    }
    if (!this.#isSealed) return false;
    if (record.kind === "proven") return this.#prove(record.run);
    if (record.kind === "neighbours") return this.#proveEach(record);
    if (record.kind === "void") this.#forget(record.entry);
    else this.landed.set(record.intent.entry, record.intent);
    return true;
  }

  /** Whether the earlier try knew that a file would not arrive. */
  isVoid(entry: number): boolean {
    return this.#void.has(entry);
  }

  #proveEach({
    first,
    pieceBytes,
    values,
  }: Extract<JournalRecord, { kind: "neighbours" }>): boolean {
    const count = values.length / valueBytes;
    if (first + count > this.manifest.totals.entries) return false;
    for (let at = 0; at < count; at += 1) {
      const value = values.subarray(at * valueBytes, (at + 1) * valueBytes);
      const run = { entry: first + at, pieceBytes, first: 0, values: value };
      if (!this.#prove(run)) return false;
    }
    return true;
  }

  #prove({ entry, pieceBytes, first, values }: ProvenRun): boolean {
    if (entry >= this.manifest.totals.entries) return false;
    const { kind, bytes } = this.manifest.entry(entry);
    const count = piecesIn(bytes, pieceBytes);
    const added = values.length / valueBytes;
    if (kind !== "file" || first + added > count) return false;
    this.#void.delete(entry);
    if (count === 1) {
      this.#whole.set(entry, values);
      return true;
    }
    let kept = this.#parts.get(entry);
    if (kept?.pieceBytes !== pieceBytes) {
      const proven = new Uint8Array(count);
      kept = { bytes, pieceBytes, proven, values: new Uint8Array(count * valueBytes) };
      this.#parts.set(entry, kept);
    }
    kept.proven.fill(1, first, first + added);
    kept.values.set(values, first * valueBytes);
    return true;
  }

  #forget(entry: number): void {
    this.#whole.delete(entry);
    this.#parts.delete(entry);
    this.#void.add(entry);
  }
}

/** How many bytes of a mask are 1. */
export function onesIn(mask: Uint8Array): number {
  return mask.reduce((sum, one) => sum + one, 0);
}

/** Yields the runs of proven pieces, at most `most` pieces each. */
export function* provenRuns(
  proven: Uint8Array,
  most = Number.POSITIVE_INFINITY,
): Generator<[first: number, count: number]> {
  for (let at = proven.indexOf(1); at >= 0; ) {
    const missing = proven.indexOf(0, at);
    const end = Math.min(missing < 0 ? proven.length : missing, at + most);
    yield [at, end - at];
    at = proven.indexOf(1, end);
  }
}

/** Bytes of a journal that are read at once: that of a million files takes 90 MB. */
const partBytes = 256 * 1024;
