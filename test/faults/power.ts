/** The power of the receiver's disk fails: real file systems, real cuts. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "../fuzz/random.ts";
import { randomFile } from "../netlab/contents.ts";
import { hosts, type Stage, testFolder } from "../netlab/hosts.ts";
import { Couple } from "./couple.ts";
import { type DiskKind, LoopDisk } from "./loop-disk.ts";
import { type Fault, NotHere } from "./stage.ts";

const MiB = 2 ** 20;

const kinds: readonly (DiskKind & { title: string })[] = [
  { system: "ext4", title: "ext4" },
  {
    system: "ext4",
    options: "noauto_da_alloc,data=writeback",
    title: "ext4 that orders nothing by itself",
  },
  { system: "xfs", title: "XFS" },
];

const ways = [
  { flags: [], what: "nothing or the whole" },
  { flags: ["--on-conflict", "overwrite"], what: "the old or the new" },
];

/** All of them; they need root. */
export const powerCuts: readonly Fault[] = kinds.flatMap(({ title, ...kind }) => [
  ...ways.map(({ flags, what }) => ({
    title: `R1, R4, R9: power cuts on ${title} leave ${what}, and the same command goes on`,
    isQuick: title === "ext4",
    async play(stage: Stage, random: Random) {
      const { couple, disk } = await begin(stage, kind, flags);
      const taken = [];

      for (let cut = 0; cut < cutsOfOne; cut += 1) {
        await couple.reached((totalBytes * (cut + random.below(100) / 100)) / cutsOfOne);
        await couple.receiver.kill();
        disk.cutPower();
        await disk.remount();
        assertNothingMixed(couple);
        // What the sender was told is there.
        if (couple.sender.has("receipt"))
          return assertSameTrees(couple.path, join(couple.into, "tree"));
        couple.receive();
        await couple.reached(0);
        taken.push(couple.resumedBytes);
      }

      await couple.arrived(stage);
      stage.diagnostic(`taken over: ${taken.join(", ")} of ${totalBytes} bytes`);
    },
  })),
  {
    title: `R2: what a receipt tells stays on ${title} when the power is cut right after it`,
    isQuick: title === "ext4",
    async play(stage: Stage) {
      const { couple, disk } = await begin(stage, kind);

      await couple.receiver.event("receipt");
      disk.cutPower();
      await couple.receiver.exit;
      await disk.remount();

      assertSameTrees(couple.path, join(couple.into, "tree"));
      await couple.sender.event("receipt");
    },
  },
]);

async function begin(stage: Stage, kind: DiskKind, receiveFlags: string[] = []) {
  if (spawnSync("python3", ["--version"]).status !== 0) throw new NotHere("there is no python3");
  const folder = testFolder(stage);
  const disk = new LoopDisk(stage, folder, kind, 512 * MiB);
  const path = makeTree(join(folder, "tree"));
  const into = join(disk.path, "into");
  if (receiveFlags.length > 0) makeOldTree(join(folder, "old"), into);
  const places = hosts(stage, "wan", "rate=120", "delay=2");
  const couple = await Couple.start(stage, { places, folder, path, into, receiveFlags });
  return { couple, disk };
}

/** A large file, some of a few pieces, and many small ones. */
function makeTree(path: string): string {
  mkdirSync(path);
  randomFile(join(path, "large"), largeBytes);
  for (let n = 0; n < middles; n += 1) randomFile(join(path, `middle-${n}`), middleBytes);
  mkdirSync(join(path, "small"));
  for (let n = 0; n < smalls; n += 1) randomFile(join(path, "small", `${n}`), smallBytes);
  return path;
}

/** What the receiver has of an earlier day: other contents under some of the names. */
function makeOldTree(path: string, into: string): void {
  mkdirSync(join(path, "small"), { recursive: true });
  randomFile(join(path, "large"), largeBytes / 2);
  for (let n = 0; n < middles; n += 2) randomFile(join(path, `middle-${n}`), middleBytes);
  for (let n = 0; n < smalls; n += 3) writeFileSync(join(path, "small", `${n}`), `old ${n}`);
  cpSync(path, join(into, "tree"), { recursive: true });
  spawnSync("sync", ["-f", into]);
}

/** Each final name has its old content, or all of its new one. */
function assertNothingMixed({ path, into }: Couple): void {
  const copy = join(into, "tree");
  const old = join(path, "..", "old");
  const names = filesIn(copy);
  const wrong = names.filter((name) => {
    return (
      !isSame(join(copy, name), join(path, name)) && !isSame(join(copy, name), join(old, name))
    );
  });
  assert.deepEqual(wrong, [], "neither old nor new");
  // Where nothing was before, the folder comes as a whole.
  if (names.length > 0 && filesIn(old).length === 0) assertSameTrees(path, copy);
  for (const name of filesIn(old)) assert.ok(names.includes(name), `${name} is gone`);
}

function assertSameTrees(one: string, other: string): void {
  const { status, stdout, stderr } = spawnSync("diff", ["-rq", one, other], { encoding: "utf8" });
  assert.equal(status, 0, `${stdout}${stderr}`.slice(0, 1000));
}

function isSame(one: string, other: string): boolean {
  return spawnSync("cmp", ["-s", one, other]).status === 0;
}

function filesIn(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  } catch {
    return [];
  }
}

const largeBytes = 32 * MiB;
const middles = 8;
const middleBytes = 900_000;
const smalls = 60;
const smallBytes = 3000;
const totalBytes = largeBytes + middles * middleBytes + smalls * smallBytes;
const cutsOfOne = 3;
