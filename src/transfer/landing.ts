/**
 * Gives what has arrived its final names.
 *
 * Nothing has its final name before all of it is proven and on disk: each top-level thing moves out
 * by one rename, so that a final name shows the old, nothing, or the whole. What is about to move is
 * in the journal first, so that a later try knows it again.
 */

import { displayText } from "../display-text.ts";
import type { Folder } from "../engine/engine.ts";
import { TransferError } from "../errors.ts";
import type { Manifest } from "../protocol/manifest.ts";
import type { WireFailure } from "../protocol/messages.ts";
import type { Arrivals } from "./arrivals.ts";
import { type LandingPlan, numberedName } from "./conflicts.ts";
import { isDiskCode, naming } from "./disk-failure.ts";
import { eachFolder } from "./each-folder.ts";
import type { Journal } from "./journal.ts";
import type { LandingNames } from "./landing-names.ts";

/** What lands, and where. */
export interface LandingOptions {
  target: Folder;
  /** The staging folder's files. */
  files: Folder;
  manifest: Manifest;
  names: LandingNames;
  plan: LandingPlan;
  arrivals: Arrivals;
  journal: Journal;
}

/** The landing of one transfer. */
export class Landing {
  /** What could not land, by entry. */
  readonly failures = new Map<number, WireFailure>();
  readonly #options: LandingOptions;
  /** Names of top-level things that landed under another than they had. */
  readonly #landedAs = new Map<number, string>();
  /** Top-level things of which this side's disk refused a part, with a file that it refused. */
  readonly #waiting = new Map<number, number>();

  constructor(options: LandingOptions) {
    this.#options = options;
    for (const [top, { landedAs }] of options.plan.items) {
      if (landedAs !== undefined) this.#landedAs.set(top, landedAs);
    }
  }

  /** Moves everything that is whole; what this side's disk failed at stays for another try. */
  async land(): Promise<void> {
    const { manifest, plan, files, target, journal, arrivals } = this.#options;
    await journal.commit();
    for (const [entry, { code }] of arrivals.failures) {
      const isOurs = isDiskCode(code) && !arrivals.isAbsent(entry);
      if (isOurs) this.#waiting.set(manifest.root(entry), entry);
    }
    const failed = [...arrivals.failures.keys()];
    const given = failed.filter((entry) => !this.#waiting.has(manifest.root(entry)));
    for (const entry of given) journal.void(entry);
    await arrivals.discard(given);
    await this.#makeLinks();
    await this.#setFolders();
    const tops = manifest.topLevel.filter((top) => !this.#waiting.has(top));
    for (const top of tops) await this.#intend(top);
    const isTree = manifest.totals.folders + manifest.totals.links > 0;
    if (isTree) await naming("what has arrived", files.syncAll());
    await journal.commit();
    for (const top of tops) {
      const item = plan.items.get(top);
      if (item?.way === "merge") await this.#landEntries(top, item.replace);
      if (item?.way === "whole") await this.#landWhole(top);
      if (this.#isRestricted(top)) await this.#attempt(top, () => this.#restrict(top));
    }
    const isDeep = tops.some((top) => {
      return plan.items.get(top)?.way === "merge" || this.#isRestricted(top);
    });
    await naming("the folder where it lands", isDeep ? target.syncAll() : target.sync());
  }

  /** Whether another try can bring more. */
  get isIncomplete(): boolean {
    const { manifest } = this.#options;
    const failed = [...this.failures].some(([entry, { code }]) => {
      return manifest.entry(entry).kind === "file" && isDiskCode(code);
    });
    return failed || this.#waiting.size > 0;
  }

  /** Why a file that has arrived has not landed; undefined if it has. */
  waits(entry: number): WireFailure | undefined {
    const { manifest, arrivals } = this.#options;
    const missing = this.#waiting.get(manifest.root(entry)) ?? -1;
    const failure = arrivals.failures.get(missing);
    if (!failure || manifest.entry(entry).kind !== "file") return undefined;
    const path = displayText(manifest.path(missing), 200);
    return { code: failure.code, reason: `it is here, and waits for ${path}, which failed` };
  }

  /** Path below the target folder where an entry landed, if that is not its own; `""` if it is. */
  savedAs(entry: number): string {
    const { manifest, names } = this.#options;
    // Of a million files, most likely all.
    if (this.#landedAs.size === 0 && !names.areMapped) return "";
    const landed = this.#landedPath(entry);
    return landed === manifest.path(entry) ? "" : landed;
  }

  #landedPath(entry: number): string {
    const { manifest, names } = this.#options;
    const path = names.path(entry);
    const name = this.#landedAs.get(manifest.root(entry));
    if (name === undefined) return path;
    const below = path.indexOf("/");
    return below < 0 ? name : name + path.slice(below);
  }

  async #makeLinks(): Promise<void> {
    const { manifest, names, plan, files } = this.#options;
    if (manifest.totals.links === 0) return;
    for (const [position, { kind, target }] of manifest) {
      if (kind !== "link" || plan.skipped.has(position) || this.#isLanded(position)) continue;
      const refused = names.refusedLinks.get(position);
      if (refused) this.failures.set(position, refused);
      else await this.#attempt(position, () => files.createLink(names.path(position), target));
    }
  }

  /** Times and modes of folders, the inner ones first: what is done in a folder changes its time. */
  async #setFolders(): Promise<void> {
    const { manifest, names, plan, files } = this.#options;
    await eachFolder(manifest, "inner first", async (positions) => {
      const set = positions.filter((position) => {
        return !plan.leftOut.has(position) && !this.#isLanded(position);
      });
      const failures = await files.restrictEach(
        set.map((position) => {
          const { mode, mtimeMs, depth } = manifest.entry(position);
          // A folder must be writable to be moved out: the top-level ones get their mode after that.
          return { path: names.path(position), mode: depth === 0 ? mode | 0o700 : mode, mtimeMs };
        }),
      );
      for (const [at, failure] of failures.entries()) {
        if (failure) this.#note(set[at] ?? 0, failure);
      }
    });
  }

  /** Notes what is about to move under a top-level entry. */
  async #intend(top: number): Promise<void> {
    const { manifest, names, plan } = this.#options;
    const way = plan.items.get(top)?.way;
    if (way === "whole") await this.#intendOne(top, names.path(top));
    if (way !== "merge") return;
    for (const entry of this.#below(top)) {
      if (manifest.entry(entry).kind === "file") await this.#intendOne(entry, names.path(entry));
    }
  }

  async #intendOne(entry: number, path: string): Promise<void> {
    const { files, names, journal } = this.#options;
    if (!this.#isThere(entry)) return;
    const staged = await files.stat(names.path(entry));
    if (staged) journal.intend({ entry, path, identity: staged.identity });
  }

  async #landWhole(top: number): Promise<void> {
    if (!this.#isThere(top)) return;
    const path = this.#options.names.path(top);
    const name = await this.#moveFree(top, path);
    if (name !== path) this.#landedAs.set(top, name);
  }

  /** Whether a folder has landed as a whole whose mode would have kept it from moving out. */
  #isRestricted(top: number): boolean {
    const { manifest, plan } = this.#options;
    const { kind, mode } = manifest.entry(top);
    const way = plan.items.get(top)?.way;
    const hasLanded = (way === "whole" || way === "landed") && this.#isThere(top);
    return hasLanded && kind === "folder" && (mode & 0o700) !== 0o700;
  }

  /** Gives a folder that has moved out its mode, unless an earlier try has. */
  async #restrict(top: number): Promise<void> {
    const { manifest, target } = this.#options;
    const { mode, mtimeMs } = manifest.entry(top);
    const name = this.#landedPath(top);
    const there = await target.stat(name);
    if (!there || (there.mode & ~mode) === 0) return;
    await target.restrict(name, { mode, mtimeMs });
  }

  /** Moves a thing to its name, or to the next one that is free. */
  async #moveFree(top: number, path: string): Promise<string> {
    const { files, target, journal } = this.#options;
    for (let number = 1; ; number += 1) {
      const name = number === 1 ? path : numberedName(path, number);
      try {
        if (number > 1) {
          if (await target.stat(name)) continue;
          await this.#intendOne(top, name);
          await journal.commit();
        }
        await files.rename(path, target, name, { replace: false });
        return name;
      } catch (error) {
        const isTaken = error instanceof TransferError && error.code === "DISK_EXISTS";
        if (!isTaken) throw error;
      }
    }
  }

  async #landEntries(top: number, replace: boolean): Promise<void> {
    const { manifest, names, plan, files, target, arrivals } = this.#options;
    for (const position of this.#below(top)) {
      if (!this.#isThere(position) || plan.skipped.has(position)) continue;
      const { kind, mode, mtimeMs } = manifest.entry(position);
      const path = names.path(position);
      await this.#attempt(position, async () => {
        if (kind === "folder") await ensureFolder(target, path);
        else if (arrivals.isInPlace(position)) await target.restrict(path, { mode, mtimeMs });
        else await files.rename(path, target, path, { replace });
      });
    }
  }

  /** A top-level entry and all below it, but for what has landed already. */
  *#below(top: number): Generator<number> {
    const { manifest } = this.#options;
    for (let position = top; position < manifest.totals.entries; position += 1) {
      if (manifest.root(position) !== top) return;
      if (!this.#isLanded(position)) yield position;
    }
  }

  /** Whether an entry can land. A folder can, even where its mode and time could not be set. */
  #isThere(entry: number): boolean {
    const { manifest, arrivals } = this.#options;
    const { kind } = manifest.entry(entry);
    if (kind === "folder") return true;
    if (kind === "link") return !this.failures.has(entry);
    return arrivals.hash(entry) !== undefined && !arrivals.failures.has(entry);
  }

  #isLanded(entry: number): boolean {
    return this.#options.plan.landed.has(entry);
  }

  /** Does what may fail for one entry without ending the others. */
  async #attempt(position: number, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#note(position, error);
    }
  }

  /** Notes what failed for one entry; throws what ends the others, too. */
  #note(position: number, error: unknown): void {
    // On a full disk nothing more can land.
    if (!(error instanceof TransferError) || error.code === "DISK_FULL") throw error;
    this.failures.set(position, { code: error.code, reason: error.message.slice(0, 500) });
  }
}

async function ensureFolder(target: Folder, path: string): Promise<void> {
  const there = await target.stat(path);
  if (there?.kind !== "folder") await target.createFolder(path);
}
