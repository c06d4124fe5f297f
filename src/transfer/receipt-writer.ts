/** The receiver's end of a receipt: what each file came to, for the sender and for its own owner. */

import { arrivedFeature } from "../protocol/features.ts";
import type { Manifest } from "../protocol/manifest.ts";
import type { ArrivedRun, ControlMessage, FileResult } from "../protocol/messages.ts";
import type { Arrivals } from "./arrivals.ts";
import { batches, textBytes } from "./batches.ts";
import { type LandingPlan, runsOf } from "./conflicts.ts";
import { EntrySet } from "./entry-set.ts";
import { notChosen, type ReceiptFile, type ReceiptFiles } from "./events.ts";
import type { Landing } from "./landing.ts";
import { MadeFiles, receiptFile } from "./receipt-files.ts";

/** A transfer that has landed. */
export interface Landed {
  transferId: string;
  manifest: Manifest;
  plan: LandingPlan;
  arrivals: Arrivals;
  landing: Landing;
}

/** Who gets a receipt. */
export interface Hearer {
  say: (message: ControlMessage) => Promise<void>;
  /** What it takes beyond version 1. */
  features: readonly string[];
}

/** Says the results in batches and then the receipt; returns the files and their bytes. */
export async function sayReceipt(
  landed: Landed,
  seconds: number,
  { say, features }: Hearer,
): Promise<{ files: ReceiptFiles; bytes: number }> {
  const takesRuns = features.includes(arrivedFeature);
  const { transferId: transfer, manifest } = landed;
  let count = 0;
  let bytes = 0;
  const notAsOffered = new EntrySet();
  const bytesOf = ({ savedAs, reason }: FileResult) => textBytes(savedAs, reason);
  for (const batch of batches(resultsOf(landed), resultsInMessage, bytesOf)) {
    for (const result of batch) {
      const { status, entry } = result;
      if (status === "received") bytes += manifest.entry(entry).bytes;
      if (!isAsOffered(result)) notAsOffered.add(entry);
    }
    count += batch.length;
    const messages = takesRuns ? inShort(batch) : [{ type: "results", files: batch } as const];
    for (const message of messages) await say({ ...message, transfer });
  }
  await say({ type: "receipt", transfer, bytes, seconds });
  const files = new MadeFiles(count, {
    all: () => filesOf(manifest, resultsOf(landed)),
    notAsOffered: () => filesOf(manifest, someResultsOf(landed, notAsOffered)),
  });
  return { files, bytes };
}

/** Results, those of which there is no more to say than the hash as runs. */
function* inShort(results: readonly FileResult[]): Generator<Short> {
  for (let at = 0; at < results.length; ) {
    const isPlain = isAsOffered(results[at]);
    let end = at + 1;
    while (end < results.length && isAsOffered(results[end]) === isPlain) end += 1;
    const files = results.slice(at, end);
    yield isPlain ? { type: "arrived", runs: arrivedRuns(files) } : { type: "results", files };
    at = end;
  }
}

function isAsOffered(result: FileResult | undefined): boolean {
  return result?.status === "received" && result.savedAs === "";
}

/** Each run of neighbours with the hashes of all. */
function arrivedRuns(files: readonly FileResult[]): ArrivedRun[] {
  const hashes = files.map(({ hash }) => hash);
  return runsOf(files.map(({ entry }) => entry)).map(([first, count]) => {
    return { first, hashes: Buffer.concat(hashes.splice(0, count)) };
  });
}

function* filesOf(manifest: Manifest, results: Iterable<FileResult>): Generator<ReceiptFile> {
  for (const result of results) yield receiptFile(manifest, result);
}

function* someResultsOf(landed: Landed, entries: Iterable<number>): Generator<FileResult> {
  for (const entry of entries) yield resultOf(landed, entry);
}

/** Every file; and folders and links only where they failed. */
function* resultsOf(landed: Landed): Generator<FileResult> {
  for (const [entry, { kind }] of landed.manifest) {
    const result = resultOf(landed, entry);
    if (kind === "file" || result.status === "failed") yield result;
  }
}

function resultOf({ manifest, plan, arrivals, landing }: Landed, entry: number): FileResult {
  const nothing = { entry, hash: noHash, savedAs: "", code: null, reason: "" };
  if (plan.skipped.has(entry)) {
    const reason = plan.leftOut.has(entry) ? notChosen : "a file of that name is there already";
    return { ...nothing, status: "skipped", reason };
  }
  const failure =
    arrivals.failures.get(entry) ?? landing.failures.get(entry) ?? landing.waits(entry);
  if (failure) return { ...nothing, status: "failed", ...failure };
  const hash = arrivals.hash(entry);
  if (!hash && manifest.entry(entry).kind === "file") {
    const reason = "the file did not arrive whole";
    return { ...nothing, status: "failed", code: "CONTENT_MISMATCH", reason };
  }
  const savedAs = landing.savedAs(entry);
  return { ...nothing, status: "received", hash: hash ?? noHash, savedAs };
}

type Short = { type: "results"; files: FileResult[] } | { type: "arrived"; runs: ArrivedRun[] };

const noHash = new Uint8Array();
/** Results in one message, if their names and reasons are short. */
const resultsInMessage = 1024;
