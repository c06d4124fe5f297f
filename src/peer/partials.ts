/** What interrupted transfers have left, for people who want to see it or have it removed. */

import { openNativeEngine } from "../engine/native.ts";
import { absolutePath } from "../named-path.ts";
import { defaultTuning } from "../options.ts";
import { cleanPartials, findPartials, type PartialTransfer } from "../transfer/partials.ts";

/** What interrupted transfers have left in a folder. Rejects with `DISK_*` when it cannot be read. */
export async function listPartials(folder: string): Promise<PartialTransfer[]> {
  return findPartials(openNativeEngine(defaultTuning), absolutePath(folder));
}

/** Removes what interrupted transfers have left in a folder, and nothing else. Returns what was found. */
export async function removePartials(folder: string): Promise<PartialTransfer[]> {
  return cleanPartials(openNativeEngine(defaultTuning), absolutePath(folder));
}
