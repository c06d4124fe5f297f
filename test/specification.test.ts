/** docs/specification.md names a test for each line: it must be there. */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "..");
const document = readFileSync(join(root, "docs", "specification.md"), "utf8");
const named = [...document.matchAll(/\| `(test\/[^`]+)`: ([^|]+?)(?: \(\*differs\*[^|]*)? \|$/gm)];

test("the document names many tests", () => {
  assert.ok(named.length > 30, `only ${named.length}`);
});

for (const [, file = "", title = ""] of named) {
  test(`${file} has "${title}"`, () => {
    assert.ok(existsSync(join(root, file)), `${file} is not there`);
    assert.ok(readFileSync(join(root, file), "utf8").includes(title), `no test is called so`);
  });
}
