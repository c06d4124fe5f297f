/** Works on the folders of an offer, many at once: the way to the system and back costs more than what it does there. */

import type { Manifest } from "../protocol/manifest.ts";

/** Which folders come first: those that others lie in, or those others. */
export type FolderOrder = "outer first" | "inner first";

/** Does work for the folders, some at a time, given by their positions. Rejects with the first failure, when nothing is under way any more. */
export async function eachFolder(
  manifest: Manifest,
  order: FolderOrder,
  work: (positions: readonly number[]) => Promise<void>,
): Promise<void> {
  const levels = foldersByDepth(manifest);
  if (order === "inner first") levels.reverse();
  for (const level of levels) await workOn(level, work);
}

function foldersByDepth(manifest: Manifest): number[][] {
  const levels: number[][] = [];
  if (manifest.totals.folders === 0) return levels;
  for (const [position, { kind, depth }] of manifest) {
    if (kind !== "folder") continue;
    const level = levels[depth] ?? [];
    levels[depth] = level;
    level.push(position);
  }
  return levels;
}

async function workOn(positions: number[], work: (positions: number[]) => Promise<void>) {
  let next = 0;
  const worker = async () => {
    while (next < positions.length) {
      next += inOneCall;
      await work(positions.slice(next - inOneCall, next));
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: mostAtOnce }, worker));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

const inOneCall = 32;
/** A disk behind a network does many things at once. */
const mostAtOnce = 8;
