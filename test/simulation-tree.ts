/** Random things to send, what stands in the way of them, and what must be there at the end. */

import type { MemoryDisk } from "../src/engine/memory-disk.ts";
import type { ConflictChoice } from "../src/index.ts";
import { numberedName } from "../src/transfer/conflicts.ts";
import type { Random } from "./fuzz/random.ts";

/** What is sent in one case. */
export interface Cargo {
  /** Names of the top-level things. */
  tops: string[];
  policy: ConflictChoice;
  /** Files that stood in the inbox, by path. */
  before: Map<string, string>;
  /** Every content that a file of the sender has had, by path. */
  versions: Map<string, Set<string>>;
}

/** Puts random things on both disks. */
export function load(random: Random, sender: MemoryDisk, receiver: MemoryDisk): Cargo {
  const policy = random.pick(["rename", "overwrite", "skip"] as const);
  const tops = ["one", "two.tar", "three"].slice(0, 1 + random.below(3));
  for (const top of tops) {
    if (random.below(2) === 0) writeRandom(random, sender, `/home/${top}`);
    else fill(random, sender, `/home/${top}`, 2);
    if (random.below(3) === 0) obstruct(random, sender, receiver, top);
  }
  const cargo: Cargo = {
    tops,
    policy,
    before: filesIn(receiver, "/home/inbox"),
    versions: new Map(),
  };
  noteVersions(cargo, sender);
  return cargo;
}

/** Gives a random file of the sender another content; false if there is none. */
export function change(random: Random, sender: MemoryDisk, cargo: Cargo): boolean {
  const files = [...cargo.versions.keys()];
  if (files.length === 0) return false;
  const path = `/home/${random.pick(files)}`;
  const content = Buffer.from(sender.read(path));
  if (random.below(2) === 0) content.fill(random.below(256), content.length >> 1);
  sender.write(path, random.below(3) === 0 ? random.bytes(randomSize(random)) : content);
  noteVersions(cargo, sender);
  return true;
}

/** Notes what the sender's files hold now. */
function noteVersions({ tops, versions }: Cargo, sender: MemoryDisk): void {
  for (const [path, content] of filesIn(sender, "/home")) {
    if (!tops.includes(topOf(path))) continue;
    versions.set(path, (versions.get(path) ?? new Set()).add(content));
  }
}

/** The files that must be in the inbox once all has arrived. */
export function expected(cargo: Cargo, sender: MemoryDisk): Map<string, string> {
  const files = new Map(cargo.before);
  for (const [path, content] of filesIn(sender, "/home")) {
    if (!cargo.tops.includes(topOf(path))) continue;
    const landed = landedPath(cargo, path);
    if (cargo.policy !== "skip" || !files.has(landed)) files.set(landed, content);
  }
  return files;
}

/** Says what is wrong with what stands in the inbox; null if every file is old, or new and whole. */
export function faultIn(cargo: Cargo, receiver: MemoryDisk): string | null {
  const found = filesIn(receiver, "/home/inbox");
  for (const [path, content] of found) {
    const isNew = [...cargo.versions].some(([source, versions]) => {
      return landedPath(cargo, source) === path && versions.has(content);
    });
    if (!isNew && cargo.before.get(path) !== content) return `${path} is neither old nor new`;
  }
  for (const path of cargo.before.keys()) if (!found.has(path)) return `${path} is gone`;
  return null;
}

/** Where a file of the sender lands. */
function landedPath({ policy, before }: Cargo, path: string): string {
  const top = topOf(path);
  const isTaken = [...before.keys()].some((there) => topOf(there) === top);
  if (policy !== "rename" || !isTaken) return path;
  return numberedName(top, 2) + path.slice(top.length);
}

/** The files below a folder that people see, with their bytes in one text. */
export function filesIn(disk: MemoryDisk, folder: string): Map<string, string> {
  const files = disk.tree(folder).filter(({ path, kind }) => {
    return kind === "file" && !path.startsWith(".quiver-") && !path.startsWith("inbox/");
  });
  return new Map(files.map(({ path, bytes }) => [path, Buffer.from(bytes).toString("latin1")]));
}

function fill(random: Random, disk: MemoryDisk, folder: string, depth: number): void {
  disk.folder(folder);
  for (let n = random.below(5); n > 0; n -= 1) {
    const path = `${folder}/${random.pick([..."abcdefgh"])}${n}`;
    const kind = random.below(8);
    if (kind === 0) disk.link(path, "a1");
    else if (kind === 1 && depth > 0) fill(random, disk, path, depth - 1);
    else writeRandom(random, disk, path);
  }
}

/** Puts something in the inbox where a thing is to land: of the same kind, and partly equal. */
function obstruct(random: Random, sender: MemoryDisk, receiver: MemoryDisk, top: string): void {
  if (sender.stat(`/home/${top}`)?.kind === "folder") {
    receiver.write(`/home/inbox/${top}/mine`, random.bytes(50));
  }
  for (const [path, content] of filesIn(sender, "/home")) {
    if (topOf(path) !== top || (path !== top && random.below(2) === 0)) continue;
    const old = Buffer.from(content, "latin1");
    if (random.below(2) === 0) old.fill(1, old.length >> 1);
    receiver.write(`/home/inbox/${path}`, old);
  }
}

function writeRandom(random: Random, disk: MemoryDisk, path: string): void {
  const mode = random.pick([0o644, 0o600, 0o755, 0o444]);
  const mtimeMs = 1_500_000_000_000 + random.below(2 ** 31);
  disk.write(path, random.bytes(randomSize(random)), { mode, mtimeMs });
}

function randomSize(random: Random): number {
  return random.pick([0, 1, 500, 1023, 1024, 1025, 3000, 9000, 20_000]);
}

function topOf(path: string): string {
  return path.split("/", 1).join();
}
