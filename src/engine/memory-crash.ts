/**
 * Power loss on a disk in memory: the disks that it may leave.
 *
 * What was synced is there. A file's sync keeps its bytes and its size, not its name; a folder's sync
 * keeps the names in it, not its own; `syncAll` keeps both for all that is below. Of everything else
 * any part may be there, see `memory-crash-names.ts` and `memory-crash-contents.ts`.
 * Identities stay; locks do not. A folder has the time that was set last.
 */

import { type Chance, keepAll, keepNone, seededChance } from "./memory-chance.ts";
import { remainsOf } from "./memory-crash-contents.ts";
import { keptSteps } from "./memory-crash-names.ts";
import { MemoryDisk } from "./memory-disk.ts";
import { Durable } from "./memory-durable.ts";
import {
  applyContent,
  below,
  bytesOf,
  type Contents,
  type DiskChange,
  type DiskNode,
  type NameChange,
  share,
} from "./memory-node.ts";

/** Which crashes are wanted; the same options give the same states. */
export interface CrashOptions {
  seed: number;
  /** States at each point, at most; where all is synced there is one. */
  perPoint: number;
  /** The only point that is wanted. @default every point */
  point?: number;
}

/** What one crash leaves. */
export interface CrashState {
  disk: MemoryDisk;
  /** How many changes of the recording had been made. */
  point: number;
  /** 0: all is kept, as when a process is killed; 1: only what was synced; above: left to chance. */
  variant: number;
  /** When it happened, and what became of each change that was not synced. */
  describe: string;
}

/**
 * Records the changes of a disk, so that a test can look at every crash on their way.
 *
 * What stands on the disk when the recording begins is taken for synced.
 *
 * @example
 * const recording = new DiskRecording(engine.disk);
 * await receive();
 * const done = recording.point;
 * for (const state of recording.crashStates({ seed: 1, perPoint: 8 })) {
 *   const { disk } = network.engine("after the crash", state.disk);
 *   if (state.point >= done) assert.ok(disk.stat("/home/file"), state.describe);
 * }
 */
export class DiskRecording {
  readonly #disk: MemoryDisk;
  readonly #capacityBytes: number;
  readonly #first = new Map<DiskNode, Contents>();
  readonly #names: NameChange[] = [];
  readonly #changes: DiskChange[] = [];

  /** Begins to record. */
  constructor(disk: MemoryDisk) {
    const { root, freeBytes } = disk.state;
    this.#disk = disk;
    this.#capacityBytes = freeBytes + bytesOf(root);
    this.#first.set(root, share(root));
    for (const { node, folder, name } of below(root)) {
      this.#first.set(node, share(node));
      this.#names.push({ kind: "name", node, from: null, to: { folder, name }, replaced: null });
    }
    disk.watch((change) => this.#add(change));
  }

  /** How many changes were made so far: the point of a crash that happens now. */
  get point(): number {
    return this.#changes.length;
  }

  /** The states after crashes at each point up to now, in order. */
  *crashStates({ seed, perPoint, point: wanted }: CrashOptions): Generator<CrashState> {
    const changes = this.#changes.slice();
    const durable = new Durable(this.#names, this.#first);
    for (let point = 0; point <= changes.length; point += 1) {
      const change = changes[point - 1];
      if (change) durable.add(change);
      if (wanted !== undefined && wanted !== point) continue;
      const when = `after change ${point} of ${changes.length}${change ? `, ${textOf(change, durable)}` : ""}`;
      const variants = durable.isSynced ? 1 : perPoint;
      for (let variant = 0; variant < variants; variant += 1) {
        const chance = [keepAll, keepNone][variant] ?? seededChance(seed, point, variant);
        const { root, notes } = remainsOfDisk(this.#disk.state.root, durable, chance);
        const freeBytes = Math.max(0, this.#capacityBytes - bytesOf(root));
        const disk = new MemoryDisk({ ...this.#disk.state, root, freeBytes });
        const describe = [`${when}; variant ${variant} of seed ${seed}`, ...notes].join("\n  ");
        yield { disk, point, variant, describe };
      }
    }
  }

  #add(change: DiskChange): void {
    if (change.kind === "name" && !this.#first.has(change.node)) {
      this.#first.set(change.node, share(change.node));
    }
    const isWrite = change.kind === "write";
    this.#changes.push(isWrite ? { ...change, bytes: change.bytes.slice() } : change);
  }
}

/** A copy of all that a crash leaves, and notes about what was left to chance. */
function remainsOfDisk(
  root: DiskNode,
  durable: Durable,
  chance: Chance,
): { root: DiskNode; notes: string[] } {
  const notes: string[] = [];
  const kept = keptSteps(durable.steps, chance);
  const children = new Map<DiskNode, Map<string, DiskNode>>();
  for (const [at, { change, isSynced }] of durable.steps.entries()) {
    if (!isSynced) notes.push(`${kept[at] ? "kept" : "dropped"}: ${textOf(change, durable)}`);
    if (!kept[at]) continue;
    const { node, from, to } = change;
    if (from) children.get(from.folder)?.delete(from.name);
    if (to) children.set(to.folder, (children.get(to.folder) ?? new Map()).set(to.name, node));
  }

  const revive = (node: DiskNode): DiskNode => {
    const { synced, unsynced } = durable.contentsOf(node);
    const contents = share(synced);
    for (const change of unsynced) {
      const remains = remainsOf(contents.bytes.length, change, chance);
      for (const part of remains.changes) applyContent(contents, part);
      notes.push(`${remains.fate}: ${textOf(change, durable)}`);
    }
    const below = [...(children.get(node) ?? [])];
    return {
      kind: node.kind,
      identity: node.identity,
      target: node.target,
      ...contents,
      children: new Map(below.map(([name, child]) => [name, revive(child)])),
    };
  };
  return { root: revive(root), notes };
}

function textOf(change: DiskChange, durable: Durable): string {
  const pathOf = (node: DiskNode) => durable.pathOf(node) || "/";
  if (change.kind === "sync") {
    const [last, ...others] = change.nodes.toReversed();
    const more = others.length > 0 ? ` and ${others.length} things below` : "";
    return `sync of ${last ? pathOf(last) : "nothing"}${more}`;
  }
  if (change.kind === "name") {
    const [from, to] = [change.from, change.to].map(
      (place) => place && `${durable.pathOf(place.folder)}/${place.name}`,
    );
    if (!from) return `new name ${to}`;
    return to ? `rename of ${from} to ${to}` : `removal of ${from}`;
  }
  const path = pathOf(change.node);
  if (change.kind === "resize") return `${path} gets ${change.bytes} bytes`;
  if (change.kind === "metadata") return `${path} gets mode 0o${change.mode.toString(8)}`;
  return `${change.bytes.length} bytes written at ${change.offset} of ${path}`;
}
