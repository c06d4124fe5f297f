/** The receiver's disk has no room any more, or its inbox is taken away, in the middle of a transfer. */

import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import { errorCodes } from "../../src/index.ts";
import { randomFile } from "../netlab/contents.ts";
import { hosts, type Quiver, type Stage, testFolder } from "../netlab/hosts.ts";
import { Couple, type CoupleOptions, finalNames } from "./couple.ts";
import { type DiskKind, LoopDisk } from "./loop-disk.ts";
import type { Fault } from "./stage.ts";

const MiB = 2 ** 20;

/** All of them; they need root. */
export const disks: readonly Fault[] = [
  ...(["ext4", "tmpfs"] as const).map((system) => ({
    title: `R10: a full disk (${system}) ends both sides with its reason; with room the same commands go on`,
    isQuick: system === "tmpfs",
    async play(stage: Stage) {
      const { couple, disk } = await ontoDisk(stage, { system });
      await couple.midway(totalBytes / 4);

      const giveBack = disk.fill();
      await assertBothEnd(couple, "DISK_FULL", /part-\d+|journal/);

      assert.deepEqual(finalNames(couple.into), []);
      await giveBack();
      await couple.again(stage);
      stage.diagnostic(`${couple.resumedBytes} of ${totalBytes} bytes taken over`);
      assert.ok(couple.resumedBytes > 0);
    },
  })),
  {
    title:
      "R10: an inbox that may not be written any more ends both sides; then the same commands go on",
    async play(stage) {
      const { couple } = await underWay(stage, { receiveBy: asNobody });

      chmodSync(couple.into, 0o555);
      await assertBothEnd(couple, "DISK_DENIED", /tree/);

      assert.deepEqual(finalNames(couple.into), []);
      chmodSync(couple.into, 0o777);
      await couple.again(stage);
      assert.ok(couple.resumedBytes > 0);
    },
  },
  {
    title: "R10: an inbox that is removed ends both sides, and the same commands begin anew",
    async play(stage) {
      const { couple } = await underWay(stage);

      rmSync(couple.into, { recursive: true });
      await assertBothEnd(couple, "DISK_MISSING", /./);

      assert.equal(existsSync(couple.into), false);
      await couple.again(stage);
    },
  },
  {
    title: "R1: an inbox that is moved takes what arrives with it",
    async play(stage) {
      const { couple, folder } = await underWay(stage);
      const moved = join(folder, "moved");

      renameSync(couple.into, moved);
      await Promise.all([couple.sender.exit, couple.receiver.exit]);

      assert.equal(existsSync(couple.into), false);
      assertWholeOrNothing(moved);
    },
  },
  {
    title: "R1: an inbox that is replaced by a link leads nothing to where the link points",
    async play(stage) {
      const { couple, folder } = await underWay(stage);
      const [moved, outside] = [join(folder, "moved"), join(folder, "outside")];
      mkdirSync(outside);

      renameSync(couple.into, moved);
      symlinkSync(outside, couple.into);
      await Promise.all([couple.sender.exit, couple.receiver.exit]);

      assert.deepEqual(readdirSync(outside), []);
      assertWholeOrNothing(moved);
    },
  },
];

async function ontoDisk(stage: Stage, kind: DiskKind) {
  const folder = testFolder(stage);
  const disk = new LoopDisk(stage, folder, kind, 96 * MiB);
  const couple = await start(stage, folder, { into: join(disk.path, "into") });
  return { disk, couple };
}

async function underWay(stage: Stage, options: Partial<CoupleOptions> = {}) {
  const folder = testFolder(stage);
  for (const name of ["", "home-a", "home-b", "into"]) {
    mkdirSync(join(folder, name), { recursive: true });
    chmodSync(join(folder, name), 0o777);
  }
  const couple = await start(stage, folder, options);
  await couple.midway(totalBytes / 4);
  return { folder, couple };
}

async function start(stage: Stage, folder: string, options: Partial<CoupleOptions>) {
  const path = join(folder, "tree");
  mkdirSync(path);
  for (let n = 0; n < files; n += 1) randomFile(join(path, `part-${n}`), fileBytes);
  const places = hosts(stage, "wan", "rate=100", "delay=2");
  return Couple.start(stage, { places, folder, path, ...options });
}

/** Both say why in one sentence, and end with its status. */
async function assertBothEnd(
  { sender, receiver }: Couple,
  code: keyof typeof errorCodes,
  names: RegExp,
): Promise<void> {
  for (const side of [receiver, sender]) {
    assert.equal(await side.exit, errorCodes[code].exit, side.said);
    assert.match(lastError(side), names);
  }
}

function lastError({ events, errors }: Quiver): string {
  const last = events.findLast((event) => event.type === "error");
  return last?.type === "error" ? last.message : errors;
}

function assertWholeOrNothing(into: string): void {
  const [name] = finalNames(into);
  if (name) assert.equal(readdirSync(join(into, name)).length, files);
}

/** Whoever may not do everything. */
const asNobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
const files = 48;
const fileBytes = MiB;
const totalBytes = files * fileBytes;
