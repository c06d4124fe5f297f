/** Brings files that arrive to disk, names included, so that a journal may tell of them. */

import type { Folder } from "../engine/engine.ts";
import { TransferError } from "../errors.ts";
import type { Manifest } from "../protocol/manifest.ts";
import type { Arrivals } from "./arrivals.ts";
import { naming } from "./disk-failure.ts";

/** Where the files are. */
export interface SyncedPlace {
  /** The staging folder's files. */
  files: Folder;
  manifest: Manifest;
  /** Path of an entry in that folder. */
  pathOf: (entry: number) => string;
  arrivals: Arrivals;
}

/** Syncs the files of so many entries; with many, one sync of the whole disk is far cheaper. */
export async function syncFiles(
  { files, manifest, pathOf, arrivals }: SyncedPlace,
  entries: ReadonlySet<number>,
): Promise<void> {
  const syncAll = () => naming("what has arrived", files.syncAll());
  if (entries.size > mostSyncedEach) return syncAll();
  const folders = new Set<string>();
  for (const entry of entries) {
    const path = pathOf(entry);
    if (!(await arrivals.sync(entry))) {
      try {
        await syncClosed(files, path, manifest.entry(entry).bytes);
      } catch (error) {
        // A file that is whole and for reading only.
        if (!(error instanceof TransferError) || error.code !== "DISK_DENIED") throw error;
        return syncAll();
      }
    }
    for (let end = path.lastIndexOf("/"); end >= 0; end = path.lastIndexOf("/", end - 1)) {
      folders.add(path.slice(0, end));
    }
  }
  for (const path of ["", ...folders]) {
    await naming(path || "the folder of what has arrived", syncFolder(files, path));
  }
}

async function syncFolder(files: Folder, path: string): Promise<void> {
  const folder = await files.openFolder(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function syncClosed(files: Folder, path: string, bytes: number): Promise<void> {
  const file = await files.openPartial(path, bytes);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

const mostSyncedEach = 16;
