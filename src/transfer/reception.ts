/** Prepares the reception of an accepted offer: what an earlier try left is taken over first. */

import type { Folder } from "../engine/engine.ts";
import type { Manifest } from "../protocol/manifest.ts";
import type { ControlMessage } from "../protocol/messages.ts";
import { Arrivals } from "./arrivals.ts";
import { Comparison } from "./comparison.ts";
import { type ConflictPolicy, type LandingPlan, planLanding } from "./conflicts.ts";
import { countWanted, type LeftOut } from "./entry-choice.ts";
import { checkSpace } from "./inbox.ts";
import { IncomingLanes } from "./incoming-lanes.ts";
import type { IncomingOptions } from "./incoming-options.ts";
import { Journal } from "./journal.ts";
import type { ProvenRun } from "./journal-records.ts";
import { keepLanded, landedBefore, runsIn, takeLanded } from "./landed-before.ts";
import { Landing } from "./landing.ts";
import type { LandingNames } from "./landing-names.ts";
import type { OutputRun } from "./ordered-output.ts";
import { type Resumed, resume } from "./resume.ts";
import { Staging, stagingKey } from "./staging.ts";
import { StreamArrivals } from "./stream-arrivals.ts";
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
  /** Bytes of a piece, where the one file is a stream. */
  stream: number | undefined;
  names: LandingNames;
  say: (message: ControlMessage) => Promise<void>;
}

/** What exists while an offer is received. */
export interface Reception {
  staging: Staging;
  journal: Journal;
  plan: LandingPlan;
  arrivals: Arrivals;
  /** The same, where it is a stream. */
  stream: StreamArrivals | null;
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
  if (options.stream !== undefined) return openStream(options);
  const key = stagingKey(
    peerId,
    manifest.topLevel.map((top) => names.path(top)),
  );
  const staging = await Staging.open(target, key);
  const { leftover, files } = staging;
  try {
    leftover?.compareWith(manifest);
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
    const isBegun = resumed.isIntact && leftover?.isOf(manifest) === true;
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

/** What an earlier stream of that name has left is of no use, and goes. */
async function openStream(options: ReceptionOptions): Promise<Reception> {
  const { target, peerId, manifest, names, leftOut, onConflict: policy } = options;
  // No name is empty: what is left of a file of that name is another thing.
  const key = stagingKey(peerId, ["", names.path(0)]);
  let staging = await Staging.open(target, key);
  if (staging.leftover) {
    await staging.remove();
    staging = await Staging.open(target, key);
  }
  try {
    const plan = await planLanding(target, manifest, names, { policy, landed: new Map(), leftOut });
    const journal = await openJournal(options, staging, false, () => reception.arrivals);
    const reception = build(options, staging, journal, plan);
    return reception;
  } catch (error) {
    await staging.remove();
    throw error;
  }
}

/** Goes on with a stream over another connection. */
export function goOn(options: ReceptionOptions, held: Reception): Reception {
  const { staging, journal, arrivals } = held;
  held.stream?.goOn();
  return { ...held, lanes: lanesOf(options, { staging, journal, arrivals }) };
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
  const arrivalsOptions = {
    ...options,
    staging: files,
    pathOf,
    isExpected,
    expected,
    noted(run: ProvenRun, bytes: number) {
      journal.note(run, bytes);
      // The last piece of a stream is known by its being short.
      if (stream?.knownEnd != null) options.output?.end(stream.knownEnd);
      options.output?.proven(run);
    },
  };
  const stream = options.stream ? new StreamArrivals(arrivalsOptions, options.stream) : null;
  const arrivals = stream ?? new Arrivals(arrivalsOptions);
  const lanes = lanesOf(options, { staging, journal, arrivals });
  const want = (entry: number, offset: number, length: number) => lanes.want(entry, offset, length);
  const comparison = new Comparison({ ...options, files, plan, arrivals, want });
  const landing = new Landing({ ...options, files, plan, arrivals, journal });
  return {
    staging,
    journal,
    plan,
    arrivals,
    stream,
    comparison,
    lanes,
    landing,
    total,
    totalFiles: expected,
    handing: handOn(options, staging),
  };
}

function lanesOf(
  options: ReceptionOptions,
  { staging, journal, arrivals }: Pick<Reception, "staging" | "journal" | "arrivals">,
): IncomingLanes {
  const pathOf = (entry: number) => options.names.path(entry);
  const room = () => journal.room();
  return new IncomingLanes({ ...options, arrivals, staging: staging.files, pathOf, room });
}

/** Lets the output take what is proven from where it arrives. */
function handOn({ names, output }: ReceptionOptions, { files }: Staging) {
  if (!output) return null;
  const path = names.path(output.entry);
  return output.run(async (range) => {
    const file = await files.openSource(path, { memoryMap: false });
    return file.readRange(range).finally(() => file.close());
  });
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
  if (leftover && !isBegun) await keepLanded(journal, plan, leftover);
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
      await journal.room();
    }
  }
  await comparison.addExisting();
  await checkSpace(options.target, Math.max(0, total - arrivals.heldBytes - reserved));
  await journal.commit();
  if (leftover && !isBegun) await staging.replaceJournal();
  staging.forgetLeftover();
}
