/**
 * All entries of an offer, in the order of a walk: a folder before what is in it.
 *
 * Held as the encoded batches that travel, so that a million entries take tens of megabytes.
 */

import { createHash } from "node:crypto";
import { TransferError } from "../errors.ts";
import { nameBytes } from "../lossless-name.ts";
import { decodeEntries, type Entry, encodeEntries, entryBound } from "./entry.ts";
import { invalid } from "./fields.ts";
import {
  maxBatchBytes,
  maxBatchEntries,
  maxEntries,
  maxManifestBytes,
  maxPathBytes,
} from "./limits.ts";
import { keptPaths, remember } from "./remember.ts";

/** What the entries add up to. */
export interface ManifestTotals {
  entries: number;
  files: number;
  folders: number;
  links: number;
  bytes: number;
}

/** The entries of one offer. Grows at its end only. */
export class Manifest {
  readonly totals: ManifestTotals = { entries: 0, files: 0, folders: 0, links: 0, bytes: 0 };
  /** Positions of the top-level entries. */
  readonly topLevel: number[] = [];
  /** Those of them whose names systems hide. */
  readonly hidden: number[] = [];
  #batches: Uint8Array[] = [];
  #bytes = 0;
  /** Position of each batch's first entry. */
  #starts: number[] = [];
  /** Position of each entry's folder; -1 at the top. */
  #parents = new Int32Array(1024);
  /** The folders that the next entry may lie in, from the top, and the length of each one's path. */
  #open: { position: number; pathBytes: number }[] = [];
  /** The permission bits that files may have. */
  #fileModes = 0o777;
  #streamBytes: number | null = null;
  /** Entries in the batches. */
  #sealed = 0;
  #unsealed: Entry[] = [];
  #unsealedBytes = 0;
  #decoded = new Map<number, Entry[]>();
  #folderPaths = new Map<number, string>();

  /** Adds one entry and returns the batch that became full by it, if any. */
  add(entry: Entry): Uint8Array | null {
    this.#count(entry);
    const full =
      this.#unsealed.length === maxBatchEntries ||
      this.#unsealedBytes + entryBound(entry) > maxBatchBytes;
    const batch = full ? this.seal() : null;
    this.#unsealed.push(entry);
    this.#unsealedBytes += entryBound(entry);
    return batch;
  }

  /** Ends the batch that is being filled and returns it; null if it is empty. */
  seal(): Uint8Array | null {
    if (this.#unsealed.length === 0) return null;
    const batch = encodeEntries(this.#unsealed);
    this.#keep(batch, this.#unsealed);
    this.#unsealed = [];
    this.#unsealedBytes = 0;
    return batch;
  }

  /** Adds a batch of a peer and returns its entries. `INVALID_FRAME` or `LIMIT_EXCEEDED`. */
  addBatch(batch: Uint8Array): Entry[] {
    if (batch.length > maxBatchBytes) throw invalid("batch");
    const entries = decodeEntries(batch);
    // A peer could send them without end, and each is kept.
    if (entries.length === 0) throw invalid("an empty batch");
    for (const entry of entries) this.#count(entry);
    this.#keep(batch, entries);
    return entries;
  }

  /** The encoded batches, in order. */
  get batches(): readonly Uint8Array[] {
    return this.#batches;
  }

  /** SHA-256 of the batches: the same for offers of the same names, sizes, modes and times. */
  get fingerprint(): string {
    const hash = createHash("sha256");
    for (const batch of this.#batches) hash.update(batch);
    return hash.digest("hex");
  }

  /** Takes the execute bits from all files: for an offer that no person was asked about. */
  dropExecuteBits(): void {
    this.#fileModes = 0o666;
  }

  /** Gives the one file of a stream its size, once it is known; the batches stay as they travelled. */
  endStream(bytes: number): void {
    this.#streamBytes = bytes;
    this.totals.bytes = bytes;
  }

  /** The entry at a position. */
  entry(position: number): Entry {
    const batch = this.#batchOf(position);
    const entry =
      batch === this.#batches.length
        ? this.#unsealed[position - this.#sealed]
        : this.#decode(batch)[position - (this.#starts[batch] ?? 0)];
    if (entry === undefined) throw new RangeError(`no entry ${position}`);
    const mode = entry.kind === "file" ? entry.mode & this.#fileModes : entry.mode;
    const bytes = this.#streamBytes ?? entry.bytes;
    return mode === entry.mode && bytes === entry.bytes ? entry : { ...entry, mode, bytes };
  }

  /** Position of the folder that an entry lies in; -1 for a top-level entry. */
  parent(position: number): number {
    return this.#parents[position] ?? -1;
  }

  /** Position of the top-level entry that an entry belongs to. */
  root(position: number): number {
    let at = position;
    for (let up = this.parent(at); up >= 0; up = this.parent(at)) at = up;
    return at;
  }

  /** The path from the top-level entry on, parts joined by `/`. */
  path(position: number): string {
    const { name } = this.entry(position);
    const parent = this.parent(position);
    return parent < 0 ? name : `${this.#folderPath(parent)}/${name}`;
  }

  /** Every entry with its position, in order. */
  *[Symbol.iterator](): Generator<[number, Entry]> {
    for (let position = 0; position < this.totals.entries; position += 1) {
      yield [position, this.entry(position)];
    }
  }

  #count(entry: Entry): void {
    const { totals } = this;
    const position = totals.entries;
    if (position >= maxEntries) {
      throw new TransferError(
        "LIMIT_EXCEEDED",
        `the offer has more than ${maxEntries} entries; send it in parts`,
      );
    }
    if (entry.depth > this.#open.length) throw invalid("depth");
    this.#open.length = entry.depth;
    const folder = this.#open.at(-1);
    const parent = folder?.position ?? -1;
    const pathBytes = (folder ? folder.pathBytes + 1 : 0) + nameBytes(entry.name);
    if (pathBytes > maxPathBytes) throw invalid("path");
    if (position >= this.#parents.length) this.#grow();
    this.#parents[position] = parent;
    if (parent < 0) this.topLevel.push(position);
    if (parent < 0 && entry.name.startsWith(".")) this.hidden.push(position);
    totals.entries += 1;
    totals.bytes += entry.bytes;
    if (!Number.isSafeInteger(totals.bytes)) throw invalid("total bytes");
    if (entry.kind === "file") totals.files += 1;
    if (entry.kind === "link") totals.links += 1;
    if (entry.kind !== "folder") return;
    totals.folders += 1;
    this.#open.push({ position, pathBytes });
  }

  #grow(): void {
    const larger = new Int32Array(this.#parents.length * 2);
    larger.set(this.#parents);
    this.#parents = larger;
  }

  #keep(batch: Uint8Array, entries: Entry[]): void {
    this.#bytes += batch.length;
    if (this.#bytes > maxManifestBytes) {
      throw new TransferError("LIMIT_EXCEEDED", "the offer's names are too many; send it in parts");
    }
    this.#starts.push(this.#sealed);
    this.#batches.push(batch);
    this.#sealed += entries.length;
    this.#remember(this.#batches.length - 1, entries);
  }

  /** The batch that holds a position: the last whose first entry is not after it. */
  #batchOf(position: number): number {
    if (position >= this.#sealed) return this.#batches.length;
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= position) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #decode(batch: number): Entry[] {
    const known = this.#decoded.get(batch);
    if (known) return known;
    const entries = decodeEntries(this.#batches[batch] ?? new Uint8Array());
    this.#remember(batch, entries);
    return entries;
  }

  #remember(batch: number, entries: Entry[]): void {
    const isSmall = this.#batches.length <= mostDecodedOnce;
    remember(this.#decoded, isSmall ? mostDecodedOnce : decodedBatches, batch, entries);
  }

  #folderPath(position: number): string {
    const known = this.#folderPaths.get(position);
    if (known !== undefined) return known;
    const path = this.path(position);
    remember(this.#folderPaths, keptPaths, position, path);
    return path;
  }
}

/** An offer of up to so many batches, 131,072 entries, is decoded once: that takes some 20 MB. */
const mostDecodedOnce = 128;
/** Of a larger one fewer are kept decoded: lanes work on neighbouring entries, but each lane on its own. */
const decodedBatches = 64;
