/** Opens the folder where files land, and makes it if it is not there. */

import { basename, dirname, resolve } from "node:path";
import type { Engine, Folder } from "../engine/engine.ts";
import { TransferError } from "../errors.ts";
import { landingName, type NameRules } from "./landing-name.ts";

/** Opens a folder by its path, with the folders above it. Fails with `DISK_*`. */
export async function openInbox(engine: Engine, path: string): Promise<Folder> {
  const absolute = resolve(path);
  try {
    return await engine.openFolder(absolute);
  } catch (error) {
    const isMissing = error instanceof TransferError && error.code === "DISK_MISSING";
    if (!isMissing || dirname(absolute) === absolute) throw error;
  }
  const above = await openInbox(engine, dirname(absolute));
  try {
    return await openOrCreate(above, basename(absolute));
  } finally {
    await above.close();
  }
}

/**
 * Opens a folder below another by a path that a peer chose.
 *
 * @throws {TransferError} `NAME_REFUSED` for a path that is not plainly below.
 */
export async function openBelow(inbox: Folder, path: string, rules: NameRules): Promise<Folder> {
  let folder = await inbox.openFolder("");
  for (const part of path === "" ? [] : path.split("/")) {
    const name = landingName(part, rules);
    if (name.kind === "refused") {
      await folder.close();
      throw new TransferError("NAME_REFUSED", `the folder that the sender wishes ${name.reason}`);
    }
    const above = folder;
    try {
      folder = await openOrCreate(above, name.name);
    } finally {
      await above.close();
    }
  }
  return folder;
}

async function openOrCreate(above: Folder, name: string): Promise<Folder> {
  try {
    await above.createFolder(name);
  } catch (error) {
    const isThere = error instanceof TransferError && error.code === "DISK_EXISTS";
    if (!isThere) throw error;
  }
  return above.openFolder(name);
}
