/**
 * A disk in memory: what tests prepare, look at, and make fail.
 *
 * Paths here are absolute and trusted, unlike those below a `Folder`.
 */

import { type ErrorCode, TransferError } from "../errors.ts";
import type { FileKind, FileStat } from "./engine.ts";

/** What a test may make fail: the name of the call, or the reading and writing of file bytes. */
export type DiskOperation =
  | "openFolder"
  | "list"
  | "stat"
  | "readLink"
  | "openSource"
  | "createPartial"
  | "createFolder"
  | "createLink"
  | "rename"
  | "remove"
  | "setMetadata"
  | "sync"
  | "syncAll"
  | "freeBytes"
  | "read"
  | "write";

/** A thing on the disk. */
export interface DiskNode {
  readonly kind: FileKind;
  readonly identity: string;
  mode: number;
  mtimeMs: number;
  /** A file's bytes. */
  bytes: Uint8Array;
  /** A link's text. */
  readonly target: string;
  /** What is in a folder, by name. */
  readonly children: Map<string, DiskNode>;
}

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

/** See the file's head. Its clock is its own: a millisecond passes with each change. */
export class MemoryDisk {
  /** Bytes that can still be written; set it to make the disk full. */
  freeBytes = 2 ** 40;
  readonly #root: DiskNode;
  readonly #failures: { operation: DiskOperation; code: ErrorCode }[] = [];
  #nextIdentity = 1;
  #nowMs = 1_700_000_000_000;

  /** Begins with an empty root folder. */
  constructor() {
    this.#root = this.create("folder");
  }

  /** Creates a file, or gives one new contents; folders on the way are created. */
  write(path: string, bytes: Uint8Array, set: { mtimeMs?: number; mode?: number } = {}): void {
    const { parent, name } = this.#place(path);
    const file = parent.children.get(name) ?? this.create("file");
    file.bytes = bytes.slice();
    file.mode = set.mode ?? file.mode;
    file.mtimeMs = set.mtimeMs ?? this.now();
    parent.children.set(name, file);
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
    const { parent, name } = this.#place(path);
    parent.children.set(name, this.create("link", target));
  }

  /** Creates something that is no file, folder or link. */
  other(path: string): void {
    const { parent, name } = this.#place(path);
    parent.children.set(name, this.create("other"));
  }

  /** Removes what stands at a path. */
  remove(path: string): void {
    const { parent, name } = this.#place(path);
    parent.children.delete(name);
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

  /** Makes a thing that stands nowhere yet. */
  create(kind: FileKind, target = ""): DiskNode {
    const identity = `memory:${this.#nextIdentity++}`;
    const mode = kind === "folder" ? 0o755 : 0o644;
    const bytes = new Uint8Array(0);
    return { kind, identity, mode, mtimeMs: this.now(), bytes, target, children: new Map() };
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

  #place(path: string): { parent: DiskNode; name: string } {
    const names = parts(path);
    const name = names.pop() ?? "";
    return { parent: this.#makeFolders(names), name };
  }

  #makeFolders(names: readonly string[]): DiskNode {
    let folder = this.#root;
    for (const name of names) {
      const next = folder.children.get(name) ?? this.create("folder");
      if (next.kind !== "folder") throw new TypeError(`${name} is not a folder`);
      folder.children.set(name, next);
      folder = next;
    }
    return folder;
  }
}

/** What a folder says of a thing. */
export function statOf({ kind, bytes, mode, mtimeMs, identity }: DiskNode): FileStat {
  return { kind, bytes: bytes.length, mode, mtimeMs, identity };
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
