/** Decides which entries of an offer are received. Pure. */

import type { Entry } from "../protocol/entry.ts";
import type { Manifest } from "../protocol/manifest.ts";
import { Patterns } from "./patterns.ts";

/** What a receiver wants of an offer. */
export interface EntryChoice {
  /**
   * Patterns as in `.gitignore`, for offered paths: what fits is received, with all that lies in it.
   *
   * @default everything
   */
  only?: readonly string[];
  /** Patterns of the same kind: what fits is left out, with all that lies in it. @default nothing */
  exclude?: readonly string[];
  /** Asked about each file, each link and each empty folder that the patterns leave. @default yes */
  choose?: Chooser;
}

/** Says whether a thing is wanted. */
export type Chooser = (thing: OfferedThing) => boolean;

/** Something in an offer. */
export interface OfferedThing {
  /** Path from the top-level item on, parts joined by `/`: hostile. */
  path: string;
  kind: "file" | "folder" | "link";
  bytes: number;
}

/** The entries that are not wanted. */
export interface LeftOut {
  has(position: number): boolean;
}

/** A choice, ready to be made. */
export class EntryChooser {
  readonly #only: Patterns;
  readonly #exclude: Patterns;
  readonly #choose: Chooser | undefined;

  private constructor(only: Patterns, exclude: Patterns, choose: Chooser | undefined) {
    this.#only = only;
    this.#exclude = exclude;
    this.#choose = choose;
  }

  /** Reads the patterns of a choice. `INVALID_ARGUMENT` for one that fits nothing. */
  static of({ only = [], exclude = [], choose }: EntryChoice): EntryChooser {
    return new EntryChooser(Patterns.given(only), Patterns.given(exclude), choose);
  }

  /** The same choice, of which only what `choose` wants, too. */
  and(choose: Chooser): EntryChooser {
    const first = this.#choose;
    const both: Chooser = first ? (thing) => first(thing) && choose(thing) : choose;
    return new EntryChooser(this.#only, this.#exclude, both);
  }

  /** Whether everything is wanted, whatever is offered. */
  get isEverything(): boolean {
    return this.#only.isEmpty && this.#exclude.isEmpty && !this.#choose;
  }

  /** What of a manifest is not wanted. A folder is where it is empty and wanted, or something in it is. */
  leftOut(manifest: Manifest): LeftOut {
    if (this.isEverything) return nothingLeftOut;
    const isWanted = this.#wanted(manifest);
    for (let position = isWanted.length - 1; position >= 0; position -= 1) {
      const parent = manifest.parent(position);
      if (isWanted[position] === 1 && parent >= 0) isWanted[parent] = 1;
    }
    return { has: (position) => isWanted[position] === 0 };
  }

  /** One byte an entry: 1 for wanted files, links and empty folders. */
  #wanted(manifest: Manifest): Uint8Array {
    const { entries } = manifest.totals;
    const isWanted = new Uint8Array(entries);
    const parts: string[] = [];
    /** What the patterns say of the folders that the walk is in, from the top. */
    const above = [{ isMeant: this.#only.isEmpty, isExcluded: false }];
    for (const [position, { kind, depth, name, bytes }] of manifest) {
      parts.length = depth;
      parts.push(name);
      above.length = depth + 1;
      const what = kind === "folder" ? "folder" : "other";
      const folder = above[depth] ?? { isMeant: false, isExcluded: true };
      const isMeant = this.#only.decide(parts, what) ?? folder.isMeant;
      const isExcluded = folder.isExcluded || this.#exclude.decide(parts, what) === true;
      above.push({ isMeant, isExcluded });
      const isFull = position + 1 < entries && manifest.parent(position + 1) === position;
      if (!isMeant || isExcluded || isFull) continue;
      const thing = { path: parts.join("/"), kind, bytes };
      if (this.#choose?.(thing) ?? true) isWanted[position] = 1;
    }
    return isWanted;
  }
}

/** The files that are wanted, each with its position. */
export function* wantedFiles(manifest: Manifest, leftOut: LeftOut): Generator<[number, Entry]> {
  for (const [position, entry] of manifest) {
    if (entry.kind === "file" && !leftOut.has(position)) yield [position, entry];
  }
}

/** The files and bytes that are wanted. */
export function countWanted(
  manifest: Manifest,
  leftOut: LeftOut,
): { files: number; bytes: number } {
  const wanted = { files: 0, bytes: 0 };
  for (const [, { bytes }] of wantedFiles(manifest, leftOut)) {
    wanted.files += 1;
    wanted.bytes += bytes;
  }
  return wanted;
}

/** Of a choice that wants everything. */
const nothingLeftOut: LeftOut = { has: () => false };
