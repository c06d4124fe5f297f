/** The list of seeded bugs is of these sources; `npm run seeded-bugs` runs it. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { seededBugs } from "./seeded/bugs.ts";

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

test("there are at least 30 seeded bugs, each with a name of its own", () => {
  assert.ok(seededBugs.length >= 30);
  assert.equal(new Set(seededBugs.map(({ name }) => name)).size, seededBugs.length);
});

for (const { name, file, find, replace, testFile } of seededBugs) {
  test(`the place of the seeded bug ${name} is there, once`, () => {
    assert.equal(read(file).split(find).length, 2);
    assert.notEqual(find, replace);
    assert.ok(read(testFile).length > 0);
  });
}
