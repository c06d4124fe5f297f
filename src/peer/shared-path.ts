/** What a reader's path means in the shares that it may read: resolved part by part, or refused. */

import type { FileStat, Folder } from "../engine/engine.ts";
import { TransferError } from "../errors.ts";
import { landingName, nameRules } from "../transfer/landing-name.ts";
import type { OpenShare } from "./shares.ts";

/** A file or folder of a share. */
export interface SharedThing {
  share: OpenShare;
  /** The folder that it lies in, a handle of its own; the share itself where `name` is `""`. */
  folder: Folder;
  name: string;
  stat: FileStat;
  /** What it is called to the reader. */
  offeredName: string;
}

/**
 * Opens what a path of a peer means.
 *
 * No link is followed, not even one that stays inside. A share that the peer may not read is as one
 * that is not there.
 *
 * @throws {TransferError} `DISK_MISSING`, `DISK_DENIED` or `NAME_REFUSED`, for the peer to read.
 */
export async function openShared(shares: readonly OpenShare[], path: string): Promise<SharedThing> {
  const [shareName = "", ...parts] = path.split("/").map((part) => plainPart(part, path));
  const share = shares.find(({ name }) => name === shareName);
  if (!share) throw notThere(path);
  const name = parts.pop() ?? "";
  let folder: Folder | null = null;
  try {
    folder = await share.folder.openFolder(parts.join("/"));
    const stat = await folder.stat(name);
    if (!stat) throw notThere(path);
    if (stat.kind !== "file" && stat.kind !== "folder") throw notGiven(path);
    return { share, folder, name, stat, offeredName: name || share.name };
  } catch (error) {
    await folder?.close();
    // The disk's own words are for the owner of the disk.
    const isMissing = error instanceof TransferError && error.code === "DISK_MISSING";
    throw isMissing ? notThere(path) : notGiven(path);
  }
}

/** A part of a path that can be a name on this system. */
function plainPart(part: string, path: string): string {
  const landing = landingName(part, nameRules(process.platform));
  if (landing.kind === "refused") {
    const message = `"${path}" is no path in a share: a part of it ${landing.reason}`;
    throw new TransferError("NAME_REFUSED", message);
  }
  // Nothing on this system is called so, whatever else the system may make of such a name.
  if (landing.kind === "mapped") throw notThere(path);
  return part;
}

function notThere(path: string): TransferError {
  return new TransferError("DISK_MISSING", `"${path}" is not there; quiver list shows what is`);
}

function notGiven(path: string): TransferError {
  const message = `"${path}" is not given: it is a link or leads through one, or may not be read`;
  return new TransferError("DISK_DENIED", message);
}
