/**
 * Somebody swaps folders and files for links to outside while we work on them: nothing outside is
 * read or changed, not once.
 *
 * It runs for a few seconds; with `QUIVER_FLIPS=1000000` until so many swaps were made.
 */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { raceOperations } from "./flips.ts";
import { type Operation, reading, removing, writing } from "./operations.ts";

const mostFlips = Number(process.env["QUIVER_FLIPS"] ?? 0);
const leastMs = 1500;
const addon = new URL("../../native/quiver.node", import.meta.url);
const skip = existsSync(addon) ? false : "native/quiver.node is not built: run npm start";
// It needs a second process that is quick at renaming.
const options = { skip: process.platform === "win32" ? "links need a privilege" : skip };

const groups = [
  { title: "a sender reads nothing outside of its source", operations: reading },
  { title: "a receiver changes nothing outside of its inbox", operations: writing },
  { title: "nothing outside goes when a link is removed or replaced", operations: removing },
];

for (const { title, operations } of groups) {
  test(`S2: ${title} while folders are swapped for links`, options, async (t) => {
    const tally = await raceOperations(t, operations, untilOver());

    t.diagnostic(JSON.stringify(tally));
    const counts = Object.values(tally.operations);
    assert.ok(counts.every(({ done = 0 }) => done > 0));
    // Links really stood in the way.
    const refused = counts.reduce((sum, { DISK_DENIED = 0 }) => sum + DISK_DENIED, 0);
    assert.ok(refused > 0 || operations === removing);
  });
}

/** Programs that work by paths, as most do: this is what the canaries are for. */
const careless: { readonly [name: string]: Operation } = {
  async "create a file by its path"({ path }, n) {
    await writeFile(join(path, "flip", `new-${n}`), "").catch(() => {});
    await rm(join(path, "flip", `new-${n}`), { force: true }).catch(() => {});
  },
  async "set a mode by a path"({ path }, n) {
    await chmod(join(path, "leaf"), 0o600 + (n % 64)).catch(() => {});
  },
};

for (const [name, operation] of Object.entries(careless)) {
  // On a machine that is busy with other things the two may never meet: this tells, and fails nothing.
  const telling = { ...options, todo: "it needs two cores that are free" };
  test(`the canaries tell of a program that would ${name}`, telling, async (t) => {
    await assert.rejects(raceOperations(t, { [name]: operation }, untilOver()), {
      code: "ERR_ASSERTION",
    });
  });
}

function untilOver(): (flips: number) => boolean {
  const end = performance.now() + leastMs;
  return (flips) => (mostFlips > 0 ? flips >= mostFlips : performance.now() > end);
}
