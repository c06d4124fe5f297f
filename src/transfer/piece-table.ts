/** The pieces of one file that is arriving: where each stands, and its value once it is proven. Pure. */

import { invalid } from "../protocol/fields.ts";
import { valueBytes } from "../protocol/lane.ts";
import type { ProvenRun } from "./journal-records.ts";
import type { KeptFile } from "./leftover.ts";
import { piecesIn } from "./plan.ts";

/** See the file's head. */
export class PieceTable {
  readonly pieceBytes: number;
  /** 32 bytes a piece; meaningful where it is proven. */
  readonly values: Uint8Array;
  readonly #fileBytes: number;
  readonly #states: Uint8Array;
  #proven = 0;

  constructor(fileBytes: number, pieceBytes: number) {
    const pieces = piecesIn(fileBytes, pieceBytes);
    this.pieceBytes = pieceBytes;
    this.values = new Uint8Array(pieces * valueBytes);
    this.#fileBytes = fileBytes;
    this.#states = new Uint8Array(pieces);
  }

  /** Whether every piece is proven. */
  get isWhole(): boolean {
    return this.#proven === this.#states.length;
  }

  /** Bytes of the proven pieces. */
  get provenBytes(): number {
    const bytes = this.#proven * this.pieceBytes;
    const isShort = this.#states.at(-1) === proven;
    return isShort ? bytes - this.#states.length * this.pieceBytes + this.#fileBytes : bytes;
  }

  /** Takes over the proven pieces of an earlier try. */
  keep(kept: KeptFile): void {
    this.values.set(kept.values);
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
    this.values.set(values.subarray(0, there * valueBytes), first * valueBytes);
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
      const values = this.values.subarray(start * valueBytes, at * valueBytes);
      yield { entry, pieceBytes, first: start, values };
    }
  }
}

const missing = 0;
const claimed = 1;
const proven = 2;
