/** What stands on a disk in memory, and every way in which it changes. */

import type { FileKind, FileStat } from "./engine.ts";

/** What a thing holds that a change can alter. */
export interface Contents {
  mode: number;
  mtimeMs: number;
  /** A file's bytes. */
  bytes: Uint8Array;
  /** Whether other contents have the same bytes: a write copies them first. */
  isShared: boolean;
}

/** A thing on the disk. */
export interface DiskNode extends Contents {
  readonly kind: FileKind;
  readonly identity: string;
  /** A link's text. */
  readonly target: string;
  /** What is in a folder, by name. */
  readonly children: Map<string, DiskNode>;
}

/** A name in a folder. */
export interface Place {
  folder: DiskNode;
  name: string;
}

/** A thing gets a name (`from` is null), changes it, or loses it (`to` is null). */
export interface NameChange {
  kind: "name";
  node: DiskNode;
  from: Place | null;
  to: Place | null;
  /** What stood at `to`, and is gone with the same step. */
  replaced: DiskNode | null;
}

/** A change of what is in a file, or of what a folder says of a thing. */
export type ContentChange = { node: DiskNode; mtimeMs: number } & (
  | { kind: "write"; offset: number; bytes: Uint8Array }
  | { kind: "resize"; bytes: number }
  | { kind: "metadata"; mode: number }
);

/** One step in the life of a disk; `sync` puts the contents of files and the names in folders on it. */
export type DiskChange = NameChange | ContentChange | { kind: "sync"; nodes: readonly DiskNode[] };

/** Gives a thing its new place, or none; what stood there is gone. */
export function applyName({ node, from, to }: NameChange): void {
  from?.folder.children.delete(from.name);
  to?.folder.children.set(to.name, node);
}

/** Makes a change of contents. A write after the end leaves zeros between. */
export function applyContent(contents: Contents, change: ContentChange): void {
  contents.mtimeMs = change.mtimeMs;
  if (change.kind === "metadata") contents.mode = change.mode;
  if (change.kind === "resize") resize(contents, change.bytes);
  if (change.kind !== "write") return;
  const end = Math.max(contents.bytes.length, change.offset + change.bytes.length);
  if (contents.isShared || end > contents.bytes.length) resize(contents, end);
  contents.bytes.set(change.bytes, change.offset);
}

/** Contents that begin as these; what is done to one is not done to the other. */
export function share(contents: Contents): Contents {
  contents.isShared = true;
  const { mode, mtimeMs, bytes } = contents;
  return { mode, mtimeMs, bytes, isShared: true };
}

/** What a folder says of a thing. */
export function statOf({ kind, bytes, mode, mtimeMs, identity }: DiskNode): FileStat {
  return { kind, bytes: bytes.length, mode, mtimeMs, identity };
}

/** All that is below a folder, each thing after what is in it. */
export function* below(folder: DiskNode): Generator<Place & { node: DiskNode }> {
  for (const [name, node] of folder.children) {
    yield* below(node);
    yield { folder, name, node };
  }
}

/** Bytes that a thing takes, with all that is in it. */
export function bytesOf(node: DiskNode): number {
  let bytes = node.bytes.length;
  for (const child of node.children.values()) bytes += bytesOf(child);
  return bytes;
}

/** Cuts or extends with zeros; what is past the end of the bytes in their buffer is zero too. */
function resize(contents: Contents, length: number): void {
  const { bytes, isShared } = contents;
  if (!isShared && length <= bytes.buffer.byteLength) {
    bytes.subarray(length).fill(0);
    contents.bytes = new Uint8Array(bytes.buffer, 0, length);
    return;
  }
  // Room for more where a file grows: many small appends are not to copy it each time.
  const isGrowing = length > bytes.length && bytes.length > 0;
  const room = new Uint8Array(isGrowing ? 2 * length : length);
  room.set(bytes.subarray(0, length));
  contents.bytes = room.subarray(0, length);
  contents.isShared = false;
}
