/** The files that are being received: which pieces are proven, and what each file came to. */

import type { Engine, Folder, PartialFile, PieceRun, ReceivedRun } from "../engine/engine.ts";
import { TransferError } from "../errors.ts";
import { invalid } from "../protocol/fields.ts";
import { valueBytes } from "../protocol/lane.ts";
import { maxPieces } from "../protocol/limits.ts";
import type { Manifest } from "../protocol/manifest.ts";
import type { HeldPieces, WireFailure } from "../protocol/messages.ts";
import { ArrivingFile, type ArrivingFileOptions } from "./arriving-file.ts";
import { EntrySet } from "./entry-set.ts";
import { HashColumn } from "./hash-column.ts";
import type { ProvenRun } from "./journal-records.ts";
import type { KeptFile } from "./leftover.ts";
import { piecesIn } from "./plan.ts";

/** A run of pieces that a lane is about to receive. */
export interface Claim {
  entry: number;
  run: PieceRun;
  /** Rejects with `DISK_*` when the file cannot be made. */
  partial: Promise<PartialFile>;
}

/** What arrivals are received with. */
export interface ArrivalsOptions {
  engine: Engine;
  manifest: Manifest;
  /** The folder where they arrive. */
  staging: Folder;
  /** Path of an entry in that folder. */
  pathOf: (entry: number) => string;
  /** Whether an entry is a file that is to arrive, and how many those are. */
  isExpected: (entry: number) => boolean;
  expected: number;
  /** Hears of pieces that are proven and written, `bytes` in all. */
  noted: (run: ProvenRun, bytes: number) => void;
}

/** All files of a transfer as they arrive in a staging folder. */
export class Arrivals {
  readonly failures = new Map<number, WireFailure>();
  /** Bytes that were there before this transfer began, or that need not travel. */
  heldBytes = 0;
  /** Whether what has arrived lands now: then nothing fails any more. */
  isSealed = false;
  readonly #options: ArrivalsOptions;
  readonly #open = new Map<number, ArrivingFile>();
  readonly #hashes = new HashColumn();
  readonly #inPlace = new EntrySet();
  readonly #absent = new EntrySet();
  /** Files neither complete nor failed. */
  #left: number;
  #complete = 0;

  constructor(options: ArrivalsOptions) {
    this.#options = options;
    this.#left = options.expected;
  }

  /** Whether every file has arrived or failed. */
  get isSettled(): boolean {
    return this.#left === 0;
  }

  /** Files that have arrived whole. */
  get completeFiles(): number {
    return this.#complete;
  }

  /** Whether an entry is a file that is to arrive and has not. */
  isComing(entry: number): boolean {
    return this.#options.isExpected(entry) && !this.#hashes.has(entry);
  }

  /** The hash of a file that has arrived. */
  hash(entry: number): Uint8Array | undefined {
    return this.#hashes.get(entry);
  }

  /** The files that are arriving, with their proven bytes; at most `most`. */
  current(most: number): [entry: number, bytes: number][] {
    const current: [number, number][] = [];
    for (const [entry, { table }] of this.#open) {
      if (current.length === most) break;
      current.push([entry, table.provenBytes]);
    }
    return current;
  }

  /** Brings what is written of a file to disk; false if the file is not open. */
  async sync(entry: number): Promise<boolean> {
    return (await this.#open.get(entry)?.sync()) ?? false;
  }

  /** The proven pieces of the files that are not whole, as runs. */
  *held(): Generator<HeldPieces> {
    for (const [entry, { table }] of this.#open) {
      for (const { values, ...run } of table.runs(entry)) {
        yield { ...run, count: values.length / valueBytes };
      }
    }
  }

  /** Takes over pieces that an earlier try has proven; they are on disk, and the last of them may have been finished. */
  async adopt(entry: number, kept: KeptFile, isFinished: boolean): Promise<void> {
    const file = this.#begin(entry, kept.pieceBytes, true);
    file.table.keep(kept);
    this.heldBytes += file.table.provenBytes;
    if (!file.table.isWhole) return;
    if (!isFinished) await file.finish();
    this.arrivedInPieces(entry, file);
  }

  /** Takes over a file that stands whole at its place; it is on disk. */
  adoptWhole(entry: number, hash: Uint8Array): void {
    this.heldBytes += this.#bytesOf(entry);
    this.arrived(entry, hash);
  }

  /** Makes ready for pieces of another version of the file, once the sender says which are equal. */
  async prepare(entry: number, pieceBytes: number, isStaged: boolean): Promise<PartialFile> {
    return (this.#open.get(entry) ?? this.#begin(entry, pieceBytes, isStaged)).open();
  }

  /** Takes pieces that are in place and need not travel. */
  async fill(run: ProvenRun): Promise<void> {
    const { entry, pieceBytes, first, values } = run;
    const offset = first * pieceBytes;
    const count = values.length / valueBytes;
    const length = Math.min(count * pieceBytes, this.#bytesOf(entry) - offset);
    const claim = this.claim(entry, offset, length, pieceBytes);
    this.heldBytes += length;
    await this.settle(claim, claim.run, { values, bad: [], absentFrom: count, failure: null });
  }

  /** Takes a file that stands at its final place as it is. */
  adoptInPlace(entry: number, hash: Uint8Array): void {
    this.#inPlace.add(entry);
    this.adoptWhole(entry, hash);
  }

  /** Whether a file stands at its final place already. */
  isInPlace(entry: number): boolean {
    return this.#inPlace.has(entry);
  }

  /**
   * Takes a run for a lane, and creates the file at its first.
   *
   * @throws {TransferError} `INVALID_FRAME` for pieces that are not to come, are there, or are on
   * their way in another lane.
   */
  claim(entry: number, offset: number, length: number | null, pieceBytes: number): Claim {
    this.#requireComing(entry);
    const file = this.#open.get(entry) ?? this.#begin(entry, pieceBytes, false);
    if (file.table.pieceBytes !== pieceBytes) throw invalid("piece size");
    return { entry, run: file.claim(offset, length), partial: file.open() };
  }

  /**
   * Notes what a lane received of a part of its claim. Returns the runs that must be sent again.
   */
  async settle(
    { entry }: Claim,
    part: PieceRun,
    received: ReceivedRun,
  ): Promise<{ offset: number; length: number }[]> {
    const file = this.#open.get(entry);
    if (!file) return [];
    const { table } = file;
    const { pieceBytes } = part;
    const first = part.offset / pieceBytes;
    const there = Math.min(piecesIn(part.length, pieceBytes), received.absentFrom);
    table.prove(first, received.values, there, received.bad);
    table.release(first + there, piecesIn(part.length, pieceBytes) - there);
    const isWhole = table.isWhole && !this.failures.has(entry);
    if (isWhole) await file.finish();
    // After that: of what the journal calls whole, mode and time are on disk, too.
    for (const run of table.runs(entry, first, there)) {
      this.#options.noted(run, (run.values.length / valueBytes) * pieceBytes);
    }
    if (isWhole) this.arrivedInPieces(entry, file);
    return received.bad.map((bad) => {
      const offset = part.offset + bad * pieceBytes;
      return { offset, length: Math.min(pieceBytes, part.fileBytes - offset) };
    });
  }

  /** Gives back the end of a claim, which did not come. */
  release({ entry, run }: Claim, from: number): void {
    const { offset, length, pieceBytes } = run;
    const table = this.#open.get(entry)?.table;
    if (from < offset + length) {
      table?.release(from / pieceBytes, piecesIn(offset + length - from, pieceBytes));
    }
  }

  /** Makes sure that the files of a bundle are to come and not there. */
  checkBundle(entries: readonly number[]): void {
    for (const entry of entries) {
      this.#requireComing(entry);
      if (this.#open.has(entry)) throw invalid("a file twice");
    }
    if (new Set(entries).size !== entries.length) throw invalid("a file twice");
  }

  /** Notes that a file of a bundle has arrived whole. */
  arrivedInBundle(entry: number, hash: Uint8Array): void {
    const bytes = this.#bytesOf(entry);
    this.arrived(entry, hash);
    this.#options.noted({ entry, pieceBytes: bundlePieceBytes, first: 0, values: hash }, bytes);
  }

  /** Notes that a file is whole. */
  arrived(entry: number, hash: Uint8Array): void {
    if (this.#hashes.has(entry)) throw invalid("a file twice");
    this.#hashes.set(entry, hash);
    if (this.failures.has(entry)) return;
    this.#left -= 1;
    this.#complete += 1;
  }

  /**
   * Notes that a file will not arrive; lanes that still bring it may go on. The first reason stands.
   *
   * @throws {TransferError} `INVALID_FRAME` for what is not to come anyway.
   */
  fail(entry: number, failure: WireFailure): void {
    if (!this.#options.isExpected(entry)) throw invalid("a file that is not to come");
    if (this.isSealed || this.failures.has(entry)) return;
    this.failures.set(entry, failure);
    if (this.#hashes.has(entry)) this.#complete -= 1;
    else this.#left -= 1;
  }

  /** Notes that the sender cannot send a file. */
  absent(entry: number, failure: WireFailure): void {
    this.#absent.add(entry);
    this.fail(entry, failure);
  }

  /** Whether the sender could not. */
  isAbsent(entry: number): boolean {
    return this.#absent.has(entry);
  }

  /** Removes what is there of files that have failed. To be called when no lane writes any more. */
  async discard(entries: Iterable<number>): Promise<void> {
    const { staging, pathOf } = this.#options;
    for (const entry of entries) {
      const file = this.#open.get(entry);
      this.#open.delete(entry);
      await file?.close();
      await staging.remove(pathOf(entry));
    }
  }

  /** Closes what is open. */
  async close(): Promise<void> {
    for (const file of this.#open.values()) await file.close();
    this.#open.clear();
  }

  #bytesOf(entry: number): number {
    return this.#options.manifest.entry(entry).bytes;
  }

  #requireComing(entry: number): void {
    if (!this.isComing(entry)) throw invalid("a file that is not to come");
  }

  #begin(entry: number, pieceBytes: number, isStaged: boolean): ArrivingFile {
    const { manifest, staging, pathOf } = this.#options;
    if (piecesIn(this.#bytesOf(entry), pieceBytes) > maxPieces) {
      const path = manifest.path(entry);
      throw new TransferError("LIMIT_EXCEEDED", `${path} has more than ${maxPieces} pieces`);
    }
    const place = { staging, path: pathOf(entry), entry: manifest.entry(entry) };
    const file = this.makeFile({ ...place, pieceBytes, isStaged });
    this.#open.set(entry, file);
    return file;
  }

  /** Makes the file that an entry arrives in. */
  protected makeFile(options: ArrivingFileOptions): ArrivingFile {
    return new ArrivingFile(options);
  }

  /** Notes that a file is whole whose every piece is proven. */
  protected arrivedInPieces(entry: number, { table }: ArrivingFile): void {
    const { values, pieceBytes } = table;
    this.#open.delete(entry);
    this.arrived(entry, this.#options.engine.mergePieces(values, this.#bytesOf(entry), pieceBytes));
  }
}

/** Any size will do for a file of one piece. */
const bundlePieceBytes = 2 ** 20;
