/** What is on a disk in memory for sure, and what is on its way there. */

import type { NameStep } from "./memory-crash-names.ts";
import {
  applyContent,
  type ContentChange,
  type Contents,
  type DiskChange,
  type DiskNode,
  type NameChange,
  type Place,
  share,
} from "./memory-node.ts";

/** The contents of one thing. */
export interface DurableContents {
  synced: Contents;
  unsynced: ContentChange[];
}

/** Follows the changes of a disk, one by one. */
export class Durable {
  /** The names of all things, from the first. */
  readonly steps: NameStep[];
  readonly #first: ReadonlyMap<DiskNode, Contents>;
  readonly #contents = new Map<DiskNode, DurableContents>();
  readonly #places = new Map<DiskNode, Place>();

  /** Begins with names that are on the disk; `first` has what each thing held when it was new. */
  constructor(names: readonly NameChange[], first: ReadonlyMap<DiskNode, Contents>) {
    this.steps = names.map((change) => ({ change, isSynced: true }));
    for (const { node, to } of names) if (to) this.#places.set(node, to);
    this.#first = first;
  }

  /** Whether all is on the disk. */
  get isSynced(): boolean {
    const contents = [...this.#contents.values()];
    return (
      this.steps.every((step) => step.isSynced) &&
      contents.every(({ unsynced }) => unsynced.length === 0)
    );
  }

  /** Follows the next change. */
  add(change: DiskChange): void {
    if (change.kind === "sync") this.#sync(new Set(change.nodes));
    else if (change.kind === "name") this.#name(change);
    else this.contentsOf(change.node).unsynced.push(change);
  }

  /** The contents of a thing. */
  contentsOf(node: DiskNode): DurableContents {
    const known = this.#contents.get(node);
    if (known) return known;
    const contents = { synced: share(this.#first.get(node) ?? node), unsynced: [] };
    this.#contents.set(node, contents);
    return contents;
  }

  /** The path of a thing, for people; its last one if it is gone. */
  pathOf(node: DiskNode): string {
    const place = this.#places.get(node);
    return place ? `${this.pathOf(place.folder)}/${place.name}` : "";
  }

  #name(change: NameChange): void {
    this.steps.push({ change, isSynced: false });
    if (change.to) this.#places.set(change.node, change.to);
  }

  #sync(nodes: ReadonlySet<DiskNode>): void {
    for (const node of nodes) {
      const { synced, unsynced } = this.contentsOf(node);
      for (const change of unsynced.splice(0)) applyContent(synced, change);
    }
    for (const step of this.steps) {
      const { from, to } = step.change;
      const isTouched = (from && nodes.has(from.folder)) || (to && nodes.has(to.folder));
      if (isTouched) step.isSynced = true;
    }
  }
}
