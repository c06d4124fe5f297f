/** An open folder in memory. */

import { TransferError } from "../errors.ts";
import { encodeName } from "../lossless-name.ts";
import type { FileKind, FileStat, Folder, FolderEntry, Restriction } from "./engine.ts";
import type { MemoryDisk } from "./memory-disk.ts";
import { MemoryPartialFile, MemorySourceFile } from "./memory-files.ts";
import { MemoryLogFile } from "./memory-log.ts";
import { below, bytesOf, type DiskNode, type Place, statOf } from "./memory-node.ts";

/** A folder of a {@link MemoryDisk}; it stays the same folder when it is renamed. */
export class MemoryFolder implements Folder {
  readonly #disk: MemoryDisk;
  readonly #node: DiskNode;

  /** Opens a folder of a disk. */
  constructor(disk: MemoryDisk, node: DiskNode) {
    this.#disk = disk;
    this.#node = node;
  }

  /** See {@link Folder.openFolder}. */
  async openFolder(path: string): Promise<Folder> {
    this.#disk.check("openFolder");
    return new MemoryFolder(this.#disk, this.#folder(namesOf(path)));
  }

  /** See {@link Folder.list}. */
  async list(path: string): Promise<FolderEntry[]> {
    this.#disk.check("list");
    const { children } = this.#folder(namesOf(path));
    const entries = [...children].map(([name, node]) => {
      const { identity: _identity, ...stat } = statOf(node);
      return { name, ...stat };
    });
    return entries.sort((a, b) => Buffer.compare(encodeName(a.name), encodeName(b.name)));
  }

  /** See {@link Folder.listEach}. */
  listEach(paths: readonly string[]): Promise<(FolderEntry[] | Error)[]> {
    return Promise.all(paths.map((path) => this.list(path).catch(asError)));
  }

  /** See {@link Folder.stat}. */
  async stat(path: string): Promise<FileStat | null> {
    this.#disk.check("stat");
    try {
      return statOf(this.#find(path));
    } catch (error) {
      if (error instanceof TransferError && error.code === "DISK_MISSING") return null;
      throw error;
    }
  }

  /** See {@link Folder.readLink}. */
  async readLink(path: string): Promise<string> {
    this.#disk.check("readLink");
    const node = this.#find(path);
    if (node.kind !== "link") throw wrongKind(path, "a link");
    return node.target;
  }

  /** See {@link Folder.openSource}; here a mapping is the same as a positioned read. */
  async openSource(path: string): Promise<MemorySourceFile> {
    this.#disk.check("openSource");
    const node = this.#find(path);
    if (node.kind !== "file") throw wrongKind(path, "a file");
    return new MemorySourceFile(this.#disk, node);
  }

  /** See {@link Folder.createPartial}. */
  async createPartial(path: string, bytes: number, mode: number): Promise<MemoryPartialFile> {
    this.#disk.check("createPartial");
    const place = this.#freePlace(path);
    this.#disk.reserve(bytes);
    const node = this.#create(place, "file", { mode: mode & ~UMASK });
    this.#disk.resize(node, bytes);
    return new MemoryPartialFile(this.#disk, node);
  }

  /** See {@link Folder.openPartial}. */
  async openPartial(path: string, bytes: number): Promise<MemoryPartialFile> {
    this.#disk.check("openPartial");
    const node = this.#find(path);
    if (node.kind !== "file") throw wrongKind(path, "a file");
    this.#disk.reserve(bytes - node.bytes.length);
    if (bytes !== node.bytes.length) this.#disk.resize(node, bytes);
    return new MemoryPartialFile(this.#disk, node);
  }

  /** See {@link Folder.openLog}. */
  async openLog(path: string): Promise<MemoryLogFile> {
    this.#disk.check("openLog");
    const place = this.#place(path);
    const node =
      place.folder.children.get(place.name) ?? this.#create(place, "file", { mode: 0o600 });
    if (node.kind !== "file") throw wrongKind(path, "a file");
    this.#disk.lock(node, path);
    return new MemoryLogFile(this.#disk, node);
  }

  /** See {@link Folder.createFolder}. */
  async createFolder(path: string): Promise<void> {
    this.#disk.check("createFolder");
    this.#create(this.#freePlace(path), "folder");
  }

  /** See {@link Folder.createFolders}. */
  async createFolders(paths: readonly string[]): Promise<void> {
    for (const path of paths) await this.createFolder(path);
  }

  /** See {@link Folder.createLink}. */
  async createLink(path: string, target: string): Promise<void> {
    this.#disk.check("createLink");
    this.#create(this.#freePlace(path), "link", { target });
  }

  /** See {@link Folder.rename}. */
  async rename(
    from: string,
    target: Folder,
    to: string,
    options: { replace: boolean },
  ): Promise<void> {
    this.#disk.check("rename");
    if (!(target instanceof MemoryFolder)) throw new TypeError("a folder of another engine");
    const node = this.#find(from);
    const place = options.replace ? target.#place(to) : target.#freePlace(to);
    const replaced = place.folder.children.get(place.name) ?? null;
    if (replaced === node) return;
    if (replaced) {
      checkReplaceable(node, replaced, to);
      this.#disk.freeBytes += bytesOf(replaced);
    }
    this.#disk.change({ kind: "name", node, from: this.#place(from), to: place, replaced });
    place.folder.mtimeMs = this.#disk.now();
  }

  /** See {@link Folder.remove}. */
  async remove(path: string): Promise<void> {
    this.#disk.check("remove");
    if (!(await this.#isThere(path))) return;
    const place = this.#place(path);
    const node = this.#find(path);
    this.#disk.freeBytes += bytesOf(node);
    this.#disk.removeAll({ ...place, node });
  }

  /** See {@link Folder.setMetadata}. */
  async setMetadata(path: string, metadata: { mode: number; mtimeMs: number }): Promise<void> {
    this.#disk.check("setMetadata");
    const node = this.#find(path);
    if (node.kind !== "file" && node.kind !== "folder") throw wrongKind(path, "a file or folder");
    this.#disk.change({ kind: "metadata", node, ...metadata });
  }

  /** See {@link Folder.restrict}. */
  async restrict(path: string, { mode, mtimeMs }: { mode: number; mtimeMs: number }) {
    await this.setMetadata(path, { mode: mode & this.#find(path).mode, mtimeMs });
  }

  /** See {@link Folder.restrictEach}. */
  restrictEach(things: readonly Restriction[]): Promise<(Error | null)[]> {
    const ends = things.map(({ path, ...metadata }) => this.restrict(path, metadata));
    return Promise.all(ends.map((end) => end.then(() => null, asError)));
  }

  /** See {@link Folder.syncAll}. */
  async syncAll(): Promise<void> {
    this.#disk.check("syncAll");
    const nodes = [...below(this.#node)].map(({ node }) => node);
    this.#disk.change({ kind: "sync", nodes: [...nodes, this.#node] });
  }

  /** See {@link Folder.sync}. */
  async sync(): Promise<void> {
    this.#disk.check("sync");
    this.#disk.change({ kind: "sync", nodes: [this.#node] });
  }

  /** See {@link Folder.isOwn}; there is one user here. */
  async isOwn(): Promise<boolean> {
    return (this.#node.mode & OTHERS_WRITE) === 0;
  }

  /** See {@link Folder.freeBytes}. */
  async freeBytes(): Promise<number> {
    this.#disk.check("freeBytes");
    return this.#disk.freeBytes;
  }

  /** See {@link Folder.close}. */
  async close(): Promise<void> {}

  async #isThere(path: string): Promise<boolean> {
    try {
      this.#find(path);
      return true;
    } catch (error) {
      if (error instanceof TransferError && error.code === "DISK_MISSING") return false;
      throw error;
    }
  }

  #create(
    to: Place,
    kind: FileKind,
    { mode, target }: { mode?: number; target?: string } = {},
  ): DiskNode {
    const node = this.#disk.create(kind, target);
    node.mode = mode ?? node.mode;
    this.#disk.change({ kind: "name", node, from: null, to, replaced: null });
    to.folder.mtimeMs = this.#disk.now();
    return node;
  }

  #find(path: string): DiskNode {
    if (path === "") return this.#node;
    const { folder, name } = this.#place(path);
    const node = folder.children.get(name);
    if (!node) throw new TransferError("DISK_MISSING", `nothing stands at ${path}`);
    return node;
  }

  #freePlace(path: string): Place {
    const place = this.#place(path);
    if (!place.folder.children.has(place.name)) return place;
    throw new TransferError("DISK_EXISTS", `${path} is taken`);
  }

  #place(path: string): Place {
    const names = namesOf(path);
    const name = names.pop();
    if (name === undefined) {
      throw new TransferError("INVALID_ARGUMENT", "an empty path names the folder itself");
    }
    return { folder: this.#folder(names), name };
  }

  #folder(names: readonly string[]): DiskNode {
    let folder = this.#node;
    for (const name of names) {
      const next = folder.children.get(name);
      if (next?.kind === "link") throw wrongKind(name, "a folder: a link stands on the way");
      if (next?.kind !== "folder") {
        throw new TransferError("DISK_MISSING", `no folder stands at ${name}`);
      }
      folder = next;
    }
    return folder;
  }
}

/** As rename(2): a file or link for one of its like, a folder for an empty one. */
function checkReplaceable(node: DiskNode, replaced: DiskNode, to: string): void {
  const isLike = (node.kind === "folder") === (replaced.kind === "folder");
  if (isLike && replaced.children.size === 0) return;
  throw new TransferError(
    "DISK_EXISTS",
    `${to} is a folder that is not empty, or not of this kind`,
  );
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function wrongKind(path: string, wanted: string): TransferError {
  return new TransferError("DISK_DENIED", `${path} is not ${wanted}`);
}

function namesOf(path: string): string[] {
  if (path === "") return [];
  const names = path.split("/");
  const isHostile = names.some((name) => ["", ".", ".."].includes(name) || name.includes("\0"));
  if (isHostile) throw new TransferError("INVALID_ARGUMENT", `${path} is no path within a folder`);
  return names;
}

const UMASK = 0o022;
const OTHERS_WRITE = 0o022;
