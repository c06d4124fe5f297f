/** Tells a sender what its receiver has already. */

import { maxItems } from "../protocol/limits.ts";
import type { Manifest } from "../protocol/manifest.ts";
import type { Arrivals } from "./arrivals.ts";
import { batches } from "./batches.ts";
import { runsOf } from "./conflicts.ts";
import type { Reception, ReceptionOptions } from "./reception.ts";

/** Who is told. */
type Told = Pick<ReceptionOptions, "transferId" | "manifest" | "say">;

/** What is there. */
type Held = Pick<Reception, "plan" | "arrivals" | "comparison">;

/** Tells the sender what need not travel, and what to compare. */
export async function sayHeld(options: Told, reception: Held): Promise<void> {
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

/** Files that are whole, or failed: the sender need not think of them. */
function* settledFiles(manifest: Manifest, arrivals: Arrivals): Generator<number> {
  for (let entry = 0; entry < manifest.totals.entries; entry += 1) {
    if (arrivals.hash(entry) || arrivals.failures.has(entry)) yield entry;
  }
}

/** The most that a run of pieces takes in CBOR. */
const runBytes = 32;
