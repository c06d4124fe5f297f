/** What real wires, limits and disks hold, and what both sides say of it. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Bound, Receipt } from "../../src/index.ts";
import { Couple, loopback } from "../faults/couple.ts";
import { readingGroup } from "../faults/limits.ts";
import { LoopDisk } from "../faults/loop-disk.ts";
import { playOrSkip } from "../faults/stage.ts";
import { randomFile } from "./contents.ts";
import { hosts, type Pair, runPair, testFolder } from "./hosts.ts";

const MiB = 2 ** 20;

interface Case {
  wire: string[];
  mebibytes: number;
  by: Bound[];
  why: string;
  sendFlags?: string[];
}

const wan50 = ["wan", "rate=50", "delay=20"];

const cases: Case[] = [
  {
    wire: ["ethernet"],
    mebibytes: 256,
    by: ["sender-cpu", "receiver-cpu"],
    why: "a wire without a rate",
  },
  { wire: wan50, mebibytes: 24, by: ["path"], why: "50 Mbit/s" },
  {
    wire: [...wan50, "loss=5"],
    mebibytes: 24,
    by: ["path"],
    why: "50 Mbit/s of which chance takes 5 %",
  },
  {
    wire: [...wan50, "loss=5"],
    mebibytes: 2,
    by: ["loss"],
    why: "the same under CUBIC, which gives way to any loss",
    sendFlags: ["--congestion", "cubic"],
  },
  {
    wire: ["wan", "rate=50", "delay=20"],
    mebibytes: 16,
    by: ["limit"],
    why: "a limit below the path's rate",
    sendFlags: ["--limit", "3MB/s"],
  },
  {
    wire: ["wan", "rate=500", "delay=75"],
    mebibytes: 64,
    by: ["window"],
    why: "one lane's window on a long path",
    sendFlags: ["--lanes", "1"],
  },
];

for (const { wire, mebibytes, by, why, sendFlags = [] } of cases) {
  test(`a transfer over ${wire.join(" ")} is held by ${by.join(" or ")}: ${why}`, async (t) => {
    const lab = hosts(t, ...wire);
    const folder = testFolder(t);
    const path = randomFile(join(folder, "file"), mebibytes * MiB);

    const pair = await runPair(lab, { path, folder, sendFlags });

    await assertHeld(t, pair, by);
  });
}

test("a transfer onto a disk that syncs each write is held by it", async (t) => {
  await playOrSkip(t, async (stage) => {
    const folder = testFolder(stage, tmpdir());
    const disk = new LoopDisk(stage, folder, { system: "ext4", options: "sync" }, 512 * MiB);
    const path = randomFile(join(folder, "file"), 128 * MiB);
    const into = join(disk.path, "into");

    const couple = await Couple.start(stage, { places: loopback, folder, path, into });

    await assertHeld(t, couple, ["receiver-disk"]);
  });
});

test("a transfer of what a disk reads slowly is held by it", async (t) => {
  await playOrSkip(t, async (stage) => {
    const folder = testFolder(stage, tmpdir());
    const path = randomFile(join(folder, "file"), 48 * MiB);
    execFileSync("sync", [path]);
    execFileSync("dd", [`if=${path}`, "iflag=nocache", "count=0", "status=none"]);
    const { words: sendBy } = readingGroup(stage, path, 8 * MiB);

    const couple = await Couple.start(stage, { places: loopback, folder, path, sendBy });

    await assertHeld(t, couple, ["sender-disk"]);
  });
});

/** Both sides say that one of these held the transfer for the longest. */
async function assertHeld(
  t: TestContext,
  { sender, receiver }: Pick<Pair, "sender" | "receiver">,
  by: Bound[],
): Promise<void> {
  assert.equal(await receiver.exit, 0, receiver.said);
  const [sent, received] = [await sender.event("receipt"), await receiver.event("receipt")];
  t.diagnostic(`${told(sent)}; the receiver: ${told(received)}`);
  assert.ok(by.includes(longest(sent)), told(sent));
  assert.ok(by.includes(longest(received)), told(received));
}

function longest({ bounds }: Receipt): Bound {
  const [first] = bounds;
  assert.ok(first, "nothing is known to have held it");
  return first.by;
}

function told({ bounds, seconds }: Receipt): string {
  return `${seconds.toFixed(1)} s: ${bounds.map(({ by, share }) => `${by} ${share}`).join(", ")}`;
}
