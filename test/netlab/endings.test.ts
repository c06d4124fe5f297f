/** How a transfer ends that does not reach its end, and one that has a bad path and does. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Lab } from "../../bench/lab.ts";
import { defaultTuning } from "../../src/index.ts";
import { finalNames } from "../faults/couple.ts";
import { assertCopied, randomFile } from "./contents.ts";
import { hosts, type Pair, runPair, startPair, testFolder } from "./hosts.ts";

const MiB = 2 ** 20;

test("a path that loses every hundredth packet delays a transfer and changes nothing", async (t) => {
  const lab = hosts(t, "wan", "rate=100", "delay=20", "loss=1");
  const folder = testFolder(t);
  const path = randomFile(join(folder, "file"), 24 * MiB);

  const pair = await runPair(lab, { path, folder });

  await assertCopied(t, pair, path);
});

test("a cut cable ends both sides with exit status 3 when they may not try again", async (t) => {
  const lab = hosts(t, "wan", "rate=100", "delay=5");
  const { sender, receiver, into } = await midway(t, lab, ["--retry-for", "0s"]);

  lab.cut();
  const since = performance.now();
  const exits = await Promise.all([sender.exit, receiver.exit]);

  const waitedMs = performance.now() - since;
  assert.deepEqual(exits, [3, 3], `sender: ${sender.said}; receiver: ${receiver.said}`);
  assert.ok(waitedMs < defaultTuning.idleTimeoutMs + graceMs, `after ${Math.round(waitedMs)} ms`);
  assert.deepEqual(finalNames(into), []);
});

for (const side of ["receiver", "sender"] as const) {
  test(`Ctrl-C on the ${side} ends both sides and leaves no final name`, async (t) => {
    const lab = hosts(t, "wan", "rate=100", "delay=5");
    const pair = await midway(t, lab);

    pair[side].interrupt();
    const exits = [await pair.sender.exit, await pair.receiver.exit];

    assert.deepEqual(exits, [130, 130], `${pair.sender.said}; ${pair.receiver.said}`);
    assert.deepEqual(finalNames(pair.into), []);
  });
}

/** A transfer of some seconds, of which the first part has arrived. */
async function midway(t: TestContext, lab: Lab, flags: string[] = []): Promise<Pair> {
  const folder = testFolder(t);
  const path = randomFile(join(folder, "file"), 128 * MiB);
  const pair = await startPair(lab, { path, folder, sendFlags: flags, receiveFlags: flags });
  await pair.receiver.event("progress", ({ bytes }) => bytes > 2 * MiB);
  return pair;
}

/** The idle time-out runs from the last packet, and a probe may still be under way. */
const graceMs = 10_000;
