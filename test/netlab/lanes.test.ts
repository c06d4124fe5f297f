/** How many lanes a transfer between two hosts opens. */

import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { assertCopied, sparseFile } from "./contents.ts";
import { freeBytes, hosts, runPair, startPair, testFolder } from "./hosts.ts";

const MiB = 2 ** 20;
const GiB = 2 ** 30;

const cases = [
  { profile: "ultra", lanes: 19 },
  { profile: "standard", lanes: 8 },
];

for (const { profile, lanes } of cases) {
  test(`600 MiB travel in ${lanes} lanes by the ${profile} profile, and both sides say so`, async (t) => {
    const lab = hosts(t, "ethernet");
    const folder = testFolder(t);
    const path = sparseFile(join(folder, "file"), 600 * MiB);

    const sendFlags = ["--profile", profile, "--verbose"];
    const pair = await runPair(lab, { path, folder, sendFlags });

    await assertCopied(t, pair, path);
    const planned = await pair.sender.event("lanes");
    assert.deepEqual({ profile: planned.profile, lanes: planned.lanes }, { profile, lanes });
    await pair.receiver.event("progress", (progress) => progress.lanes === lanes);
    assert.match(pair.sender.errors, new RegExp(`⚡ Opened ${lanes} streams in parallel`));
  });
}

test("7 GiB travel in 56 lanes", async (t) => {
  // The receiver takes the room at once; memory would really be filled.
  const room = freeBytes(tmpdir());
  if (room < 9 * GiB) return t.skip(`${tmpdir()} has no room for 7 GiB`);
  const lab = hosts(t, "ethernet");
  const folder = testFolder(t, tmpdir());
  const path = sparseFile(join(folder, "file"), 7 * GiB);

  const { sender, receiver } = await startPair(lab, { path, folder });
  const { lanes } = await sender.event("lanes");
  receiver.interrupt();
  await Promise.all([sender.exit, receiver.exit]);

  assert.equal(lanes, 56);
});
