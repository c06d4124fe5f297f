/**
 * A disk in memory: what tests prepare, look at, and make fail.
 *
 * Paths here are absolute and trusted, unlike those below a `Folder`.
 */

import { type ErrorCode, TransferError } from "../errors.ts";
import type { FileKind, FileStat } from "./engine.ts";
import {
  applyContent,
  applyName,
  below,
  type DiskChange,
  type DiskNode,
  type Place,
  statOf,
} from "./memory-node.ts";

/**
 * What a test may make fail: the name of the call, or the reading and writing of file bytes.
 *
 * `hash` is `hashRun`, `copy` is `copyFrom`; `readLog`, `append`, `truncate` and `syncLog` are of logs.
 */
export type DiskOperation =
  | "openFolder"
  | "list"
  | "stat"
  | "readLink"
  | "openSource"
  | "createPartial"
  | "openPartial"
  | "openLog"
  | "createFolder"
  | "createLink"
  | "rename"
  | "remove"
  | "setMetadata"
  | "sync"
  | "syncAll"
  | "freeBytes"
  | "read"
  | "write"
  | "hash"
  | "copy"
  | "readLog"
  | "append"
  | "truncate"
  | "syncLog";

/** A thing below a folder, as tests compare it. */
export interface TreeEntry {
  path: string;
  kind: FileKind;
  mode: number;
  mtimeMs: number;
  /** A file's bytes; empty for all else. */
  bytes: Uint8Array;
  /** A link's text; `""` for all else. */
  target: string;
}

/** What a disk is made of. */
export interface DiskState {
  root: DiskNode;
  freeBytes: number;
  /** The number in the identity of the next thing. */
  nextIdentity: number;
  nowMs: number;
}

/** See the file's head. Its clock is its own: a millisecond passes with each change. */
export class MemoryDisk {
  /** Bytes that can still be written; set it to make the disk full. */
  freeBytes: number;
  readonly #root: DiskNode;
  readonly #failures: { operation: DiskOperation; code: ErrorCode }[] = [];
  readonly #locked = new Set<DiskNode>();
  readonly #watchers = new Set<(change: DiskChange) => void>();
  #nextIdentity: number;
  #nowMs: number;

  /** Begins with an empty root folder, or with what another disk was made of. */
  constructor(state?: DiskState) {
    this.freeBytes = state?.freeBytes ?? 2 ** 40;
    this.#nextIdentity = state?.nextIdentity ?? 1;
    this.#nowMs = state?.nowMs ?? 1_700_000_000_000;
    this.#root = state?.root ?? this.create("folder");
  }

  /** What it is made of now; `root` is the disk's own. */
  get state(): DiskState {
    const { freeBytes } = this;
    return { root: this.#root, freeBytes, nextIdentity: this.#nextIdentity, nowMs: this.#nowMs };
  }

  /** Creates a file, or gives one new contents; folders on the way are created. */
  write(path: string, bytes: Uint8Array, set: { mtimeMs?: number; mode?: number } = {}): void {
    const place = this.#place(path);
    const node = place.folder.children.get(place.name) ?? this.#put(place, this.create("file"));
    const mtimeMs = set.mtimeMs ?? this.now();
    this.change({ kind: "resize", node, mtimeMs, bytes: bytes.length });
    this.change({ kind: "write", node, mtimeMs, offset: 0, bytes });
    this.change({ kind: "metadata", node, mtimeMs, mode: set.mode ?? node.mode });
  }

  /** The bytes of a file. */
  read(path: string): Uint8Array {
    return this.#find(path).bytes.slice();
  }

  /** Creates a folder, with those on the way; one that is there is fine. */
  folder(path: string): void {
    this.#makeFolders(parts(path));
  }

  /** Creates a symbolic link. */
  link(path: string, target: string): void {
    this.#put(this.#place(path), this.create("link", target));
  }

  /** Creates something that is no file, folder or link. */
  other(path: string): void {
    this.#put(this.#place(path), this.create("other"));
  }

  /** Removes what stands at a path. */
  remove(path: string): void {
    const { folder, name } = this.#place(path);
    const node = folder.children.get(name);
    if (node) this.removeAll({ folder, name, node });
  }

  /** What stands at a path; null if nothing. */
  stat(path: string): FileStat | null {
    const node = this.#lookUp(path);
    return node ? statOf(node) : null;
  }

  /** All that is below a folder, depth first, names sorted. */
  tree(path: string): TreeEntry[] {
    return [...walk(this.#find(path), "")];
  }

  /** Lets the next `operation` fail with `code`; called twice, the next two. */
  failNext(operation: DiskOperation, code: ErrorCode): void {
    this.#failures.push({ operation, code });
  }

  /** The folder at an absolute path, for the engine. */
  folderAt(path: string): DiskNode {
    this.check("openFolder");
    const node = this.#find(path);
    if (node.kind === "folder") return node;
    throw new TransferError("DISK_DENIED", `${path} is not a folder`);
  }

  /** Throws the failure that a test ordered for this operation. */
  check(operation: DiskOperation): void {
    const at = this.#failures.findIndex((failure) => failure.operation === operation);
    const failure = this.#failures[at];
    if (!failure) return;
    this.#failures.splice(at, 1);
    throw new TransferError(failure.code, `${operation} failed, as the test asked`);
  }

  /** Makes a change, and tells those who watch. */
  change(change: DiskChange): void {
    if (change.kind === "name") applyName(change);
    else if (change.kind !== "sync") applyContent(change.node, change);
    for (const watcher of this.#watchers) watcher(change);
  }

  /** Calls `watcher` after each change from now on. */
  watch(watcher: (change: DiskChange) => void): void {
    this.#watchers.add(watcher);
  }

  /** Gives a file another size, now. */
  resize(node: DiskNode, bytes: number): void {
    this.change({ kind: "resize", node, bytes, mtimeMs: this.now() });
  }

  /** Puts bytes at a place in a file, now. */
  writeAt(node: DiskNode, offset: number, bytes: Uint8Array): void {
    this.change({ kind: "write", node, offset, bytes, mtimeMs: this.now() });
  }

  /** Removes a thing, and before it all that is in it. */
  removeAll({ folder, name, node }: Place & { node: DiskNode }): void {
    const things = [...below(node), { folder, name, node }];
    for (const thing of things) {
      this.change({ kind: "name", node: thing.node, from: thing, to: null, replaced: null });
    }
  }

  /** Keeps a file for one opener, until {@link MemoryDisk.unlock}. */
  lock(node: DiskNode, path: string): void {
    if (this.#locked.has(node)) {
      throw new TransferError("DISK_BUSY", `${path} is open elsewhere`);
    }
    this.#locked.add(node);
  }

  /** Gives a file back. */
  unlock(node: DiskNode): void {
    this.#locked.delete(node);
  }

  /** Makes a thing that stands nowhere yet. */
  create(kind: FileKind, target = ""): DiskNode {
    const identity = `memory:${this.#nextIdentity++}`;
    const mode = kind === "folder" ? 0o755 : 0o644;
    const contents = { mode, mtimeMs: this.now(), bytes: new Uint8Array(0), isShared: false };
    return { ...contents, kind, identity, target, children: new Map() };
  }

  /** Takes space, or fails with `DISK_FULL`. */
  reserve(bytes: number): void {
    if (bytes > this.freeBytes) {
      throw new TransferError("DISK_FULL", `${bytes} bytes do not fit in ${this.freeBytes}`);
    }
    this.freeBytes -= bytes;
  }

  /** The disk's time, which goes on with every look at it. */
  now(): number {
    this.#nowMs += 1;
    return this.#nowMs;
  }

  #find(path: string): DiskNode {
    const node = this.#lookUp(path);
    if (node) return node;
    throw new TransferError("DISK_MISSING", `nothing stands at ${path}`);
  }

  #lookUp(path: string): DiskNode | undefined {
    let node: DiskNode | undefined = this.#root;
    for (const name of parts(path)) node = node?.children.get(name);
    return node;
  }

  #put(to: Place, node: DiskNode): DiskNode {
    const replaced = to.folder.children.get(to.name) ?? null;
    this.change({ kind: "name", node, from: null, to, replaced });
    return node;
  }

  #place(path: string): Place {
    const names = parts(path);
    const name = names.pop() ?? "";
    return { folder: this.#makeFolders(names), name };
  }

  #makeFolders(names: readonly string[]): DiskNode {
    let folder = this.#root;
    for (const name of names) {
      const next = folder.children.get(name) ?? this.#put({ folder, name }, this.create("folder"));
      if (next.kind !== "folder") throw new TypeError(`${name} is not a folder`);
      folder = next;
    }
    return folder;
  }
}

function* walk(folder: DiskNode, prefix: string): Generator<TreeEntry> {
  const children = [...folder.children].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, node] of children) {
    const { kind, mode, mtimeMs, target } = node;
    yield { path: prefix + name, kind, mode, mtimeMs, bytes: node.bytes.slice(), target };
    yield* walk(node, `${prefix}${name}/`);
  }
}

function parts(path: string): string[] {
  if (!path.startsWith("/")) throw new TransferError("DISK_MISSING", `${path} is not absolute`);
  return path.split("/").filter((part) => part !== "");
}
