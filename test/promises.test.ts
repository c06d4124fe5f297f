/** Every promise of the documents has a test that names it. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const folder = new URL("./", import.meta.url);
const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
const titles = names
  .filter((name) => name.endsWith(".ts") && name !== "promises.test.ts")
  .flatMap(
    (name) => readFileSync(new URL(name, folder), "utf8").match(/(test\(|title:)\s*[`"].*/g) ?? [],
  );

for (const document of ["architecture.md", "security.md"]) {
  const text = readFileSync(new URL(`../docs/${document}`, import.meta.url), "utf8");
  const promises = [...text.matchAll(/^- \*\*([RS][0-9]+)\*\*/gm)].map(([, id]) => id ?? "");

  test(`every promise of ${document} has a number of its own`, () => {
    assert.ok(promises.length > 0);
    assert.equal(new Set(promises).size, promises.length);
  });

  for (const id of promises) {
    test(`the promise ${id} of ${document} is named by a test`, () => {
      const naming = titles.filter((title) => new RegExp(`\\b${id}\\b`).test(title));
      assert.notDeepEqual(naming, []);
    });
  }
}
