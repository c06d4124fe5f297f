/**
 * The hidden folder, beside the place where a transfer lands, in which everything is received.
 *
 * Its name follows from who sends what, so that a later try finds what an interrupted one left:
 * the files as far as they came, and the journal that tells which of their pieces are proven.
 */

import { createHash } from "node:crypto";
import type { FileStat, Folder, LogFile } from "../engine/engine.ts";
import { TransferError } from "../errors.ts";
import { encodeName } from "../lossless-name.ts";
import { naming } from "./disk-failure.ts";
import { stagingPrefix } from "./landing-name.ts";
import { Leftover } from "./leftover.ts";

/** Last characters of the hidden folder's name. */
const stagingSuffix = ".partial";

/** Names of what is in it. */
export const journalName = "journal";
const nextJournalName = "journal.next";
const filesName = "files";

/** A transfer's own folder on the disk where it lands, locked for this process. */
export class Staging {
  /** Where the files arrive. */
  readonly files: Folder;
  #leftover: Leftover | null;
  readonly #target: Folder;
  readonly #name: string;
  readonly #folder: Folder;
  #log: LogFile;
  #nextLog: LogFile | null = null;

  private constructor(place: Place, files: Folder, log: LogFile, leftover: Leftover | null) {
    this.#target = place.target;
    this.#name = place.name;
    this.#folder = place.folder;
    this.files = files;
    this.#log = log;
    this.#leftover = leftover;
  }

  /** Opens the folder of this key, or a new one, closed to other users. */
  static async open(target: Folder, key: string): Promise<Staging> {
    for (let number = 1; number <= mostFolders; number += 1) {
      const suffix = number === 1 ? "" : `-${number}`;
      const name = `${stagingPrefix}${key}${suffix}${stagingSuffix}`;
      const staging = await Staging.#openOne(target, name);
      if (staging) return staging;
    }
    throw new TransferError(
      "DISK_BUSY",
      "the same files are being received here by other processes; wait until they have ended",
    );
  }

  /** Opens a folder by its name; null when another process has it, or something else stands there. */
  static async #openOne(target: Folder, name: string): Promise<Staging | null> {
    const isNew = await createFolder(target, name);
    if (isNew) await closeToOthers(target, name);
    let folder: Folder | null = null;
    let log: LogFile | null = null;
    try {
      folder = await target.openFolder(name);
      if (!isNew && !(await folder.isOwn())) throw notOurs;
      log = await folder.openLog(journalName);
      const leftover = isNew ? null : await Leftover.read(log);
      if (leftover) await log.truncate(leftover.bytes);
      else await folder.remove(filesName);
      await createFolder(folder, filesName);
      const files = await folder.openFolder(filesName);
      return new Staging({ target, name, folder }, files, log, leftover);
    } catch (error) {
      await log?.close();
      await folder?.close();
      // A link or a file in its place, another process at work, or one that has just removed it.
      if (!isNew && error instanceof TransferError && passing.has(error.code)) return null;
      throw error;
    }
  }

  /** What an earlier try left; null when there is nothing to go on with. */
  get leftover(): Leftover | null {
    return this.#leftover;
  }

  /** Frees the memory of what has been taken over: for a million files a hundred megabytes. */
  forgetLeftover(): void {
    this.#leftover = null;
  }

  /** The log of the journal, for whoever writes it. */
  get log(): LogFile {
    return this.#log;
  }

  /** When the journal was last written, in milliseconds since 1970. */
  async journalTimeMs(): Promise<number> {
    return (await this.#folder.stat(journalName))?.mtimeMs ?? 0;
  }

  /** A log that takes the journal's place at {@link Staging.replaceJournal}. */
  async nextLog(): Promise<LogFile> {
    await this.#folder.remove(nextJournalName);
    this.#nextLog = await this.#folder.openLog(nextJournalName);
    return this.#nextLog;
  }

  /** Lets the next log, which is synced, take the journal's place. */
  async replaceJournal(): Promise<void> {
    await this.#folder.rename(nextJournalName, this.#folder, journalName, { replace: true });
    await naming("the folder of what arrives", this.#folder.sync());
    await this.#log.close();
    this.#log = this.#nextLog ?? this.#log;
    this.#nextLog = null;
  }

  /** Brings the names of the journal, of the files' folder and of this folder to disk. */
  async anchor(): Promise<void> {
    await naming("the folder of what arrives", this.#folder.sync());
    await naming("the folder where it lands", this.#target.sync());
  }

  /** Frees the folder and leaves it for another try. */
  async close(): Promise<void> {
    await this.files.close();
    await this.#folder.close();
    await this.#nextLog?.close();
    await this.#log.close();
  }

  /** Removes the folder with all that is left in it. */
  async remove(): Promise<void> {
    await this.files.close();
    await this.#folder.close();
    try {
      await this.#target.remove(this.#name);
    } finally {
      await this.#nextLog?.close();
      await this.#log.close();
    }
  }
}

/** The key of a staging folder: the same for the same things of the same sender. */
export function stagingKey(peerId: string, names: readonly string[]): string {
  const hash = createHash("sha256").update(peerId);
  for (const name of names) hash.update("\0").update(encodeName(name));
  return hash.digest("hex").slice(0, 16);
}

/** Whether something in a folder is a staging folder. */
export function isStaging({ name, kind }: Pick<FileStat, "kind"> & { name: string }): boolean {
  return kind === "folder" && name.startsWith(stagingPrefix) && name.endsWith(stagingSuffix);
}

/** Whoever owns the folder could change what is proven. */
const notOurs = new TransferError("DISK_DENIED", "the staging folder is another user's");

interface Place {
  target: Folder;
  name: string;
  folder: Folder;
}

async function closeToOthers(above: Folder, name: string): Promise<void> {
  const created = await above.stat(name);
  if (created) await above.setMetadata(name, { mode: 0o700, mtimeMs: created.mtimeMs });
}

/** Creates a folder; false if something stands there. */
async function createFolder(above: Folder, name: string): Promise<boolean> {
  try {
    await above.createFolder(name);
    return true;
  } catch (error) {
    if (error instanceof TransferError && error.code === "DISK_EXISTS") return false;
    throw error;
  }
}

const passing = new Set(["DISK_BUSY", "DISK_DENIED", "DISK_MISSING"]);
/** As many processes may receive the same things into one folder at once. */
const mostFolders = 16;
