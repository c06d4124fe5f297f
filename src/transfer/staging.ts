/**
 * The hidden folder, beside the place where a transfer lands, in which everything is received.
 *
 * Nothing has its final name before all of it is proven and on disk: each top-level thing moves out
 * by one rename, so that a final name shows the old, nothing, or the whole.
 */

import type { Folder } from "../engine/engine.ts";
import { TransferError } from "../errors.ts";
import type { Manifest } from "../protocol/manifest.ts";
import type { WireFailure } from "../protocol/messages.ts";
import { type LandingPlan, numberedName } from "./conflicts.ts";
import type { LandingNames } from "./landing-names.ts";

/** First characters of the hidden folder's name. */
export const stagingPrefix = ".quiver-";

/** A transfer's own folder on the disk where it lands. */
export class Staging {
  readonly folder: Folder;
  readonly #target: Folder;
  readonly #name: string;
  readonly #manifest: Manifest;
  readonly #names: LandingNames;
  readonly #plan: LandingPlan;
  /** What could not land, by entry. */
  readonly failures = new Map<number, WireFailure>();
  /** Names of top-level things that landed under another than they had. */
  readonly #landedAs = new Map<number, string>();

  private constructor(options: StagingOptions, name: string, folder: Folder) {
    this.folder = folder;
    this.#name = name;
    this.#target = options.target;
    this.#manifest = options.manifest;
    this.#names = options.names;
    this.#plan = options.plan;
  }

  /** Makes the folder, closed to other users, and all folders of the offer in it. */
  static async create(options: StagingOptions): Promise<Staging> {
    const { target, transferId, manifest, names } = options;
    const name = `${stagingPrefix}${transferId.slice(0, 16)}.partial`;
    await target.createFolder(name);
    await target.setMetadata(name, { mode: 0o700, mtimeMs: Date.now() });
    const staging = new Staging(options, name, await target.openFolder(name));
    try {
      for (const [position, { kind }] of manifest) {
        if (kind === "folder") await staging.folder.createFolder(names.path(position));
      }
    } catch (error) {
      await staging.remove();
      throw error;
    }
    return staging;
  }

  /** Brings everything to disk and gives it its final names. `arrived` tells which files are whole. */
  async land(options: { arrived: (entry: number) => boolean; syncAll: boolean }): Promise<void> {
    await this.#makeLinks();
    await this.#setFolders();
    if (options.syncAll) await this.folder.syncAll();
    else await this.folder.sync();
    for (const top of this.#manifest.topLevel) {
      const item = this.#plan.items.get(top);
      if (item?.way === "whole") await this.#landWhole(top, options.arrived);
      if (item?.way === "merge") await this.#landEntries(top, item.replace, options.arrived);
    }
    await this.#target.sync();
    await this.remove();
  }

  /** Path below the target folder where an entry landed. */
  landedPath(entry: number): string {
    const path = this.#names.path(entry);
    const name = this.#landedAs.get(this.#manifest.root(entry));
    if (name === undefined) return path;
    const below = path.indexOf("/");
    return below < 0 ? name : name + path.slice(below);
  }

  /** Removes the folder with all that is left in it. */
  async remove(): Promise<void> {
    await this.folder.close();
    await this.#target.remove(this.#name);
  }

  async #makeLinks(): Promise<void> {
    if (this.#manifest.totals.links === 0) return;
    for (const [position, { kind, target }] of this.#manifest) {
      if (kind !== "link" || this.#plan.skipped.has(position)) continue;
      const refused = this.#names.refusedLinks.get(position);
      if (refused) this.failures.set(position, refused);
      else {
        await this.#attempt(position, () =>
          this.folder.createLink(this.#names.path(position), target),
        );
      }
    }
  }

  /** Times and modes of folders, the inner ones first: what is done in a folder changes its time. */
  async #setFolders(): Promise<void> {
    for (let position = this.#manifest.totals.entries - 1; position >= 0; position -= 1) {
      const { kind, mode, mtimeMs, depth } = this.#manifest.entry(position);
      if (kind !== "folder") continue;
      const path = this.#names.path(position);
      const created = await this.folder.stat(path);
      const allowed = (created?.mode ?? 0o755) & mode;
      // A folder must be writable to be moved out: the top-level ones get their mode after that.
      const metadata = { mode: depth === 0 ? allowed | 0o700 : allowed, mtimeMs };
      await this.#attempt(position, () => this.folder.setMetadata(path, metadata));
    }
  }

  async #landWhole(top: number, arrived: (entry: number) => boolean): Promise<void> {
    const { kind, mode, mtimeMs } = this.#manifest.entry(top);
    if (kind === "file" && !arrived(top)) return;
    if (this.failures.has(top)) return;
    const path = this.#names.path(top);
    const name = await this.#moveFree(path);
    if (name !== path) this.#landedAs.set(top, name);
    if (kind !== "folder" || (mode & 0o700) === 0o700) return;
    const landed = await this.#target.stat(name);
    await this.#attempt(top, () =>
      this.#target.setMetadata(name, { mode: (landed?.mode ?? mode) & mode, mtimeMs }),
    );
  }

  /** Moves a thing to its name, or to the next one that is free. */
  async #moveFree(path: string): Promise<string> {
    for (let number = 1; ; number += 1) {
      const name = number === 1 ? path : numberedName(path, number);
      try {
        await this.folder.rename(path, this.#target, name, { replace: false });
        return name;
      } catch (error) {
        const isTaken = error instanceof TransferError && error.code === "DISK_EXISTS";
        if (!isTaken) throw error;
      }
    }
  }

  async #landEntries(
    top: number,
    replace: boolean,
    arrived: (entry: number) => boolean,
  ): Promise<void> {
    for (let position = top; position < this.#manifest.totals.entries; position += 1) {
      if (this.#manifest.root(position) !== top) return;
      const { kind } = this.#manifest.entry(position);
      const isThere = kind === "file" ? arrived(position) : !this.failures.has(position);
      if (!isThere || this.#plan.skipped.has(position)) continue;
      const path = this.#names.path(position);
      await this.#attempt(position, async () => {
        if (kind === "folder") await this.#ensureFolder(path);
        else await this.folder.rename(path, this.#target, path, { replace });
      });
    }
  }

  async #ensureFolder(path: string): Promise<void> {
    const there = await this.#target.stat(path);
    if (there?.kind !== "folder") await this.#target.createFolder(path);
  }

  /** Does what may fail for one entry without ending the others. */
  async #attempt(position: number, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof TransferError)) throw error;
      this.failures.set(position, { code: error.code, reason: error.message.slice(0, 500) });
    }
  }
}

/** What a staging folder is made for. */
export interface StagingOptions {
  target: Folder;
  transferId: string;
  manifest: Manifest;
  names: LandingNames;
  plan: LandingPlan;
}
