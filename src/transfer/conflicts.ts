/** Decides where each top-level thing of an offer lands, before the first byte is asked for. */

import type { Folder } from "../engine/engine.ts";
import { TransferError } from "../errors.ts";
import type { Manifest } from "../protocol/manifest.ts";
import type { LeftOut } from "./entry-choice.ts";
import { EntrySet } from "./entry-set.ts";
import type { Conflict, ConflictChoice } from "./events.ts";
import type { LandingNames } from "./landing-names.ts";

/** What to do where names are taken: always the same, or asked each time. */
export type ConflictPolicy =
  | ConflictChoice
  | ((conflict: Conflict) => ConflictChoice | Promise<ConflictChoice>);

/** How a top-level thing lands. */
export interface ItemPlan {
  /**
   * `whole`: under a name that is free; `merge`: each entry into what is there; `leave`: not at all;
   * `landed`: an earlier try has done it.
   */
  way: "whole" | "merge" | "leave" | "landed";
  /** Whether files that are there give way. */
  replace: boolean;
  /** The name under which an earlier try has landed it. */
  landedAs?: string;
}

/** How an offer lands. */
export interface LandingPlan {
  /** By the position of the top-level entry. */
  items: Map<number, ItemPlan>;
  /** Entries that need not travel: those that are not wanted, and those that something stands in place of. */
  skipped: EntrySet;
  /** Those of them that are not wanted. */
  leftOut: LeftOut;
  /** Entries that an earlier try has landed. */
  landed: EntrySet;
}

/** What a plan goes by. */
export interface LandingWishes {
  policy: ConflictPolicy;
  /** Paths of what an earlier try has landed. */
  landed: ReadonlyMap<number, string>;
  leftOut: LeftOut;
}

/** Looks at what is there and asks the policy where a name is taken that is wanted. */
export async function planLanding(
  target: Folder,
  manifest: Manifest,
  names: LandingNames,
  { policy, landed, leftOut }: LandingWishes,
): Promise<LandingPlan> {
  const plan: LandingPlan = {
    items: new Map(),
    skipped: new EntrySet(),
    leftOut,
    landed: new EntrySet(),
  };
  for (const [at, top] of manifest.topLevel.entries()) {
    const end = manifest.topLevel[at + 1] ?? manifest.totals.entries;
    const item = leftOut.has(top)
      ? notWanted
      : (landedItem(landed.get(top)) ?? (await planItem(target, manifest, names, policy, top)));
    plan.items.set(top, item);
    for (let entry = top; entry < end; entry += 1) {
      if (leftOut.has(entry)) plan.skipped.add(entry);
      else if (item.way === "landed" || landed.has(entry)) plan.landed.add(entry);
      else if (item.way === "leave" || (item.way === "merge" && !item.replace)) {
        if (manifest.entry(entry).kind === "folder") continue;
        const isLeft = item.way === "leave" || (await isTaken(target, names.path(entry)));
        if (isLeft) plan.skipped.add(entry);
      }
    }
  }
  return plan;
}

/** Whether something stands at a path, or on the way to it: a link there is followed by nobody. */
async function isTaken(target: Folder, path: string): Promise<boolean> {
  try {
    return (await target.stat(path)) !== null;
  } catch (error) {
    if (error instanceof TransferError && error.code === "DISK_DENIED") return true;
    throw error;
  }
}

/** Positions as runs of neighbours, for the wire. */
export function runsOf(positions: Iterable<number>): [first: number, count: number][] {
  const runs: [number, number][] = [];
  for (const position of positions) {
    const last = runs.at(-1);
    if (last && last[0] + last[1] === position) last[1] += 1;
    else runs.push([position, 1]);
  }
  return runs;
}

/** Another name for a thing whose name is taken: `notes (2).txt`. */
export function numberedName(name: string, number: number): string {
  const dot = name.lastIndexOf(".");
  const stem = dot > 0 ? name.slice(0, dot) : name;
  return `${stem} (${number})${dot > 0 ? name.slice(dot) : ""}`;
}

function landedItem(landedAs: string | undefined): ItemPlan | null {
  return landedAs === undefined ? null : { way: "landed", replace: false, landedAs };
}

async function planItem(
  target: Folder,
  manifest: Manifest,
  names: LandingNames,
  policy: ConflictPolicy,
  top: number,
): Promise<ItemPlan> {
  const { kind, bytes } = manifest.entry(top);
  const path = names.path(top);
  const there = await target.stat(path);
  if (!there) return { way: "whole", replace: false };
  const conflict = { path, kind, bytes, existingBytes: there.bytes };
  const choice = typeof policy === "function" ? await policy(conflict) : policy;
  if (choice === "rename") return { way: "whole", replace: false };
  const replace = choice === "overwrite";
  const isMerge = kind === "folder" ? there.kind === "folder" : replace && there.kind !== "folder";
  if (isMerge) return { way: "merge", replace };
  // A file cannot give way to a folder, nor a folder to a file: both stay, under two names.
  return { way: replace ? "whole" : "leave", replace: false };
}

const notWanted: ItemPlan = { way: "leave", replace: false };
