/** Works on the folders of an offer, several at once: each costs a call of the system, and the way to it and back. */

import type { Manifest } from "../protocol/manifest.ts";

/** Which folders come first: those that others lie in, or those others. */
export type FolderOrder = "outer first" | "inner first";

/** Does work for each folder, given by its position. Rejects with the first failure, when nothing is under way any more. */
export async function eachFolder(
  manifest: Manifest,
  order: FolderOrder,
  work: (position: number) => Promise<void>,
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

async function workOn(positions: number[], work: (position: number) => Promise<void>) {
  const left = positions.values();
  const worker = async () => {
    for (const position of left) await work(position);
  };
  const ends = await Promise.allSettled(Array.from({ length: mostAtOnce }, worker));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

const mostAtOnce = 8;
