/** The receiver's end of a receipt: what each file came to, for the sender and for its own owner. */

import type { Manifest } from "../protocol/manifest.ts";
import type { ControlMessage, FileResult } from "../protocol/messages.ts";
import type { Arrivals } from "./arrivals.ts";
import type { LandingPlan } from "./conflicts.ts";
import type { ReceiptFile } from "./events.ts";
import { receiptFile } from "./receipt-reader.ts";
import type { Staging } from "./staging.ts";

/** A transfer that has landed. */
export interface Landed {
  transferId: string;
  manifest: Manifest;
  plan: LandingPlan;
  arrivals: Arrivals;
  staging: Staging;
}

/** Says the results in batches and then the receipt; returns the files and their bytes. */
export async function sayReceipt(
  landed: Landed,
  seconds: number,
  say: (message: ControlMessage) => Promise<void>,
): Promise<{ files: ReceiptFile[]; bytes: number }> {
  const { transferId: transfer, manifest } = landed;
  const files: ReceiptFile[] = [];
  let bytes = 0;
  let batch: FileResult[] = [];
  for (const [entry, { kind, bytes: size }] of manifest) {
    const result = resultOf(landed, entry);
    if (kind !== "file" && result.status !== "failed") continue;
    if (result.status === "received") bytes += size;
    files.push(receiptFile(manifest, result));
    batch.push(result);
    if (batch.length < resultsInMessage) continue;
    await say({ type: "results", transfer, files: batch });
    batch = [];
  }
  if (batch.length > 0) await say({ type: "results", transfer, files: batch });
  await say({ type: "receipt", transfer, bytes, seconds });
  return { files, bytes };
}

function resultOf({ manifest, plan, arrivals, staging }: Landed, entry: number): FileResult {
  const nothing = { entry, hash: new Uint8Array(), savedAs: "", code: null, reason: "" };
  if (plan.skipped.has(entry)) {
    return { ...nothing, status: "skipped", reason: "a file of that name is there already" };
  }
  const failure = arrivals.failures.get(entry) ?? staging.failures.get(entry);
  if (failure) return { ...nothing, status: "failed", ...failure };
  const hash = arrivals.hash(entry) ?? new Uint8Array();
  const landed = staging.landedPath(entry);
  return {
    ...nothing,
    status: "received",
    hash,
    savedAs: landed === manifest.path(entry) ? "" : landed,
  };
}

/** Results in one message: some 100 KB of a frame that may have 1 MiB. */
const resultsInMessage = 1024;
