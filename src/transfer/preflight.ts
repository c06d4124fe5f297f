/** What receiving an offer would come to, found out by looking only. */

import { join } from "node:path";
import type { Engine, Folder } from "../engine/engine.ts";
import type { Manifest } from "../protocol/manifest.ts";
import { type ItemPlan, numberedName, planLanding } from "./conflicts.ts";
import { countWanted, type LeftOut, wantedFiles } from "./entry-choice.ts";
import type { Conflict, ConflictChoice, OfferSummary, SkippedThing } from "./events.ts";
import { openNearest } from "./inbox.ts";
import type { NameRules } from "./landing-name.ts";
import type { LandingNames } from "./landing-names.ts";

/** A name that is taken, and what would be done about it. */
export interface Collision extends Conflict {
  choice: ConflictChoice | "ask";
  /** The name that it would get; only for `rename`. */
  savedAs?: string;
}

/** A report on an offer before anything is received. Lists hold 1,000 items at most. */
export interface Preflight extends OfferSummary {
  /** The folder where it would land, in the system's notation. */
  into: string;
  /** Bytes free there. */
  freeBytes: number;
  /** What would be received: all but what was not chosen, and what is skipped as it is there already. */
  wanted: { files: number; bytes: number };
  /** Top-level names that are taken there. */
  collisions: Collision[];
  /** Names that this system cannot hold, and what they would become. */
  mapped: { path: string; savedAs: string }[];
  /** What the sender leaves out, and links that would not be made. */
  skipped: SkippedThing[];
  /** Files that may be run. */
  executables: number;
  /** How many the lists would hold if they were not cut. */
  totals: { collisions: number; mapped: number; skipped: number };
}

/** What a report is made of. */
export interface PreflightSource {
  engine: Engine;
  rules: NameRules;
  manifest: Manifest;
  names: LandingNames;
  skipped: readonly SkippedThing[];
  /** The folder that the receiver chose, absolute. */
  into: string;
  onConflict: ConflictChoice | "ask";
  leftOut: LeftOut;
}

/** Looks at the disk and reports; writes nothing. `DISK_*` when the place cannot be looked at. */
export async function preflightOf(
  summary: OfferSummary,
  source: PreflightSource,
): Promise<Preflight> {
  const { engine, rules, manifest, names, into } = source;
  const { folder, isThere } = await openNearest(engine, into, summary.targetDir, rules);
  try {
    const { conflicts, collisions, plan } = isThere ? await collide(folder, source) : noCollisions;
    const leftOut = plan?.skipped ?? source.leftOut;
    return {
      ...summary,
      into: join(into, summary.targetDir),
      freeBytes: await folder.freeBytes(),
      wanted: countWanted(manifest, leftOut),
      executables: countExecutables(manifest, leftOut),
      collisions,
      // A peer can give every name of millions such a form: no more than are listed are made.
      mapped: first(names.mapped()),
      skipped: first(skippedIn(source)),
      totals: {
        collisions: conflicts.length,
        mapped: names.mappedCount,
        skipped: source.skipped.length + names.refusedLinks.size,
      },
    };
  } finally {
    await folder.close();
  }
}

/** The names that are taken, by the plan that a transfer would follow. */
async function collide(folder: Folder, { manifest, names, leftOut, onConflict }: PreflightSource) {
  const conflicts: Conflict[] = [];
  const note = (conflict: Conflict) => {
    conflicts.push(conflict);
    return onConflict === "ask" ? "rename" : onConflict;
  };
  const wishes = { policy: note, landed: new Map(), leftOut };
  const plan = await planLanding(folder, manifest, names, wishes);
  const collisions: Collision[] = [];
  const taken = new Set(conflicts.map(({ path }) => path));
  const ways = new Map<string, ItemPlan>();
  for (const [top, item] of plan.items) {
    if (taken.has(names.path(top))) ways.set(names.path(top), item);
  }
  for (const conflict of first(conflicts)) {
    const item = ways.get(conflict.path);
    if (onConflict === "ask") collisions.push({ ...conflict, choice: "ask" });
    else if (item?.way === "whole") {
      const savedAs = await freeName(folder, conflict.path);
      collisions.push({ ...conflict, choice: "rename", savedAs });
    } else collisions.push({ ...conflict, choice: item?.replace ? "overwrite" : "skip" });
  }
  return { conflicts, collisions, plan };
}

/** What the sender has left out, and links that lead out. */
function* skippedIn({ skipped, names, manifest }: PreflightSource): Generator<SkippedThing> {
  yield* skipped;
  for (const [position, { reason }] of names.refusedLinks) {
    yield { path: manifest.path(position), reason };
  }
}

/** The things that are listed. */
function first<T>(things: Iterable<T>): T[] {
  return Iterator.from(things).take(mostListed).toArray();
}

async function freeName(folder: Folder, path: string): Promise<string> {
  for (let number = 2; ; number += 1) {
    const name = numberedName(path, number);
    if (!(await folder.stat(name))) return name;
  }
}

function countExecutables(manifest: Manifest, leftOut: LeftOut): number {
  let executables = 0;
  for (const [, { mode }] of wantedFiles(manifest, leftOut)) {
    if ((mode & 0o111) !== 0) executables += 1;
  }
  return executables;
}

const noCollisions = { conflicts: [], collisions: [], plan: null };
/** How many things a list of a report names at most. */
export const mostListed = 1000;
