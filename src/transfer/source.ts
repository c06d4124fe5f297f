/** What is sent: the files that a person named, walked in the background, and opened one by one. */

import { basename, dirname, resolve } from "node:path";
import type { Engine, FileStat, Folder, FolderEntry, SourceFile } from "../engine/engine.ts";
import { TransferError } from "../errors.ts";
import { encodeName } from "../lossless-name.ts";
import type { Entry } from "../protocol/entry.ts";
import {
  maxDepth,
  maxFrameBytes,
  maxItems,
  maxNameBytes,
  maxPathBytes,
} from "../protocol/limits.ts";
import { Manifest } from "../protocol/manifest.ts";
import { textBytes } from "./batches.ts";
import type { SkippedThing } from "./events.ts";
import { isInsideLink } from "./landing-name.ts";

/** A top-level thing: the folder it lies in, held open, and its name there; `""` for the folder itself. */
export interface Root {
  folder: Folder;
  name: string;
  stat: FileStat;
  /** Its name in the offer: the same, unless two things are called alike. */
  offeredName: string;
}

/** The files and folders of one offer. */
export class Source {
  readonly manifest = new Manifest();
  /** What does not travel; as many as fit one message. */
  readonly skipped: SkippedThing[] = [];
  /** Resolves when all is walked. */
  readonly walked: Promise<void>;
  readonly #roots: Root[];
  /** The root of each top-level entry, by position. */
  readonly #rootOf = new Map<number, Root>();
  readonly #groups = new Map<Folder, number>();
  #grown = Promise.withResolvers<void>();
  #isWalked = false;
  #skippedBytes = 0;

  private constructor(roots: Root[]) {
    this.#roots = roots;
    for (const { folder } of roots) this.#groups.set(folder, this.#groups.size);
    this.walked = this.#walk().finally(() => {
      this.#isWalked = true;
      this.#grown.resolve();
    });
    this.walked.catch(() => {});
  }

  /**
   * Opens what the paths name and begins to walk it. A link that is named itself is followed.
   *
   * @throws {TransferError} `DISK_MISSING` or `DISK_DENIED` for a path that cannot be read,
   * `INVALID_ARGUMENT` for one that cannot be sent.
   */
  static async open(engine: Engine, paths: readonly string[]): Promise<Source> {
    if (paths.length === 0) {
      throw new TransferError("INVALID_ARGUMENT", "name at least one file or folder to send");
    }
    const roots: Root[] = [];
    const folders = new Map<string, Folder>();
    for (const path of paths) roots.push(await openRoot(engine, path, folders));
    return Source.of(roots);
  }

  /** Begins to walk what is open already. The folders are closed with the source. */
  static of(roots: readonly Root[]): Source {
    const names = offeredNames(roots.map(({ offeredName }) => offeredName));
    return new Source(roots.map((root, at) => ({ ...root, offeredName: names[at] ?? "" })));
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

  async #walk(): Promise<void> {
    for (const root of this.#roots) {
      this.#rootOf.set(this.manifest.totals.entries, root);
      this.#add(entryOf({ ...root.stat, name: root.offeredName }, 0, ""));
      if (root.stat.kind === "folder") {
        await this.#walkFolder(root, root.name, [root.offeredName]);
      }
    }
    if (this.manifest.seal()) this.#wake();
  }

  async #walkFolder(root: Root, path: string, parts: string[]): Promise<void> {
    const shown = parts.join("/");
    let inside: FolderEntry[];
    try {
      inside = await root.folder.list(path);
    } catch (error) {
      this.#skip(shown, error instanceof Error ? error.message : String(error));
      return;
    }
    for (const found of inside) {
      const below = path === "" ? found.name : `${path}/${found.name}`;
      const name = `${shown}/${found.name}`;
      const isLink = found.kind === "link";
      const target = isLink ? await readLink(root.folder, below) : "";
      const reason = reasonToSkip(found, [...parts, found.name], target);
      if (reason !== null) this.#skip(name, reason);
      else {
        this.#add(entryOf(found, parts.length, target ?? ""));
        if (found.kind === "folder") {
          await this.#walkFolder(root, below, [...parts, found.name]);
        }
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

/** The names under which top-level things are offered: of two that are called alike, one gets a number. */
export function offeredNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  for (const name of names) {
    let free = name;
    for (let number = 2; taken.has(free); number += 1) free = `${name} (${number})`;
    taken.add(free);
  }
  return [...taken];
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

async function openRoot(engine: Engine, path: string, folders: Map<string, Folder>): Promise<Root> {
  let absolute = resolve(path);
  for (let links = 0; links < mostLinks; links += 1) {
    const name = basename(absolute);
    if (name === "") {
      throw new TransferError("INVALID_ARGUMENT", `${path} is a whole disk; name a folder on it`);
    }
    const parent = dirname(absolute);
    const folder = folders.get(parent) ?? (await openParent(engine, parent, path));
    folders.set(parent, folder);
    const stat = await folder.stat(name);
    if (stat?.kind === "file" || stat?.kind === "folder") {
      return { folder, name, stat, offeredName: basename(resolve(path)) };
    }
    const target = stat?.kind === "link" ? await folder.readLink(name) : null;
    if (!stat) throw missing(path);
    if (target === null) {
      throw new TransferError(
        "INVALID_ARGUMENT",
        `${path} is a socket, device or FIFO; only files and folders can be sent`,
      );
    }
    absolute = resolve(parent, target);
  }
  throw new TransferError("DISK_MISSING", `${path} is a link that leads in circles`);
}

async function openParent(engine: Engine, parent: string, path: string): Promise<Folder> {
  try {
    return await engine.openFolder(parent);
  } catch (error) {
    if (error instanceof TransferError && error.code === "DISK_MISSING") throw missing(path);
    throw error;
  }
}

function missing(path: string): TransferError {
  return new TransferError("DISK_MISSING", `${path} is not there; check the spelling`);
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
  if (encodeName(found.name).length > maxNameBytes) return "has a name that is too long";
  if (encodeName(parts.join("/")).length > maxPathBytes) return "has a path that is too long";
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

/** As many links as Linux follows in one path. */
const mostLinks = 40;
