/** An open folder in memory. */

import { TransferError } from "../errors.ts";
import { encodeName } from "../lossless-name.ts";
import type { FileStat, Folder, FolderEntry } from "./engine.ts";
import { type DiskNode, type MemoryDisk, statOf } from "./memory-disk.ts";
import { MemoryPartialFile, MemorySourceFile } from "./memory-files.ts";

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
    const entries = [...children].map(([name, node]) => ({ name, ...statOf(node) }));
    return entries.sort((a, b) => Buffer.compare(encodeName(a.name), encodeName(b.name)));
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
    const { parent, name } = this.#freePlace(path);
    this.#disk.reserve(bytes);
    const node = this.#disk.create("file");
    node.bytes = new Uint8Array(bytes);
    node.mode = mode & ~UMASK;
    this.#put(parent, name, node);
    return new MemoryPartialFile(this.#disk, node);
  }

  /** See {@link Folder.createFolder}. */
  async createFolder(path: string): Promise<void> {
    this.#disk.check("createFolder");
    const { parent, name } = this.#freePlace(path);
    this.#put(parent, name, this.#disk.create("folder"));
  }

  /** See {@link Folder.createLink}. */
  async createLink(path: string, target: string): Promise<void> {
    this.#disk.check("createLink");
    const { parent, name } = this.#freePlace(path);
    this.#put(parent, name, this.#disk.create("link", target));
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
    const { parent, name } = options.replace ? target.#place(to) : target.#freePlace(to);
    const replaced = parent.children.get(name);
    if (replaced === node) return;
    if (replaced) {
      checkReplaceable(node, replaced, to);
      this.#disk.freeBytes += bytesOf(replaced);
    }
    const source = this.#place(from);
    source.parent.children.delete(source.name);
    this.#put(parent, name, node);
  }

  /** See {@link Folder.remove}. */
  async remove(path: string): Promise<void> {
    this.#disk.check("remove");
    if (!(await this.#isThere(path))) return;
    const { parent, name } = this.#place(path);
    const node = parent.children.get(name);
    parent.children.delete(name);
    if (node) this.#disk.freeBytes += bytesOf(node);
  }

  /** See {@link Folder.setMetadata}. */
  async setMetadata(path: string, metadata: { mode: number; mtimeMs: number }): Promise<void> {
    this.#disk.check("setMetadata");
    const node = this.#find(path);
    if (node.kind !== "file" && node.kind !== "folder") throw wrongKind(path, "a file or folder");
    node.mode = metadata.mode;
    node.mtimeMs = metadata.mtimeMs;
  }

  /** See {@link Folder.syncAll}. */
  async syncAll(): Promise<void> {
    this.#disk.check("syncAll");
  }

  /** See {@link Folder.sync}. */
  async sync(): Promise<void> {
    this.#disk.check("sync");
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

  #put(parent: DiskNode, name: string, node: DiskNode): void {
    parent.children.set(name, node);
    parent.mtimeMs = this.#disk.now();
  }

  #find(path: string): DiskNode {
    if (path === "") return this.#node;
    const { parent, name } = this.#place(path);
    const node = parent.children.get(name);
    if (!node) throw new TransferError("DISK_MISSING", `nothing stands at ${path}`);
    return node;
  }

  #freePlace(path: string): { parent: DiskNode; name: string } {
    const place = this.#place(path);
    if (!place.parent.children.has(place.name)) return place;
    throw new TransferError("DISK_EXISTS", `${path} is taken`);
  }

  #place(path: string): { parent: DiskNode; name: string } {
    const names = namesOf(path);
    const name = names.pop();
    if (name === undefined) {
      throw new TransferError("INVALID_ARGUMENT", "an empty path names the folder itself");
    }
    return { parent: this.#folder(names), name };
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

function bytesOf(node: DiskNode): number {
  let bytes = node.bytes.length;
  for (const child of node.children.values()) bytes += bytesOf(child);
  return bytes;
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
