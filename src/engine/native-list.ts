/** Lists of things below a folder, in the packed form that `native/src/things.rs` reads. */

import { mostNameBytes, writeName } from "../lossless-name.ts";

/** A thing at a path; what is not given is 0. */
export interface ListedThing {
  path: string;
  mode?: number;
  bytes?: number;
  mtimeMs?: number;
}

/** Packs a list of things. */
export function packThings(things: readonly ListedThing[]): Uint8Array {
  const room = things.reduce((sum, { path }) => sum + RECORD_BYTES + mostNameBytes(path), 0);
  const packed = Buffer.allocUnsafe(room);
  let at = 0;
  for (const { path, mode = 0, bytes = 0, mtimeMs = 0 } of things) {
    const nameBytes = writeName(packed, path, at + RECORD_BYTES);
    packed.writeUInt16LE(nameBytes, at);
    packed.writeUInt16LE(mode & 0o777, at + 2);
    packed.writeDoubleLE(bytes, at + 4);
    packed.writeDoubleLE(mtimeMs, at + 12);
    at += RECORD_BYTES + nameBytes;
  }
  return packed.subarray(0, at);
}

/** Packs a list of paths alone. */
export function packPaths(paths: readonly string[]): Uint8Array {
  return packThings(paths.map((path) => ({ path })));
}

const RECORD_BYTES = 20;
