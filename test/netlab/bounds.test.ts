/** What real wires, limits and disks hold, and what both sides say of it. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { Bound, Receipt } from "../../src/index.ts";
import { randomFile } from "./contents.ts";
import { hosts, runPair, testFolder } from "./hosts.ts";

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
    mebibytes: 1024,
    by: ["sender-cpu", "receiver-cpu"],
    why: "a wire without a rate",
  },
  { wire: wan50, mebibytes: 48, by: ["path"], why: "50 Mbit/s" },
  {
    wire: [...wan50, "loss=5"],
    mebibytes: 48,
    by: ["path"],
    why: "50 Mbit/s of which chance takes 5 %",
  },
  {
    wire: [...wan50, "loss=5"],
    mebibytes: 8,
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

    const { sender, receiver } = await runPair(lab, { path, folder, sendFlags });

    assert.equal(await receiver.exit, 0, receiver.said);
    const [sent, received] = [await sender.event("receipt"), await receiver.event("receipt")];
    t.diagnostic(`${told(sent)}; the receiver: ${told(received)}`);
    assert.ok(by.includes(longest(sent)), told(sent));
    assert.ok(by.includes(longest(received)), told(received));
  });
}

function longest({ bounds }: Receipt): Bound {
  const [first] = bounds;
  assert.ok(first, "nothing is known to have held it");
  return first.by;
}

function told({ bounds, seconds }: Receipt): string {
  return `${seconds.toFixed(1)} s: ${bounds.map(({ by, share }) => `${by} ${share}`).join(", ")}`;
}
