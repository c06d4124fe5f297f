/** The names under which an offer's entries land, chosen as the entries come in. */

import { displayText } from "../display-text.ts";
import { TransferError } from "../errors.ts";
import type { Entry } from "../protocol/entry.ts";
import type { Manifest } from "../protocol/manifest.ts";
import type { WireFailure } from "../protocol/messages.ts";
import { keptPaths, remember } from "../protocol/remember.ts";
import { isInsideLink, type NameRules, NameTable } from "./landing-name.ts";

/** Maps the entries of one offer to paths that this system can hold and nobody else can bend. */
export class LandingNames {
  readonly #manifest: Manifest;
  readonly #rules: NameRules;
  /** Only the names that differ. */
  readonly #mapped = new Map<number, string>();
  /** Links that lead out, and why they are not made. */
  readonly refusedLinks = new Map<number, WireFailure>();
  readonly #folderPaths = new Map<number, string>();
  /** Names taken in the folders that are open, from the top. */
  #tables: NameTable[];

  constructor(manifest: Manifest, rules: NameRules) {
    this.#manifest = manifest;
    this.#rules = rules;
    this.#tables = [new NameTable(rules)];
  }

  /**
   * Takes the next entry.
   *
   * @throws {TransferError} `NAME_REFUSED` for a name that no honest sender sends.
   */
  add(position: number, entry: Entry): void {
    this.#tables.length = Math.min(this.#tables.length, entry.depth + 1);
    const name = this.#tables[entry.depth]?.land(entry.name);
    if (!name || name.kind === "refused") {
      const shown = displayText(this.#manifest.path(position), 200);
      throw new TransferError(
        "NAME_REFUSED",
        `the offer is refused: the name "${shown}" ${name?.reason ?? "is out of place"}`,
      );
    }
    if (name.kind === "mapped") this.#mapped.set(position, name.name);
    if (entry.kind === "folder") this.#tables.push(new NameTable(this.#rules));
    if (entry.kind === "link") this.#checkLink(position, entry);
  }

  /** Whether any name is not the sender's. */
  get areMapped(): boolean {
    return this.#mapped.size > 0;
  }

  /** How many entries have names of their own here. */
  get mappedCount(): number {
    return this.#mapped.size;
  }

  /** What lands under another name: its path as offered, and its path here. */
  *mapped(): Generator<{ path: string; savedAs: string }> {
    for (const position of this.#mapped.keys()) {
      yield { path: this.#manifest.path(position), savedAs: this.path(position) };
    }
  }

  /** Path of an entry below the folder where the offer lands. */
  path(position: number): string {
    if (this.#mapped.size === 0) return this.#manifest.path(position);
    const parent = this.#manifest.parent(position);
    const name = this.#mapped.get(position) ?? this.#manifest.entry(position).name;
    return parent < 0 ? name : `${this.#folderPath(parent)}/${name}`;
  }

  #folderPath(position: number): string {
    const known = this.#folderPaths.get(position);
    if (known !== undefined) return known;
    const path = this.path(position);
    remember(this.#folderPaths, keptPaths, position, path);
    return path;
  }

  #checkLink(position: number, entry: Entry): void {
    const parts = this.#manifest.path(position).split("/");
    if (entry.depth > 0 && isInsideLink(parts, entry.target, this.#rules.platform)) return;
    const reason = "the link leads out of what was sent";
    this.refusedLinks.set(position, { code: "NAME_REFUSED", reason });
  }
}
