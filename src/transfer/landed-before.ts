/** Finds again what an earlier try of the same offer has landed, before it could say so. */

import type { Engine, Folder } from "../engine/engine.ts";
import { valueBytes } from "../protocol/lane.ts";
import type { Manifest } from "../protocol/manifest.ts";
import type { Arrivals } from "./arrivals.ts";
import type { LandingPlan } from "./conflicts.ts";
import type { LeftOut } from "./entry-choice.ts";
import type { Journal } from "./journal.ts";
import type { ProvenRun } from "./journal-records.ts";
import { type KeptFile, type Leftover, provenRuns } from "./leftover.ts";

/** Where things are that an earlier try of this very offer has landed. */
export async function landedBefore(
  leftover: Leftover | null,
  manifest: Manifest,
  target: Folder,
  leftOut: LeftOut,
): Promise<Map<number, string>> {
  const landed = new Map<number, string>();
  if (!leftover?.isOf(manifest)) return landed;
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

/** Counts files that have landed before as arrived. */
export function takeLanded(
  { engine, manifest }: { engine: Engine; manifest: Manifest },
  { plan, arrivals }: { plan: LandingPlan; arrivals: Arrivals },
  leftover: Leftover,
): void {
  for (const entry of plan.landed) {
    const { kind, bytes } = manifest.entry(entry);
    if (kind !== "file") continue;
    const kept = leftover.kept(entry);
    if (kept && !kept.proven.includes(0)) {
      arrivals.adoptWhole(entry, engine.mergePieces(kept.values, bytes, kept.pieceBytes));
    } else {
      const reason = "the file did not arrive when the rest did";
      arrivals.absent(entry, { code: "CONTENT_MISMATCH", reason });
    }
  }
}

/** Tells a new journal what has landed before. */
export async function keepLanded(
  journal: Journal,
  { landed }: LandingPlan,
  leftover: Leftover,
): Promise<void> {
  for (const entry of landed) {
    const kept = leftover.kept(entry);
    if (kept) for (const run of runsIn(entry, kept)) journal.keep(run);
    else if (leftover.isVoid(entry)) journal.void(entry);
    const intent = leftover.landed.get(entry);
    if (intent) journal.intend(intent);
    await journal.room();
  }
}

/** The proven pieces of a file as runs. */
export function* runsIn(
  entry: number,
  { pieceBytes, proven, values }: KeptFile,
): Generator<ProvenRun> {
  for (const [first, count] of provenRuns(proven)) {
    const run = values.subarray(first * valueBytes, (first + count) * valueBytes);
    yield { entry, pieceBytes, first, values: run };
  }
}
