/** The pieces of one file that is arriving: where each stands, and its value once it is proven. Pure. */

import { invalid } from "../protocol/fields.ts";
import { valueBytes } from "../protocol/lane.ts";
import type { ProvenRun } from "./journal-records.ts";
import type { KeptFile } from "./leftover.ts";
import { piecesIn } from "./plan.ts";

/** See the file's head. */
export class PieceTable {
  readonly pieceBytes: number;
  #values: Uint8Array;
  /** Null as long as nobody knows. */
  #fileBytes: number | null;
  #states: Uint8Array;
  #proven = 0;
  /** Proven pieces before the first that is not, at least. */
  #inOrder = 0;

  /** Begins with nothing; `null` is for a stream, which grows until it ends. */
  constructor(fileBytes: number | null, pieceBytes: number) {
    const pieces = piecesIn(fileBytes ?? 0, pieceBytes);
    this.pieceBytes = pieceBytes;
    this.#values = new Uint8Array(pieces * valueBytes);
    this.#fileBytes = fileBytes;
    this.#states = new Uint8Array(pieces);
  }

  /** 32 bytes a piece; meaningful where it is proven. */
  get values(): Uint8Array {
    return this.#values;
  }

  /** Whether every piece is proven. */
  get isWhole(): boolean {
    if (this.#fileBytes === null) return false;
    return this.#proven === this.#states.length;
  }

  /** Bytes that are proven before the first that is not. */
  get bytesInOrder(): number {
    while (this.#states[this.#inOrder] === proven) this.#inOrder += 1;
    return Math.min(this.#inOrder * this.pieceBytes, this.#fileBytes ?? Number.POSITIVE_INFINITY);
  }

  /** Makes room for pieces of a stream up to this one. */
  grow(pieces: number): void {
    if (pieces <= this.#states.length) return;
    this.#values = grown(this.#values, pieces * valueBytes);
    this.#states = grown(this.#states, pieces);
  }

  /** Ends a stream. `INVALID_FRAME` if more pieces are there or on their way. */
  end(fileBytes: number): void {
    const pieces = piecesIn(fileBytes, this.pieceBytes);
    if (pieces < this.#states.length) throw invalid("the end of a stream");
    this.grow(pieces);
    this.#fileBytes = fileBytes;
  }

  /** Marks all that is on its way as not, as no lane brings it any more. */
  releaseAll(): void {
    this.#states.forEach((state, piece) => {
      if (state === claimed) this.#states[piece] = missing;
    });
  }

  /** Bytes of the proven pieces. */
  get provenBytes(): number {
    const bytes = this.#proven * this.pieceBytes;
    if (this.#fileBytes === null) return bytes;
    const isShort = this.#states.at(-1) === proven;
    return isShort ? bytes - this.#states.length * this.pieceBytes + this.#fileBytes : bytes;
  }

  /** Takes over the proven pieces of an earlier try. */
  keep(kept: KeptFile): void {
    this.#values.set(kept.values);
    kept.proven.forEach((one, piece) => {
      if (one === 1) this.#states[piece] = proven;
      this.#proven += one;
    });
  }

  /** Marks a run as on its way. `INVALID_FRAME` if a piece of it is there or on its way already. */
  claim(first: number, count: number): void {
    for (let piece = first; piece < first + count; piece += 1) {
      if (this.#states[piece] !== missing) throw invalid("a piece twice");
    }
    this.#states.fill(claimed, first, first + count);
  }

  /** Marks a run as not on its way any more. */
  release(first: number, count: number): void {
    this.#states.fill(missing, first, first + count);
  }

  /** Marks the first `there` pieces of a run as proven, but for the bad ones. */
  prove(first: number, values: Uint8Array, there: number, bad: readonly number[]): void {
    this.#values.set(values.subarray(0, there * valueBytes), first * valueBytes);
    this.#states.fill(proven, first, first + there);
    for (const one of bad) this.#states[first + one] = missing;
    this.#proven += there - bad.length;
  }

  /** The proven pieces of a run, as runs without gaps. */
  *runs(entry: number, first = 0, count = this.#states.length): Generator<ProvenRun> {
    const { pieceBytes } = this;
    for (let at = first; at < first + count; at += 1) {
      const start = at;
      while (at < first + count && this.#states[at] === proven) at += 1;
      if (at === start) continue;
      const values = this.#values.subarray(start * valueBytes, at * valueBytes);
      yield { entry, pieceBytes, first: start, values };
    }
  }
}

/** The same with zeros behind it; what is copied, is so seldom. */
function grown(bytes: Uint8Array, length: number): Uint8Array {
  if (length <= bytes.buffer.byteLength) return new Uint8Array(bytes.buffer, 0, length);
  const larger = new Uint8Array(2 * length);
  larger.set(bytes);
  return larger.subarray(0, length);
}

const missing = 0;
const claimed = 1;
const proven = 2;
