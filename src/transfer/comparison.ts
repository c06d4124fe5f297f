/**
 * The receiver's half of a comparison by value: tells the sender what stands where a file is to come,
 * and takes over the pieces that the sender finds equal.
 */

import type { Engine, Folder, SourceFile } from "../engine/engine.ts";
import { TransferError } from "../errors.ts";
import type { SizeTable } from "../options.ts";
import { invalid } from "../protocol/fields.ts";
import { valueBytes } from "../protocol/lane.ts";
import type { Manifest } from "../protocol/manifest.ts";
import type { ComparedPieces } from "../protocol/messages.ts";
import type { Arrivals } from "./arrivals.ts";
import type { LandingPlan } from "./conflicts.ts";
import type { LandingNames } from "./landing-names.ts";
import { type KeptFile, provenRuns } from "./leftover.ts";
import { bytesFor, piecesIn } from "./plan.ts";

/** What is compared for one transfer. */
export interface ComparisonOptions {
  engine: Engine;
  target: Folder;
  /** The staging folder's files. */
  files: Folder;
  manifest: Manifest;
  names: LandingNames;
  plan: LandingPlan;
  arrivals: Arrivals;
  pieceTable: SizeTable;
  /** Asks the sender for pieces after all. */
  want: (entry: number, offset: number, length: number) => Promise<void>;
}

/** Pieces that the sender was told of. */
interface Candidate extends KeptFile {
  /** Whether they are in the staging folder; if not, they are of the file that is to be replaced. */
  isStaged: boolean;
}

/** See the file's head. */
export class Comparison {
  readonly #options: ComparisonOptions;
  readonly #candidates = new Map<number, Candidate>();

  constructor(options: ComparisonOptions) {
    this.#options = options;
  }

  /** Whether there is nothing to compare. */
  get isEmpty(): boolean {
    return this.#candidates.size === 0;
  }

  /** Adds a file of an earlier try whose source has changed since. */
  async addStaged(entry: number, kept: KeptFile): Promise<void> {
    const { manifest, arrivals, pieceTable } = this.#options;
    await arrivals.prepare(entry, bytesFor(pieceTable, manifest.entry(entry).bytes), true);
    // Pieces of another size cannot be compared.
    if (kept.pieceBytes !== bytesFor(pieceTable, manifest.entry(entry).bytes)) return;
    this.#candidates.set(entry, { ...kept, isStaged: true });
  }

  /** Reads the files that are to be replaced. */
  async addExisting(): Promise<void> {
    const { manifest, plan } = this.#options;
    for (const [at, top] of manifest.topLevel.entries()) {
      const item = plan.items.get(top);
      if (item?.way !== "merge" || !item.replace) continue;
      const end = manifest.topLevel[at + 1] ?? manifest.totals.entries;
      for (let entry = top; entry < end; entry += 1) await this.#addExisting(entry);
    }
  }

  /** What to tell the sender, in parts that fit a message. */
  *told(): Generator<ComparedPieces> {
    for (const [entry, { pieceBytes, proven, values }] of this.#candidates) {
      for (const [first, count] of provenRuns(proven, mostValues)) {
        const told = values.subarray(first * valueBytes, (first + count) * valueBytes);
        yield { entry, pieceBytes, first, values: told };
      }
    }
  }

  /** Takes over pieces that the sender has, too. `INVALID_FRAME` for what it was not told of. */
  async equal(entry: number, runs: readonly [first: number, count: number][]): Promise<void> {
    const candidate = this.#candidates.get(entry);
    if (!candidate) throw invalid("equal pieces that nobody asked for");
    for (const [first, count] of runs) {
      const known = candidate.proven.subarray(first, first + count);
      if (known.length < count || known.includes(0)) throw invalid("equal pieces");
      // Each piece once: what was taken over is not to be had again.
      known.fill(0);
      await this.#take(entry, candidate, first, count);
    }
  }

  async #addExisting(entry: number): Promise<void> {
    const { target, files, manifest, names, plan, pieceTable } = this.#options;
    const { kind, bytes } = manifest.entry(entry);
    if (kind !== "file" || bytes === 0 || plan.landed.has(entry)) return;
    // Of what stays as it is nobody need know.
    if (plan.skipped.has(entry)) return;
    const path = names.path(entry);
    if (this.#candidates.has(entry) || (await files.stat(path))) return;
    try {
      if ((await target.stat(path))?.kind !== "file") return;
      const source = await target.openSource(path, { memoryMap: false });
      const pieceBytes = bytesFor(pieceTable, bytes);
      const kept = await readPieces(source, bytes, pieceBytes).finally(() => source.close());
      if (kept.proven.includes(1)) this.#candidates.set(entry, { ...kept, isStaged: false });
    } catch (error) {
      // A file that cannot be read cannot be compared: it is replaced as a whole.
      if (!(error instanceof TransferError)) throw error;
    }
  }

  async #take(entry: number, candidate: Candidate, first: number, count: number): Promise<void> {
    const { engine, manifest, arrivals } = this.#options;
    const { pieceBytes, proven, bytes: there } = candidate;
    const { bytes } = manifest.entry(entry);
    const values = candidate.values.slice(first * valueBytes, (first + count) * valueBytes);
    const run = { entry, pieceBytes, first, values };
    if (candidate.isStaged) return arrivals.fill(run);
    if (count === proven.length && there === bytes) {
      return arrivals.adoptInPlace(entry, engine.mergePieces(values, bytes, pieceBytes));
    }
    const step = Math.max(1, Math.floor(readBytes / pieceBytes));
    for (let at = 0; at < count; at += step) {
      const some = values.subarray(at * valueBytes, (at + step) * valueBytes);
      await this.#copy({ ...run, first: first + at, values: some });
    }
  }

  /** Copies pieces of the old file, and asks for them should it have changed since it was read. */
  async #copy(run: { entry: number; pieceBytes: number; first: number; values: Uint8Array }) {
    const { target, files, manifest, names, arrivals, want } = this.#options;
    const { entry, pieceBytes, first, values } = run;
    const fileBytes = manifest.entry(entry).bytes;
    const offset = first * pieceBytes;
    const length = Math.min((values.length / valueBytes) * pieceBytes, fileBytes - offset);
    const partial = await arrivals.prepare(entry, pieceBytes, false);
    const old = await target.openSource(names.path(entry), { memoryMap: false });
    try {
      await partial.copyFrom(old, { offset, length });
    } finally {
      await old.close();
    }
    const copied = await files.openSource(names.path(entry), { memoryMap: false });
    try {
      const found = await copied.hashRun({ offset, length, pieceBytes, fileBytes });
      if (Buffer.compare(found, values) === 0) await arrivals.fill(run);
      else await want(entry, offset, length);
    } finally {
      await copied.close();
    }
  }
}

/** The values of the pieces that a file has in common with one of `fileBytes` bytes. */
async function readPieces(
  source: SourceFile,
  fileBytes: number,
  pieceBytes: number,
): Promise<KeptFile> {
  const { bytes } = source.opened;
  const comparable = bytes >= fileBytes ? fileBytes : bytes - (bytes % pieceBytes);
  const pieces = piecesIn(fileBytes, pieceBytes);
  const proven = new Uint8Array(pieces).fill(1, 0, Math.ceil(comparable / pieceBytes));
  const values = new Uint8Array(pieces * valueBytes);
  const step = Math.max(1, Math.floor(readBytes / pieceBytes)) * pieceBytes;
  for (let offset = 0; offset < comparable; offset += step) {
    const length = Math.min(step, comparable - offset);
    const found = await source.hashRun({ offset, length, pieceBytes, fileBytes });
    values.set(found, (offset / pieceBytes) * valueBytes);
  }
  return { bytes, pieceBytes, proven, values };
}

/** Values in one message: a quarter of a frame. */
const mostValues = 8192;
/** Bytes that are read in one go. */
const readBytes = 16 * 1024 * 1024;
