/** What a crash leaves of the changes of names that were not synced. */

import type { Chance } from "./memory-chance.ts";
import type { DiskNode, NameChange, Place } from "./memory-node.ts";

/** A change of a name, and whether a folder that it touches was synced since. */
export interface NameStep {
  change: NameChange;
  isSynced: boolean;
}

/**
 * Tells for each step, in order, whether it is left.
 *
 * Chance decides about the steps that were not synced: about each, or up to where they are kept.
 * A step that is kept keeps those without which a thing would lose its name for no reason.
 */
export function keptSteps(steps: readonly NameStep[], chance: Chance): boolean[] {
  const kept = steps.map(({ isSynced }) => isSynced || chance.keeps());
  if (chance.below(2) === 1) keepFirst(steps, kept, chance);
  const needs = new Needs();
  for (let at = steps.length - 1; at >= 0; at -= 1) {
    const change = steps[at]?.change;
    if (!change || !(kept[at] || needs.has(change))) continue;
    kept[at] = true;
    needs.add(change);
  }
  return kept;
}

/** As on a file system that writes names in their order: keeps the steps up to one of them. */
function keepFirst(steps: readonly NameStep[], kept: boolean[], chance: Chance): void {
  let left = chance.below(steps.filter(({ isSynced }) => !isSynced).length + 1);
  for (const [at, { isSynced }] of steps.entries()) {
    kept[at] = isSynced || left > 0;
    if (!isSynced) left -= 1;
  }
}

/** What the kept steps need of the steps before them, from the last step to the first. */
class Needs {
  readonly #named = new Set<DiskNode>();
  readonly #reached = new Set<DiskNode>();
  readonly #emptied = new Set<DiskNode>();
  readonly #freed = new Map<DiskNode, Set<string>>();

  has({ node, from }: NameChange): boolean {
    if (this.#named.has(node) || this.#reached.has(node)) return true;
    return from !== null && (this.#emptied.has(from.folder) || this.#isFreed(from));
  }

  add({ node, from, to, replaced }: NameChange): void {
    // A thing has one name at a time: its names come in order.
    this.#named.add(node);
    // What is moved has its new name only where the folder has its own, and so on upwards.
    if (to && (from || this.#reached.has(node))) this.#reached.add(to.folder);
    // Only an empty folder goes.
    if (!to) this.#emptied.add(node);
    if (replaced) this.#emptied.add(replaced);
    // A place is free before another thing takes it.
    if (to) this.#free(to);
  }

  #isFreed({ folder, name }: Place): boolean {
    return this.#freed.get(folder)?.has(name) ?? false;
  }

  #free({ folder, name }: Place): void {
    const names = this.#freed.get(folder) ?? new Set();
    this.#freed.set(folder, names.add(name));
  }
}
