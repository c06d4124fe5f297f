/** One entry of a manifest and its CBOR form: `[kind, depth, name, bytes, mode, mtimeMs, target?]`. */

import { integer, invalid, list, tuple } from "./fields.ts";
import { decodeCbor } from "./frame.ts";
import { maxBatchEntries, maxDepth, maxLinkBytes, maxNameBytes } from "./limits.ts";
import { decodeLists, encodeLists, type PlainValue } from "./plain-lists.ts";
import { nameFromWire, nameToWire } from "./wire-name.ts";

/** A file, folder or link that is offered. */
export interface Entry {
  kind: "file" | "folder" | "link";
  /** 0 for a top-level entry; otherwise the entry lies in the last folder of one depth less. */
  depth: number;
  /** One part of a path, as a lossless name. Hostile. */
  name: string;
  /** Size; 0 for folders and links. */
  bytes: number;
  /** Permission bits, 0o777 at most. */
  mode: number;
  /** Milliseconds since 1970. */
  mtimeMs: number;
  /** A link's text; `""` for others. Hostile. */
  target: string;
}

/** A batch of entries in its CBOR form. */
export function encodeEntries(entries: readonly Entry[]): Uint8Array {
  return encodeLists(entries.map(toArray));
}

/** A batch's entries. `INVALID_FRAME` for anything that is not as promised. */
export function decodeEntries(batch: Uint8Array): Entry[] {
  return list(decodeLists(batch) ?? decodeCbor(batch), "entries", maxBatchEntries, fromArray);
}

/** The most that an entry's CBOR form takes, in bytes. */
export function entryBound(entry: Entry): number {
  return 40 + 3 * (entry.name.length + entry.target.length);
}

function toArray(entry: Entry): PlainValue[] {
  const { depth, bytes, mode, mtimeMs } = entry;
  const fields = [kinds.indexOf(entry.kind), depth, nameToWire(entry.name), bytes, mode, mtimeMs];
  return entry.kind === "link" ? [...fields, nameToWire(entry.target)] : fields;
}

function fromArray(value: unknown): Entry {
  const fields = tuple(value, "entry", 6);
  const kind = kinds[integer(fields[0], "kind", 0, kinds.length - 1)];
  if (kind === undefined) throw invalid("kind");
  return {
    kind,
    depth: integer(fields[1], "depth", 0, maxDepth),
    name: nameFromWire(fields[2], "name", maxNameBytes),
    bytes: integer(fields[3], "bytes", 0, kind === "file" ? Number.MAX_SAFE_INTEGER : 0),
    mode: integer(fields[4], "mode", 0, 0o777),
    mtimeMs: integer(fields[5], "mtime", -maxTimeMs, maxTimeMs),
    target: kind === "link" ? nameFromWire(fields[6], "target", maxLinkBytes) : "",
  };
}

const kinds = ["file", "folder", "link"] as const;

/** The range of JavaScript's Date. */
const maxTimeMs = 8.64e15;
