/** Opens the folder where files land, and makes it if it is not there. */

import { basename, dirname } from "node:path";
import type { Engine, Folder } from "../engine/engine.ts";
import { TransferError } from "../errors.ts";
import { absolutePath } from "../named-path.ts";
import { naming } from "./disk-failure.ts";
import { landingName, type NameRules } from "./landing-name.ts";

/** Opens a folder by its path; makes it and the folders above it if need be. Fails with `DISK_*`. */
export async function openInbox(engine: Engine, path: string): Promise<Folder> {
  try {
    return await openOrMake(engine, absolutePath(path));
  } catch (error) {
    if (!(error instanceof TransferError)) throw error;
    const message = `the folder ${path} cannot be made or opened (${error.message}); choose another`;
    throw new TransferError(error.code, message, { cause: error });
  }
}

async function openOrMake(engine: Engine, absolute: string): Promise<Folder> {
  try {
    return await engine.openFolder(absolute);
  } catch (error) {
    const isMissing = error instanceof TransferError && error.code === "DISK_MISSING";
    if (!isMissing || dirname(absolute) === absolute) throw error;
  }
  const above = await openOrMake(engine, dirname(absolute));
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
  const names = path === "" ? [] : path.split("/").map((part) => plainName(part, rules));
  let folder = await naming("the inbox", inbox.openFolder(""));
  for (const name of names) {
    const above = folder;
    try {
      folder = await openOrCreate(above, name);
    } finally {
      await above.close();
    }
  }
  return folder;
}

/**
 * Opens the folder where an offer would land, or the nearest above it that is there; makes nothing.
 *
 * Fails as {@link openInbox} and {@link openBelow} would.
 */
export async function openNearest(
  engine: Engine,
  path: string,
  below: string,
  rules: NameRules,
): Promise<{ folder: Folder; isThere: boolean }> {
  const names = below === "" ? [] : below.split("/").map((part) => plainName(part, rules));
  let absolute = absolutePath(path);
  let folder = await openIfThere(() => engine.openFolder(absolute));
  let isThere = folder !== null;
  while (!folder) {
    absolute = dirname(absolute);
    folder = await openIfThere(() => engine.openFolder(absolute));
  }
  for (const name of isThere ? names : []) {
    const above: Folder = folder;
    const inner = await openIfThere(() => above.openFolder(name));
    isThere = inner !== null;
    if (!inner) break;
    folder = inner;
    await above.close();
  }
  return { folder, isThere };
}

async function openIfThere(open: () => Promise<Folder>): Promise<Folder | null> {
  try {
    return await open();
  } catch (error) {
    if (error instanceof TransferError && error.code === "DISK_MISSING") return null;
    throw error;
  }
}

/** Makes sure that a folder's disk has room for so many bytes. `DISK_FULL` if not. */
export async function checkSpace(target: Folder, bytes: number): Promise<void> {
  const free = await target.freeBytes();
  if (bytes <= free) return;
  throw new TransferError(
    "DISK_FULL",
    `the files need ${bytes} bytes and the receiver's disk has ${free} free; make room there or choose another folder`,
  );
}

function plainName(part: string, rules: NameRules): string {
  const landing = landingName(part, rules);
  if (landing.kind !== "refused") return landing.name;
  throw new TransferError(
    "NAME_REFUSED",
    `the folder that the sender wishes has a part that ${landing.reason}`,
  );
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
