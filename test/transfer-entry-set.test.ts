/** Sets of entries behave as sets of numbers do. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { EntrySet } from "../src/transfer/entry-set.ts";

const edges = [0, 1, 7, 8, 8191, 8192, 8193, 3 * 8192, 16_777_215];

for (const { title, entries } of [
  { title: "nothing", entries: [] },
  { title: "the edges of bytes and blocks", entries: edges },
  { title: "entries added out of order, and twice", entries: [9, 3, 70_000, 9, 0] },
]) {
  test(`a set of entries: ${title}`, () => {
    const set = new EntrySet();

    for (const entry of entries) set.add(entry);

    assert.deepEqual(
      [...set],
      [...new Set(entries)].sort((a, b) => a - b),
    );
    for (const entry of [...edges, 2, 9, 70_000]) {
      assert.equal(set.has(entry), entries.includes(entry), `${entry}`);
    }
  });
}

test("an entry that is taken out of a set leaves its neighbours", () => {
  const set = new EntrySet();
  for (const entry of [8190, 8191, 8192, 8193]) set.add(entry);

  for (const entry of [8191, 8192, 5, 1_000_000]) set.delete(entry);

  assert.deepEqual([...set], [8190, 8193]);
});
