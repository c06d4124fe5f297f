/** The files that are being received: which pieces are proven, and what each file came to. */

import type { Engine, Folder, PartialFile, PieceRun, ReceivedRun } from "../engine/engine.ts";
import { TransferError } from "../errors.ts";
import { invalid } from "../protocol/fields.ts";
import type { Manifest } from "../protocol/manifest.ts";
import type { WireFailure } from "../protocol/messages.ts";
import { HashColumn } from "./hash-column.ts";

/** A run of pieces that a lane is about to receive. */
export interface Claim {
  entry: number;
  run: PieceRun;
  partial: PartialFile;
}

/** A file of which some pieces are there. */
interface OpenArrival {
  partial: Promise<PartialFile>;
  pieceBytes: number;
  /** One byte a piece: missing, claimed by a lane, or proven. */
  pieces: Uint8Array;
  values: Uint8Array;
  proven: number;
}

/** All files of a transfer as they arrive in a staging folder. */
export class Arrivals {
  readonly failures = new Map<number, WireFailure>();
  readonly #engine: Engine;
  readonly #manifest: Manifest;
  readonly #staging: Folder;
  readonly #pathOf: (entry: number) => string;
  readonly #isExpected: (entry: number) => boolean;
  readonly #syncEach: boolean;
  readonly #open = new Map<number, OpenArrival>();
  readonly #hashes = new HashColumn();
  /** Files neither complete nor failed. */
  #left: number;
  #complete = 0;

  constructor(options: {
    engine: Engine;
    manifest: Manifest;
    staging: Folder;
    /** Path of an entry in the staging folder. */
    pathOf: (entry: number) => string;
    /** Whether an entry is a file that is to arrive, and how many those are. */
    isExpected: (entry: number) => boolean;
    expected: number;
    /** Whether each file is synced as it completes. */
    syncEach: boolean;
  }) {
    this.#engine = options.engine;
    this.#manifest = options.manifest;
    this.#staging = options.staging;
    this.#pathOf = options.pathOf;
    this.#isExpected = options.isExpected;
    this.#left = options.expected;
    this.#syncEach = options.syncEach;
  }

  /** Whether every file has arrived or failed. */
  get isSettled(): boolean {
    return this.#left === 0;
  }

  /** Files that have arrived whole. */
  get completeFiles(): number {
    return this.#complete;
  }

  /** The hash of a file that has arrived. */
  hash(entry: number): Uint8Array | undefined {
    return this.#hashes.get(entry);
  }

  /** The files that are arriving, with their proven bytes; at most `most`. */
  current(most: number): [entry: number, bytes: number][] {
    const current: [number, number][] = [];
    for (const [entry, { proven, pieceBytes }] of this.#open) {
      if (current.length === most) break;
      current.push([entry, Math.min(proven * pieceBytes, this.#manifest.entry(entry).bytes)]);
    }
    return current;
  }

  /**
   * Takes a run for a lane, and creates the file at its first.
   *
   * @throws {TransferError} `INVALID_FRAME` for pieces that are not to come, are there, or are on
   * their way in another lane.
   */
  async claim(
    entry: number,
    offset: number,
    length: number | null,
    pieceBytes: number,
  ): Promise<Claim> {
    const fileBytes = this.#fileBytes(entry);
    const size = length ?? Math.min(pieceBytes, Math.max(0, fileBytes - offset));
    const end = offset + size;
    const isEnd = end === fileBytes;
    const isEmpty = size === 0 && fileBytes > 0;
    if (end > fileBytes || isEmpty || (!isEnd && size % pieceBytes !== 0)) throw invalid("run");
    const arrival = this.#open.get(entry) ?? this.#create(entry, fileBytes, pieceBytes);
    if (arrival.pieceBytes !== pieceBytes) throw invalid("piece size");
    const first = offset / pieceBytes;
    const last = first + piecesIn(size, pieceBytes);
    for (let piece = first; piece < last; piece += 1) {
      if (arrival.pieces[piece] !== missing) throw invalid("a piece twice");
    }
    arrival.pieces.fill(claimed, first, last);
    const run = { offset, length: size, pieceBytes, fileBytes };
    return { entry, run, partial: await arrival.partial };
  }

  /** Notes what a lane received of its claim. Returns the runs that must be sent again. */
  async settle(claim: Claim, received: ReceivedRun): Promise<{ offset: number; length: number }[]> {
    const { entry, run } = claim;
    const arrival = this.#open.get(entry);
    if (!arrival) return [];
    const first = run.offset / run.pieceBytes;
    const count = piecesIn(run.length, run.pieceBytes);
    const there = Math.min(count, received.absentFrom);
    arrival.values.set(received.values.subarray(0, there * valueBytes), first * valueBytes);
    arrival.pieces.fill(proven, first, first + there);
    arrival.pieces.fill(missing, first + there, first + count);
    arrival.proven += there;
    const again = received.bad.map((bad) => {
      arrival.pieces[first + bad] = missing;
      arrival.proven -= 1;
      const offset = run.offset + bad * run.pieceBytes;
      return { offset, length: Math.min(run.pieceBytes, run.fileBytes - offset) };
    });
    const isWhole = arrival.proven === arrival.pieces.length;
    if (isWhole && !this.failures.has(entry)) await this.#finish(entry, arrival);
    return again;
  }

  /** Makes sure that the files of a bundle are to come and not there. */
  checkBundle(entries: readonly number[]): void {
    for (const entry of entries) {
      this.#fileBytes(entry);
      if (this.#open.has(entry)) throw invalid("a file twice");
    }
    if (new Set(entries).size !== entries.length) throw invalid("a file twice");
  }

  /** Notes that a small file has arrived whole. */
  arrived(entry: number, hash: Uint8Array): void {
    if (this.#hashes.get(entry)) throw invalid("a file twice");
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
    if (!this.#isExpected(entry)) throw invalid("a file that is not to come");
    if (this.failures.has(entry)) return;
    this.failures.set(entry, failure);
    if (this.#hashes.get(entry)) this.#complete -= 1;
    else this.#left -= 1;
  }

  /** Removes what is there of files that have failed. To be called when no lane writes any more. */
  async discardFailed(): Promise<void> {
    for (const entry of this.failures.keys()) {
      const arrival = this.#open.get(entry);
      this.#open.delete(entry);
      await (await arrival?.partial.catch(() => null))?.close();
      await this.#staging.remove(this.#pathOf(entry));
    }
  }

  /** Closes what is open. */
  async close(): Promise<void> {
    for (const { partial } of this.#open.values()) {
      await (await partial.catch(() => null))?.close();
    }
    this.#open.clear();
  }

  /** Size of a file that is to come. */
  #fileBytes(entry: number): number {
    if (!this.#isExpected(entry) || this.#hashes.get(entry)) {
      throw invalid("a file that is not to come");
    }
    return this.#manifest.entry(entry).bytes;
  }

  #create(entry: number, fileBytes: number, pieceBytes: number): OpenArrival {
    const count = piecesIn(fileBytes, pieceBytes);
    if (count > mostPieces) {
      throw new TransferError(
        "LIMIT_EXCEEDED",
        `${this.#manifest.path(entry)} has more than ${mostPieces} pieces`,
      );
    }
    const { mode } = this.#manifest.entry(entry);
    const partial = this.#staging.createPartial(this.#pathOf(entry), fileBytes, mode | 0o600);
    partial.catch(() => {});
    const arrival: OpenArrival = {
      partial,
      pieceBytes,
      pieces: new Uint8Array(count),
      values: new Uint8Array(count * valueBytes),
      proven: 0,
    };
    this.#open.set(entry, arrival);
    return arrival;
  }

  async #finish(entry: number, arrival: OpenArrival): Promise<void> {
    const { bytes, mtimeMs, mode } = this.#manifest.entry(entry);
    const partial = await arrival.partial;
    const path = this.#pathOf(entry);
    const created = await this.#staging.stat(path);
    await this.#staging.setMetadata(path, { mode: (created?.mode ?? mode) & mode, mtimeMs });
    if (this.#syncEach) await partial.sync();
    await partial.close();
    this.#open.delete(entry);
    this.arrived(entry, this.#engine.mergePieces(arrival.values, bytes, arrival.pieceBytes));
  }
}

function piecesIn(length: number, pieceBytes: number): number {
  return Math.max(1, Math.ceil(length / pieceBytes));
}

const valueBytes = 32;
const missing = 0;
const claimed = 1;
const proven = 2;

/** 16 TiB in pieces of 1 MiB: half a gigabyte of values. */
const mostPieces = 2 ** 24;
