/** Prepares the reception of an accepted offer: what an earlier try left is taken over first. */

import type { Folder } from "../engine/engine.ts";
import { valueBytes } from "../protocol/lane.ts";
import { maxItems } from "../protocol/limits.ts";
import type { Manifest } from "../protocol/manifest.ts";
import type { ControlMessage } from "../protocol/messages.ts";
import { Arrivals } from "./arrivals.ts";
import { batches } from "./batches.ts";
import { Comparison } from "./comparison.ts";
import { type ConflictPolicy, type LandingPlan, planLanding, runsOf } from "./conflicts.ts";
import { countWanted, type LeftOut } from "./entry-choice.ts";
import { checkSpace } from "./inbox.ts";
import { IncomingLanes } from "./incoming-lanes.ts";
import type { IncomingOptions } from "./incoming-options.ts";
import { Journal } from "./journal.ts";
import type { ProvenRun } from "./journal-records.ts";
import { isOf, landedBefore } from "./landed-before.ts";
import { Landing } from "./landing.ts";
import type { LandingNames } from "./landing-names.ts";
import { type KeptFile, type Leftover, provenRuns } from "./leftover.ts";
import type { OutputRun } from "./ordered-output.ts";
import { type Resumed, resume } from "./resume.ts";
import { Staging, stagingKey } from "./staging.ts";
import { syncFiles } from "./sync-files.ts";

/** What an accepted offer is received with. */
export interface ReceptionOptions
  extends Omit<IncomingOptions, "throttles" | "chooser" | "decide"> {
  transferId: string;
  /** The sender. */
  peerId: string;
  target: Folder;
  /** Its path. */
  into: string;
  onConflict: ConflictPolicy;
  leftOut: LeftOut;
  manifest: Manifest;
  names: LandingNames;
  say: (message: ControlMessage) => Promise<void>;
}

/** What exists while an offer is received. */
export interface Reception {
  staging: Staging;
  journal: Journal;
  plan: LandingPlan;
  arrivals: Arrivals;
  comparison: Comparison;
  lanes: IncomingLanes;
  landing: Landing;
  /** Bytes and number of all files that are to arrive, or have in an earlier try. */
  total: number;
  totalFiles: number;
  /** What hands the file on; null without an output. */
  handing: OutputRun | null;
}

/** Opens the staging folder and takes over what is in it. */
export async function openReception(options: ReceptionOptions): Promise<Reception> {
  const { target, peerId, manifest, names } = options;
  const key = stagingKey(
    peerId,
    manifest.topLevel.map((top) => names.path(top)),
  );
  const staging = await Staging.open(target, key);
  const { leftover, files } = staging;
  try {
    const { leftOut, onConflict: policy } = options;
    const landed = await landedBefore(leftover, manifest, target, leftOut);
    const plan = await planLanding(target, manifest, names, { policy, landed, leftOut });
    const resumed = await resume({
      ...options,
      files,
      leftover,
      journalTimeMs: await staging.journalTimeMs(),
      isLanded: (entry) => plan.landed.has(entry),
      isSkipped: (entry) => plan.skipped.has(entry),
    });
    const isBegun = resumed.isIntact && isOf(leftover, manifest);
    const journal = await openJournal(options, staging, isBegun, () => reception.arrivals);
    const reception = build(options, staging, journal, plan);
    await takeOver(options, reception, resumed, isBegun).catch(async (error) => {
      reception.handing?.stop();
      await reception.arrivals.close();
      throw error;
    });
    return reception;
  } catch (error) {
    await (leftover ? staging.close() : staging.remove());
    throw error;
  }
}

/** Tells the sender what need not travel, and what to compare. */
export async function sayHeld(options: ReceptionOptions, reception: Reception): Promise<void> {
  const { transferId: transfer, manifest, say } = options;
  const { plan, arrivals, comparison } = reception;
  for (const runs of batches(runsOf(plan.skipped), maxItems, () => runBytes)) {
    await say({ type: "skip", transfer, runs });
  }
  for (const files of batches(runsOf(settledFiles(manifest, arrivals)), maxItems, () => runBytes)) {
    await say({ type: "have", transfer, files, pieces: [] });
  }
  for (const pieces of batches(arrivals.held(), maxItems, () => runBytes)) {
    await say({ type: "have", transfer, files: [], pieces });
  }
  const bytesOf = ({ values }: { values: Uint8Array }) => values.length + runBytes;
  for (const files of batches(comparison.told(), maxItems, bytesOf)) {
    await say({ type: "compare", transfer, files });
  }
}

/** Ends a reception and keeps what is proven for another try. */
export async function leaveReception(reception: Reception): Promise<void> {
  const { lanes, journal, arrivals, staging } = reception;
  reception.handing?.stop();
  await lanes.close();
  await journal.commit().catch(() => {});
  await arrivals.close();
  await (journal.isEmpty ? staging.remove() : staging.close());
}

/** Ends a reception and removes what is left of it. */
export async function removeReception(reception: Reception): Promise<void> {
  const { lanes, arrivals, staging } = reception;
  reception.handing?.stop();
  await lanes.close();
  await arrivals.close();
  await staging.remove();
}

/** The journal to go on with, or a new one that takes its place later. */
async function openJournal(
  { clock, manifest, names }: ReceptionOptions,
  staging: Staging,
  isBegun: boolean,
  arrivals: () => Arrivals,
): Promise<Journal> {
  const { leftover, files } = staging;
  const pathOf = (entry: number) => names.path(entry);
  return new Journal({
    log: leftover && !isBegun ? await staging.nextLog() : staging.log,
    clock,
    manifest,
    isBegun,
    sync: (entries) => syncFiles({ files, manifest, pathOf, arrivals: arrivals() }, entries),
    anchor: () => staging.anchor(),
  });
}

function build(
  options: ReceptionOptions,
  staging: Staging,
  journal: Journal,
  plan: LandingPlan,
): Reception {
  const { manifest, names } = options;
  const { files } = staging;
  const pathOf = (entry: number) => names.path(entry);
  const isExpected = (entry: number) => {
    if (entry >= manifest.totals.entries || plan.skipped.has(entry)) return false;
    return manifest.entry(entry).kind === "file";
  };
  const { files: expected, bytes: total } = countWanted(manifest, plan.skipped);
  const arrivals = new Arrivals({
    ...options,
    staging: files,
    pathOf,
    isExpected,
    expected,
    noted(run, bytes) {
      journal.note(run, bytes);
      options.output?.proven(run);
    },
  });
  const room = () => journal.room();
  const lanes = new IncomingLanes({ ...options, arrivals, staging: files, pathOf, room });
  const want = (entry: number, offset: number, length: number) => lanes.want(entry, offset, length);
  const comparison = new Comparison({ ...options, files, plan, arrivals, want });
  const landing = new Landing({ ...options, files, plan, arrivals, journal });
  return {
    staging,
    journal,
    plan,
    arrivals,
    comparison,
    lanes,
    landing,
    total,
    totalFiles: expected,
    handing: handOn(options, staging),
  };
}

/** Lets the output take what is proven from where it arrives. */
function handOn({ engine, into, names, output }: ReceptionOptions, { filesPath }: Staging) {
  if (!output) return null;
  const path = `${into}/${filesPath}/${names.path(output.entry)}`;
  return output.run((range) => engine.readRange(path, range));
}

/**
 * Takes over what an earlier try has proven, and makes room for the rest.
 *
 * A journal of which something does not hold any more is replaced before the first byte changes.
 */
async function takeOver(
  options: ReceptionOptions,
  reception: Reception,
  { left }: Resumed,
  isBegun: boolean,
): Promise<void> {
  const { staging, journal, plan, arrivals, comparison, total } = reception;
  const { leftover } = staging;
  if (leftover) takeLanded(options, reception, leftover);
  if (leftover && !isBegun) keepLanded(journal, plan, leftover);
  let reserved = 0;
  for (const { entry, kept, isSame, isFinished } of left) {
    reserved += kept.bytes;
    if (!isSame) await comparison.addStaged(entry, kept);
    else {
      await arrivals.adopt(entry, kept, isFinished);
      for (const run of runsIn(entry, kept)) {
        if (!isBegun) journal.note(run, 0);
        options.output?.proven(run);
      }
    }
  }
  await comparison.addExisting();
  await checkSpace(options.target, Math.max(0, total - arrivals.heldBytes - reserved));
  await journal.commit();
  if (leftover && !isBegun) await staging.replaceJournal();
}

/** Counts files that have landed before as arrived. */
function takeLanded(
  { engine, manifest }: ReceptionOptions,
  { plan, arrivals }: Reception,
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
function keepLanded(journal: Journal, { landed }: LandingPlan, leftover: Leftover): void {
  for (const entry of landed) {
    const kept = leftover.kept(entry);
    if (kept) for (const run of runsIn(entry, kept)) journal.keep(run);
    else if (leftover.isVoid(entry)) journal.void(entry);
    const intent = leftover.landed.get(entry);
    if (intent) journal.intend(intent);
  }
}

function* runsIn(entry: number, { pieceBytes, proven, values }: KeptFile): Generator<ProvenRun> {
  for (const [first, count] of provenRuns(proven)) {
    const run = values.subarray(first * valueBytes, (first + count) * valueBytes);
    yield { entry, pieceBytes, first, values: run };
  }
}

/** Files that are whole, or failed: the sender need not think of them. */
function* settledFiles(manifest: Manifest, arrivals: Arrivals): Generator<number> {
  for (let entry = 0; entry < manifest.totals.entries; entry += 1) {
    if (arrivals.hash(entry) || arrivals.failures.has(entry)) yield entry;
  }
}

/** The most that a run of pieces takes in CBOR. */
const runBytes = 32;
