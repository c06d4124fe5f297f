/** What a crash leaves of one change of contents that was not synced. */

import type { Chance } from "./memory-chance.ts";
import type { ContentChange } from "./memory-node.ts";

/** What is left, as changes that are made instead, and in a word. */
export interface Remains {
  changes: ContentChange[];
  fate: string;
}

/**
 * What is left of a change of a file that has `fileBytes` bytes when it is made.
 *
 * All of it, nothing, a first part up to a block's end, or the new size alone; and both of these.
 */
export function remainsOf(fileBytes: number, change: ContentChange, chance: Chance): Remains {
  if (chance.keeps()) return { changes: [change], fate: "kept" };
  const fate = FATES[chance.below(FATES.length)];
  if (change.kind === "write") {
    if (fate === "torn") return tornWrite(fileBytes, change, chance);
    if (fate === "sized")
      return { changes: sizeOf(fileBytes, change), fate: "its size alone kept" };
  }
  if (change.kind === "resize" && fate === "torn") {
    const bytes = blockEnd(fileBytes, change.bytes, chance);
    if (bytes) return { changes: [{ ...change, bytes }], fate: `torn at ${bytes}` };
  }
  return { changes: [], fate: "dropped" };
}

type Write = ContentChange & { kind: "write" };

/** A first part of a write; what is missing after the file's old end may be there as zeros. */
function tornWrite(fileBytes: number, change: Write, chance: Chance): Remains {
  const { offset, bytes } = change;
  const start = Math.max(offset, fileBytes);
  const end = offset + bytes.length;
  const cut = blockEnd(offset, end, chance) ?? anyBetween(start, end, chance);
  if (!cut) return { changes: [], fate: "dropped" };
  const part: Write = { ...change, bytes: bytes.subarray(0, cut - offset) };
  if (chance.below(2) === 0) return { changes: [part], fate: `torn at ${cut}` };
  return {
    changes: [part, ...sizeOf(fileBytes, change)],
    fate: `torn at ${cut}, but its size kept`,
  };
}

/** The size that a write gives the file, if it is a new one. */
function sizeOf(fileBytes: number, { node, mtimeMs, offset, bytes }: Write): ContentChange[] {
  const end = offset + bytes.length;
  return end > fileBytes ? [{ kind: "resize", node, mtimeMs, bytes: end }] : [];
}

/** A block's end between two places, in either order; null if there is none. */
function blockEnd(one: number, two: number, chance: Chance): number | null {
  const block = BLOCKS[chance.below(BLOCKS.length)] ?? 1;
  const first = Math.floor(Math.min(one, two) / block) + 1;
  const count = Math.ceil(Math.max(one, two) / block) - first;
  return count > 0 ? (first + chance.below(count)) * block : null;
}

/** Any place between two: the size of a file is not bound to blocks. */
function anyBetween(start: number, end: number, chance: Chance): number | null {
  return end - start > 1 ? start + 1 + chance.below(end - start - 1) : null;
}

/** Bytes that a disk, or the system's cache, writes as one. */
const BLOCKS = [512, 4_096];
const FATES = ["dropped", "torn", "sized"];
