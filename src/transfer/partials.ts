/** What interrupted transfers have left in a folder. */

import type { Engine, Folder } from "../engine/engine.ts";
import { TransferError } from "../errors.ts";
import { Leftover } from "./leftover.ts";
import { isStaging, journalName } from "./staging.ts";

/** What one interrupted transfer has left. */
export interface PartialTransfer {
  /** Name of the hidden folder that holds it. */
  name: string;
  /** Names of the top-level things, as the sender wrote them: hostile. Empty where none is known. */
  items: string[];
  /** Bytes that are proven and need not be sent again. */
  provenBytes: number;
  totalBytes: number;
  /** Whether a process is receiving it now. */
  isInUse: boolean;
}

/** What is left in a folder of this machine. Rejects with `DISK_*` when it cannot be read. */
export async function findPartials(engine: Engine, path: string): Promise<PartialTransfer[]> {
  return eachPartial(engine, path, async (partial) => partial);
}

/** Removes it, but for what is in use. Returns what was found. */
export async function cleanPartials(engine: Engine, path: string): Promise<PartialTransfer[]> {
  return eachPartial(engine, path, async (partial, target) => {
    if (!partial.isInUse) await target.remove(partial.name);
    return partial;
  });
}

async function eachPartial(
  engine: Engine,
  path: string,
  use: (partial: PartialTransfer, target: Folder) => Promise<PartialTransfer>,
): Promise<PartialTransfer[]> {
  const target = await engine.openFolder(path);
  const found: PartialTransfer[] = [];
  try {
    for (const thing of await target.list("")) {
      if (isStaging(thing)) found.push(await withPartial(target, thing.name, use));
    }
  } finally {
    await target.close();
  }
  return found;
}

/** Holds the folder's lock while it is used: a transfer cannot begin in it meanwhile. */
async function withPartial(
  target: Folder,
  name: string,
  use: (partial: PartialTransfer, target: Folder) => Promise<PartialTransfer>,
): Promise<PartialTransfer> {
  const folder = await target.openFolder(name);
  const nothing = { name, items: [], provenBytes: 0, totalBytes: 0 };
  try {
    const log = await folder.openLog(journalName);
    try {
      return await use({ ...nothing, ...tell(await Leftover.read(log)), isInUse: false }, target);
    } finally {
      await log.close();
    }
  } catch (error) {
    if (!(error instanceof TransferError) || error.code !== "DISK_BUSY") throw error;
    return use({ ...nothing, isInUse: true }, target);
  } finally {
    await folder.close();
  }
}

function tell(leftover: Leftover | null): Partial<PartialTransfer> {
  if (!leftover) return {};
  const { manifest, provenBytes } = leftover;
  const items = manifest.topLevel.slice(0, mostItems).map((top) => manifest.entry(top).name);
  return { items, provenBytes, totalBytes: manifest.totals.bytes };
}

const mostItems = 20;
