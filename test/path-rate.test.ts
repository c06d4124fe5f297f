/** The rate of a path, as told from looks at its connection. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { PathRate } from "../src/transfer/path-rate.ts";

const MB = 1e6;

/** The rate after looks of 200 ms, each with so many bytes more; `encoded` of them out of a codec. */
function rateAfter(looks: { wire: number; encoded?: number }[], estimate = 100 * MB): number {
  const path = new PathRate();
  const counts = { nowMs: 0, wireBytes: 0, encodedBytes: 0, estimate };
  let rate = path.look({ ...counts });
  for (const { wire, encoded = 0 } of looks) {
    counts.nowMs += 200;
    counts.wireBytes += wire;
    counts.encodedBytes += encoded;
    rate = path.look({ ...counts });
  }
  return rate;
}

const table: { looks: { wire: number; encoded?: number }[]; rate: number; why: string }[] = [
  { looks: [], rate: 100 * MB, why: "the controller's idea, before anything was sent" },
  { looks: [{ wire: 4 * MB }], rate: 20 * MB, why: "what passes, if that is less" },
  { looks: [{ wire: 40 * MB }], rate: 100 * MB, why: "no more than the controller's idea" },
  { looks: [{ wire: 4 * MB }, { wire: 8 * MB }], rate: 30 * MB, why: "a mean" },
  {
    looks: [{ wire: 4 * MB }, { wire: 2 * MB, encoded: 2 * MB }],
    rate: 20 * MB,
    why: "encoded pieces say nothing of plain ones",
  },
  { looks: [{ wire: 0 }], rate: 100 * MB, why: "silence says nothing" },
  {
    looks: [{ wire: 4 * MB, encoded: 0.1 * MB }],
    rate: 20 * MB,
    why: "a sample among plain pieces changes nothing",
  },
  {
    looks: [{ wire: 4 * MB }, ...Array.from({ length: 60 }, () => ({ wire: MB, encoded: MB }))],
    rate: 100 * MB,
    why: "what was seen long ago is forgotten",
  },
];

for (const { looks, rate, why } of table) {
  test(`after ${looks.length} looks a path carries ${rate / MB} MB/s: ${why}`, () => {
    assert.equal(rateAfter(looks), rate);
  });
}
