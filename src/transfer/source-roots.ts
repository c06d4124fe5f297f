/** Opens what a person named to be sent. */

import { basename, dirname, resolve } from "node:path";
import type { Engine, FileStat, Folder } from "../engine/engine.ts";
import { TransferError } from "../errors.ts";
import { absolutePath } from "../named-path.ts";

/** A top-level thing: the folder it lies in, held open, and its name there; `""` for the folder itself. */
export interface Root {
  folder: Folder;
  /** The folder's path, for rules that lie in it; `""` where none count. */
  parent: string;
  name: string;
  stat: FileStat;
  /** Its name in the offer: the same, unless two things are called alike. */
  offeredName: string;
}

/**
 * Opens the folders that the named things lie in. A link that is named itself is followed.
 *
 * @throws {TransferError} `DISK_*` or `INVALID_ARGUMENT`, with the path as it was named.
 */
export async function openRoots(engine: Engine, paths: readonly string[]): Promise<Root[]> {
  const roots: Root[] = [];
  const folders = new Map<string, Folder>();
  for (const path of paths) roots.push(await openRoot(engine, path, folders));
  return withOfferedNames(roots);
}

/** Gives roots that are called alike different names in the offer. */
export function withOfferedNames(roots: readonly Root[]): Root[] {
  const names = offeredNames(roots.map(({ offeredName }) => offeredName));
  return roots.map((root, at) => ({ ...root, offeredName: names[at] ?? "" }));
}

/** The names under which top-level things are offered: of two that are called alike, one gets a number. */
export function offeredNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  for (const name of names) {
    let free = name;
    for (let number = 2; taken.has(free); number += 1) free = `${name} (${number})`;
    taken.add(free);
  }
  return [...taken];
}

async function openRoot(engine: Engine, path: string, folders: Map<string, Folder>): Promise<Root> {
  let absolute = absolutePath(path);
  for (let links = 0; links < mostLinks; links += 1) {
    const name = basename(absolute);
    if (name === "") {
      throw new TransferError("INVALID_ARGUMENT", `${path} is a whole disk; name a folder on it`);
    }
    const parent = dirname(absolute);
    const folder = folders.get(parent) ?? (await openParent(engine, parent, path));
    folders.set(parent, folder);
    const stat = await folder.stat(name);
    if (stat?.kind === "file" || stat?.kind === "folder") {
      return { folder, parent, name, stat, offeredName: basename(resolve(path)) };
    }
    const target = stat?.kind === "link" ? await folder.readLink(name) : null;
    if (!stat) throw missing(path);
    if (target === null) {
      throw new TransferError(
        "INVALID_ARGUMENT",
        `${path} is a socket, device or FIFO; only files and folders can be sent`,
      );
    }
    absolute = resolve(parent, target);
  }
  throw new TransferError("DISK_MISSING", `${path} is a link that leads in circles`);
}

async function openParent(engine: Engine, parent: string, path: string): Promise<Folder> {
  try {
    return await engine.openFolder(parent);
  } catch (error) {
    if (error instanceof TransferError && error.code === "DISK_MISSING") throw missing(path);
    throw error;
  }
}

function missing(path: string): TransferError {
  return new TransferError("DISK_MISSING", `${path} is not there; check the spelling`);
}

/** As many links as Linux follows in one path. */
const mostLinks = 40;
