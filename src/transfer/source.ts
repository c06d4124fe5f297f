/** What is sent: the files that a person named, walked in the background, and opened one by one. */

import type { Engine, FileStat, Folder, FolderEntry, SourceFile } from "../engine/engine.ts";
import { TransferError } from "../errors.ts";
import { nameBytes } from "../lossless-name.ts";
import type { Entry } from "../protocol/entry.ts";
import {
  maxDepth,
  maxFrameBytes,
  maxItems,
  maxNameBytes,
  maxPathBytes,
  maxText,
} from "../protocol/limits.ts";
import { Manifest } from "../protocol/manifest.ts";
import { ahead } from "./ahead.ts";
import { textBytes } from "./batches.ts";
import type { SkippedThing } from "./events.ts";
import { FolderChoice, type SourceChoice } from "./folder-choice.ts";
import { isInsideLink } from "./landing-name.ts";
import { openRoots, type Root, withOfferedNames } from "./source-roots.ts";
import type { StreamedBytes } from "./streamed-bytes.ts";

/** What is sent beside what paths name. */
export interface SourceOptions extends SourceChoice {
  /** A text that the receiver is shown; then there are no paths. */
  text?: string;
}

/** What is sent in place of files that lie on a disk. */
type Content = { text?: string | undefined; stream?: StreamedBytes };

/** A folder that is walked: where it is below its root's, and as which it is offered. */
interface WalkedFolder {
  root: Root;
  path: string;
  parts: string[];
}

/** The files and folders of one offer, or a text, or a stream. */
export class Source {
  readonly text: string | undefined;
  /** The bytes of the one file. */
  readonly stream: StreamedBytes | undefined;
  readonly manifest = new Manifest();
  /** What does not travel; as many as fit one message. */
  readonly skipped: SkippedThing[] = [];
  /** Things that the choice has left out; a folder is one, whatever is in it. */
  excluded = 0;
  /** Resolves when all is walked. */
  readonly walked: Promise<void>;
  readonly #engine: Engine;
  readonly #roots: Root[];
  /** The root of each top-level entry, by position. */
  readonly #rootOf = new Map<number, Root>();
  readonly #groups = new Map<Folder, number>();
  #grown = Promise.withResolvers<void>();
  #isWalked = false;
  #skippedBytes = 0;

  private constructor(engine: Engine, roots: Root[], choice: FolderChoice, content: Content) {
    this.text = content.text;
    this.stream = content.stream;
    this.#engine = engine;
    this.#roots = roots;
    for (const { folder } of roots) this.#groups.set(folder, this.#groups.size);
    this.walked = this.#walk(choice).finally(() => {
      this.#isWalked = true;
      this.#grown.resolve();
    });
    this.walked.catch(() => {});
  }

  /**
   * Opens what the paths name and begins to walk it. A link that is named itself is followed.
   *
   * What is named is never left out; of what lies in it the choice decides.
   *
   * @throws {TransferError} `DISK_MISSING` or `DISK_DENIED` for a path that cannot be read,
   * `INVALID_ARGUMENT` for one that cannot be sent.
   */
  static async open(
    engine: Engine,
    paths: readonly string[],
    options: SourceOptions = {},
  ): Promise<Source> {
    const topChoice = FolderChoice.of(options);
    requireSomething(paths, options.text);
    const roots = await openRoots(engine, paths);
    return new Source(engine, roots, topChoice, { text: options.text?.toWellFormed() });
  }

  /** Begins to walk what is open already. The folders are closed with the source. */
  static of(engine: Engine, roots: readonly Root[]): Source {
    return new Source(engine, withOfferedNames(roots), FolderChoice.of({}), {});
  }

  /** Begins to offer a stream, which its owner closes. */
  static ofStream(engine: Engine, stream: StreamedBytes): Source {
    return new Source(engine, [], FolderChoice.of({}), { stream });
  }

  /** The manifest's batches, each as soon as it is there. */
  async *batches(): AsyncGenerator<Uint8Array> {
    let next = 0;
    for (;;) {
      const batch = this.manifest.batches[next];
      if (batch) {
        next += 1;
        yield batch;
      } else if (this.#isWalked) return await this.walked;
      else await this.#grown.promise;
    }
  }

  /** The folder and path where an entry really is. Entries of one `group` lie below one folder. */
  place(position: number): { folder: Folder; path: string; group: number } {
    const top = this.manifest.root(position);
    const root = this.#rootOf.get(top);
    if (!root) throw new RangeError(`no root for entry ${position}`);
    const below = this.manifest.path(position).slice(root.offeredName.length);
    return {
      folder: root.folder,
      path: root.name === "" ? below.slice(1) : root.name + below,
      group: this.#groups.get(root.folder) ?? 0,
    };
  }

  /** Opens a file, and makes sure that it is still what was offered. */
  async openFile(position: number, options: { memoryMap: boolean }): Promise<SourceFile> {
    const { folder, path } = this.place(position);
    const source = await folder.openSource(path, options);
    if (isUnchanged(source.opened, this.manifest.entry(position))) return source;
    await source.close();
    throw changed(this.manifest.path(position));
  }

  /** Closes the folders. Files that are open stay so. */
  async close(): Promise<void> {
    await this.walked.catch(() => {});
    for (const folder of this.#groups.keys()) await folder.close();
  }

  async #walk(choice: FolderChoice): Promise<void> {
    if (this.stream) this.#add(this.stream.entry);
    for (const root of this.#roots) {
      this.#rootOf.set(this.manifest.totals.entries, root);
      this.#add(entryOf({ ...root.stat, name: root.offeredName }, 0, ""));
      if (root.stat.kind === "folder") {
        const folder = { root, path: root.name, parts: [root.offeredName] };
        await this.#walkFolder(folder, choice, root.folder.list(root.name));
      }
    }
    if (this.manifest.seal()) this.#wake();
  }

  /** Walks a folder whose listing has begun. */
  async #walkFolder(
    { root, path, parts }: WalkedFolder,
    outer: FolderChoice,
    listing: Promise<FolderEntry[]>,
  ): Promise<void> {
    const shown = parts.join("/");
    let inside: FolderEntry[];
    try {
      inside = await listing;
    } catch (error) {
      this.#skip(shown, error instanceof Error ? error.message : String(error));
      return;
    }
    const absolute = `${root.parent}/${path}`;
    const choice = await outer.enter(this.#engine, { absolute, parts, inside });
    const chosen = inside.filter(({ name, kind }) => !choice.isExcluded([...parts, name], kind));
    this.excluded += inside.length - chosen.length;
    const below = (name: string) => (path === "" ? name : `${path}/${name}`);
    const folders = chosen.filter((found) => {
      return found.kind === "folder" && reasonToSkip(found, [...parts, found.name], "") === null;
    });
    const paths = folders.map(({ name }) => below(name));
    const listings = listAhead(root.folder, paths);
    for (const found of chosen) {
      const inner = [...parts, found.name];
      const isLink = found.kind === "link";
      const target = isLink ? await readLink(root.folder, below(found.name)) : "";
      const reason = reasonToSkip(found, inner, target);
      if (reason !== null) this.#skip(`${shown}/${found.name}`, reason);
      else {
        this.#add(entryOf(found, parts.length, target ?? ""));
        const next = found.kind === "folder" ? listings.next().value : undefined;
        const folder = { root, path: below(found.name), parts: inner };
        if (next) await this.#walkFolder(folder, choice, next);
      }
    }
  }

  #add(entry: Entry): void {
    if (this.manifest.add(entry)) this.#wake();
  }

  #wake(): void {
    this.#grown.resolve();
    this.#grown = Promise.withResolvers();
  }

  #skip(path: string, reason: string): void {
    const thing = { path, reason: reason.slice(0, mostReason) };
    const bytes = textBytes(path, thing.reason);
    if (this.skipped.length === maxItems || this.#skippedBytes + bytes > maxFrameBytes / 2) return;
    this.#skippedBytes += bytes;
    this.skipped.push(thing);
  }
}

/** The failure of a file that is not what it was when it was offered. */
export function changed(path: string): TransferError {
  return new TransferError(
    "SOURCE_CHANGED",
    `${path} changed while it was being sent; send it again when it is at rest`,
  );
}

/** Whether a file is still what an entry says. */
export function isUnchanged(stat: FileStat, offered: { bytes: number; mtimeMs: number }): boolean {
  return stat.bytes === offered.bytes && stat.mtimeMs === offered.mtimeMs;
}

/** Refuses what is neither paths nor a text that can travel. */
function requireSomething(paths: readonly string[], text: string | undefined): void {
  const problem = text === undefined ? problemOfPaths(paths) : problemOfText(text, paths);
  if (problem !== null) throw new TransferError("INVALID_ARGUMENT", problem);
}

function problemOfPaths(paths: readonly string[]): string | null {
  return paths.length > 0 ? null : "name at least one file or folder to send";
}

function problemOfText(text: string, paths: readonly string[]): string | null {
  if (paths.length > 0) return "a text is sent alone; send the files by themselves";
  if (text === "") return "the text is empty; there is nothing to send";
  if (text.length <= maxText) return null;
  return `the text has more than ${maxText} characters; send it as a file`;
}

/** Lists folders in order, many at once and before they are asked for, unless the last ones had many things in them. */
function listAhead(folder: Folder, paths: readonly string[]): Generator<Promise<FolderEntry[]>> {
  let isSmall = false;
  return ahead(
    paths,
    () => (isSmall ? listedAtOnce : 1),
    async (some) => {
      const listed = await folder.listEach(some);
      isSmall = listed.every((things) => things instanceof Error || things.length <= fewThings);
      return listed;
    },
  );
}

async function readLink(folder: Folder, path: string): Promise<string | null> {
  try {
    return await folder.readLink(path);
  } catch {
    return null;
  }
}

function reasonToSkip(found: FolderEntry, parts: string[], target: string | null): string | null {
  if (found.kind === "other") return "is a socket, device or FIFO";
  if (target === null) return "is a link that cannot be read";
  if (found.kind === "link" && !isInsideLink(parts, target)) {
    return "is a link that leads out of what is sent";
  }
  if (parts.length > maxDepth) return `is more than ${maxDepth} folders deep`;
  if (nameBytes(found.name) > maxNameBytes) return "has a name that is too long";
  if (nameBytes(parts.join("/")) > maxPathBytes) return "has a path that is too long";
  return null;
}

function entryOf(found: FolderEntry, depth: number, target: string): Entry {
  const kind = found.kind === "other" ? "file" : found.kind;
  const { name, mode, mtimeMs } = found;
  return {
    kind,
    depth,
    name,
    bytes: kind === "file" ? found.bytes : 0,
    mode: mode & 0o777,
    mtimeMs,
    target: kind === "link" ? target : "",
  };
}

const mostReason = 500;
/** So many folders are listed at once, and as many more meanwhile (docs/performance.md#many-small-files). */
const listedAtOnce = 8;
/** Listings of more things than this would hold hundreds of megabytes while they wait. */
const fewThings = 4096;
