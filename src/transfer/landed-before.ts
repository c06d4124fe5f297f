/** Finds again what an earlier try of the same offer has landed, before it could say so. */

import type { Folder } from "../engine/engine.ts";
import type { Manifest } from "../protocol/manifest.ts";
import type { LeftOut } from "./entry-choice.ts";
import type { Leftover } from "./leftover.ts";

/** Where things are that an earlier try of this very offer has landed. */
export async function landedBefore(
  leftover: Leftover | null,
  manifest: Manifest,
  target: Folder,
  leftOut: LeftOut,
): Promise<Map<number, string>> {
  const landed = new Map<number, string>();
  if (!leftover || !isOf(leftover, manifest)) return landed;
  for (const { entry, path, identity } of leftover.landed.values()) {
    const there = await target.stat(path);
    if (there?.identity !== identity || !isAllThere(leftover, manifest, entry, leftOut)) continue;
    if (await isUntouched(target, manifest, entry, path)) landed.set(entry, path);
  }
  return landed;
}

/** Whether the earlier try that landed an entry wanted all that is wanted of it now. */
function isAllThere(leftover: Leftover, manifest: Manifest, landed: number, leftOut: LeftOut) {
  for (const entry of below(manifest, landed)) {
    const isWanted = manifest.entry(entry).kind === "file" && !leftOut.has(entry);
    if (isWanted && !leftover.kept(entry) && !leftover.isVoid(entry)) return false;
  }
  return true;
}

/** An entry and all that lies in it. */
function* below(manifest: Manifest, top: number): Generator<number> {
  const { depth } = manifest.entry(top);
  for (let entry = top; entry < manifest.totals.entries; entry += 1) {
    if (entry > top && manifest.entry(entry).depth <= depth) return;
    yield entry;
  }
}

/** Whether the files of what has landed at a path are by size and time what they were. */
async function isUntouched(target: Folder, manifest: Manifest, landed: number, path: string) {
  const top = manifest.path(landed);
  for (const entry of below(manifest, landed)) {
    const { kind, bytes, mtimeMs } = manifest.entry(entry);
    if (kind !== "file") continue;
    const there = await target.stat(path + manifest.path(entry).slice(top.length));
    if (there && (there.bytes !== bytes || there.mtimeMs !== mtimeMs)) return false;
  }
  return true;
}

/** Whether a leftover is of this very offer. */
export function isOf(leftover: Leftover | null, manifest: Manifest): boolean {
  return leftover?.manifest.fingerprint === manifest.fingerprint;
}
