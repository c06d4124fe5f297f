/**
 * Makes a staging folder ready for an offer: what an earlier try has proven is kept, all else goes.
 *
 * Proven pieces are believed without reading them, as long as nobody but the earlier try can have
 * written the file: a whole one has its own time, a part one is no younger than the journal.
 */

import type { Folder, FolderEntry } from "../engine/engine.ts";
import type { Entry } from "../protocol/entry.ts";
import { valueBytes } from "../protocol/lane.ts";
import type { Manifest } from "../protocol/manifest.ts";
import { naming } from "./disk-failure.ts";
import { eachFolder } from "./each-folder.ts";
import type { NameRules } from "./landing-name.ts";
import { LandingNames } from "./landing-names.ts";
import { type KeptFile, type Leftover, provenRuns } from "./leftover.ts";

/** What is made ready, and for what. */
export interface ResumeOptions {
  files: Folder;
  leftover: Leftover | null;
  /** When the journal was last written, in milliseconds since 1970. */
  journalTimeMs: number;
  manifest: Manifest;
  names: LandingNames;
  rules: NameRules;
  /** Entries that have their final names already. */
  isLanded: (entry: number) => boolean;
  /** Entries that shall not arrive: what is left of them goes. */
  isSkipped: (entry: number) => boolean;
}

/** A file that an earlier try has left. */
export interface LeftFile {
  entry: number;
  kept: KeptFile;
  /** Whether the sender's file is still the same by size and time; if not, its pieces must be compared. */
  isSame: boolean;
  /** Whether it is whole, with its mode and time. */
  isFinished: boolean;
}

/** What became of what an earlier try had left. */
export interface Resumed {
  left: Iterable<LeftFile>;
  /** Whether all that the journal tells still holds. */
  isIntact: boolean;
}

/** Creates the offer's folders, and keeps or removes what is there. */
export async function resume(options: ResumeOptions): Promise<Resumed> {
  const { leftover, files, manifest, names, isSkipped } = options;
  if (leftover) return new Resumption({ ...options, leftover }).run();
  // Where nothing is left there is nothing to keep, nor to remove.
  await eachFolder(manifest, "outer first", async (positions) => {
    const made = positions.filter((position) => !isSkipped(position));
    await files.createFolders(made.map((position) => names.path(position)));
  });
  return { left: [], isIntact: true };
}

/** For a staging folder in which an earlier try has left something. */
interface ResumptionOptions extends ResumeOptions {
  leftover: Leftover;
}

class Resumption {
  readonly #options: ResumptionOptions;
  readonly #leftOf: (entry: number) => { kept: KeptFile; isSame: boolean } | null;
  /** What stands in the folders that the walk is in, from the top; each thing is taken out as it is met. */
  readonly #open: { path: string; things: Map<string, FolderEntry> }[] = [];
  /** By entry: whether something is left of it. A list of a million would take hundreds of megabytes. */
  readonly #states: Uint8Array;
  #isIntact = true;

  constructor(options: ResumptionOptions) {
    this.#options = options;
    this.#leftOf = leftFiles(options);
    this.#states = new Uint8Array(options.manifest.totals.entries);
  }

  async run(): Promise<Resumed> {
    const { manifest, names, isLanded, isSkipped } = this.#options;
    await this.#enter("");
    for (const [position, entry] of manifest) {
      await this.#leaveTo(entry.depth + 1);
      if (isLanded(position)) continue;
      if (isSkipped(position)) {
        if (this.#leftOf(position)) this.#isIntact = false;
        continue;
      }
      const path = names.path(position);
      const name = path.slice(path.lastIndexOf("/") + 1);
      const things = this.#open.at(-1)?.things;
      const there = things?.get(name);
      things?.delete(name);
      if (entry.kind === "folder") await this.#folder(path, there);
      else if (entry.kind === "file") await this.#file(position, entry, path, there);
      else if (there) await this.#options.files.remove(path);
    }
    await this.#leaveTo(0);
    return { left: this.#left(), isIntact: this.#isIntact };
  }

  *#left(): Generator<LeftFile> {
    for (const [entry, state] of this.#states.entries()) {
      const left = state === gone ? null : this.#leftOf(entry);
      if (left) yield { entry, ...left, isFinished: state === finished };
    }
  }

  /** Lists a folder in which an earlier try can have left something. */
  async #enter(path: string): Promise<void> {
    const { files } = this.#options;
    const what = path || "the folder of what arrives";
    const list = await naming(what, files.list(path));
    this.#open.push({ path, things: new Map(list.map((thing) => [thing.name, thing])) });
  }

  /** Leaves folders until so many are open; what was not met in them is not of this offer. */
  async #leaveTo(depth: number): Promise<void> {
    while (this.#open.length > depth) {
      const { path, things } = this.#open.pop() ?? { path: "", things: new Map() };
      for (const name of things.keys()) {
        await this.#options.files.remove(path === "" ? name : `${path}/${name}`);
      }
    }
  }

  async #folder(path: string, there: FolderEntry | undefined): Promise<void> {
    const { files } = this.#options;
    const isFolder = there?.kind === "folder";
    if (there && !isFolder) await files.remove(path);
    if (!isFolder) {
      await files.createFolder(path);
      this.#open.push({ path, things: new Map() });
      return;
    }
    // The earlier try may have given it its final mode already.
    const { mode, mtimeMs } = there;
    if ((mode & 0o700) !== 0o700) await files.setMetadata(path, { mode: mode | 0o700, mtimeMs });
    await this.#enter(path);
  }

  async #file(position: number, entry: Entry, path: string, there: FolderEntry | undefined) {
    const left = this.#leftOf(position);
    if (left && there && isComparable(left) && isOfSize(there, left.kept)) {
      const isFinished = isFinishedAs(there, entry, left.kept);
      if (!isFinished && this.#isTouched(there)) await this.#recheck(path, left.kept);
      if (left.kept.proven.includes(1)) {
        this.#states[position] = isFinished ? finished : partial;
        return;
      }
    }
    if (left) this.#isIntact = false;
    if (there) await this.#options.files.remove(path);
  }

  /** Whether somebody else may have written the file after the earlier try. */
  #isTouched({ mtimeMs }: FolderEntry): boolean {
    return mtimeMs > this.#options.journalTimeMs + graceMs;
  }

  /** Reads what somebody may have changed, and forgets the pieces that are not what the journal says. */
  async #recheck(path: string, { bytes, pieceBytes, proven, values }: KeptFile): Promise<void> {
    const source = await this.#options.files.openSource(path, { memoryMap: false });
    try {
      const most = Math.max(1, Math.floor(readBytes / pieceBytes));
      for (const [first, count] of provenRuns(proven, most)) {
        const offset = first * pieceBytes;
        const length = Math.min(count * pieceBytes, bytes - offset);
        const found = await source.hashRun({ offset, length, pieceBytes, fileBytes: bytes });
        const known = values.subarray(first * valueBytes, (first + count) * valueBytes);
        for (let at = 0; at < count; at += 1) {
          const range: [number, number] = [at * valueBytes, (at + 1) * valueBytes];
          const isEqual = Buffer.compare(found.subarray(...range), known.subarray(...range)) === 0;
          if (isEqual) continue;
          proven[first + at] = 0;
          this.#isIntact = false;
        }
      }
    } finally {
      await source.close();
    }
  }
}

/** A changed file of one piece is not worth comparing. */
function isComparable({ kept, isSame }: { kept: KeptFile; isSame: boolean }): boolean {
  return isSame || kept.proven.length > 1;
}

function isFinishedAs(there: FolderEntry, entry: Entry, { proven }: KeptFile): boolean {
  const hasMetadata = there.mtimeMs === entry.mtimeMs && (there.mode & ~entry.mode) === 0;
  return hasMetadata && !proven.includes(0);
}

function isOfSize(there: FolderEntry, { bytes }: KeptFile): boolean {
  return there.kind === "file" && there.bytes === bytes;
}

/** Finds what is left of the entries of the new manifest. */
function leftFiles({ leftover, manifest, names, rules }: ResumptionOptions) {
  const old = leftover.manifest;
  if (leftover.isOf(manifest)) {
    return (entry: number) => {
      const kept = leftover.kept(entry);
      return kept && { kept, isSame: true };
    };
  }
  const oldNames = new LandingNames(old, rules);
  const byPath = new Map<string, number>();
  for (const [position, entry] of old) {
    oldNames.add(position, entry);
    if (entry.kind === "file" && leftover.kept(position)) {
      byPath.set(oldNames.path(position), position);
    }
  }
  return (entry: number) => {
    const position = byPath.get(names.path(entry));
    const kept = position === undefined ? null : leftover.kept(position);
    if (position === undefined || !kept) return null;
    const [was, is] = [old.entry(position), manifest.entry(entry)];
    return { kept, isSame: was.bytes === is.bytes && was.mtimeMs === is.mtimeMs };
  };
}

const gone = 0;
const partial = 1;
const finished = 2;
/** A file that was being written is at most so much younger than the journal: a commit waits 2 s at most. */
const graceMs = 10_000;
/** Bytes that are hashed in one go. */
const readBytes = 16 * 1024 * 1024;
