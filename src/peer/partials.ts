/** What interrupted transfers have left, for people who want to see it or have it removed. */

import { resolve } from "node:path";
import { openNativeEngine } from "../engine/native.ts";
import { defaultTuning } from "../options.ts";
import { cleanPartials, findPartials, type PartialTransfer } from "../transfer/partials.ts";

/** What interrupted transfers have left in a folder. Rejects with `DISK_*` when it cannot be read. */
export async function listPartials(folder: string): Promise<PartialTransfer[]> {
  return findPartials(openNativeEngine(defaultTuning), resolve(folder));
}

/** Removes what interrupted transfers have left in a folder, and nothing else. Returns what was found. */
export async function removePartials(folder: string): Promise<PartialTransfer[]> {
  return cleanPartials(openNativeEngine(defaultTuning), resolve(folder));
}
