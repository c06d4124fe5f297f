/** Sizes, times, rates and percentages as people read them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
  formatRate,
  formatTimeLeft,
} from "../src/cli/format.ts";

const byteCases = [
  { bytes: 0, text: "0 B", why: "nothing" },
  { bytes: 999, text: "999 B", why: "the last of the bytes" },
  { bytes: 1_000, text: "1.0 kB", why: "units are decimal" },
  { bytes: 9_949, text: "9.9 kB", why: "tenths below ten" },
  { bytes: 9_950, text: "10 kB", why: "no tenths from ten on" },
  { bytes: 999_499, text: "999 kB", why: "three digits at most" },
  { bytes: 999_500, text: "1.0 MB", why: "rounding never shows 1000" },
  { bytes: 45_300_000, text: "45 MB", why: "a usual rate" },
  { bytes: 1_234_567_890, text: "1.2 GB", why: "a usual film" },
  { bytes: 5e18, text: "5000 PB", why: "there is no larger unit" },
  { bytes: -1, text: "0 B", why: "less than nothing is nothing" },
];

for (const { bytes, text, why } of byteCases) {
  test(`${bytes} bytes are written ${text}: ${why}`, () => {
    assert.equal(formatBytes(bytes), text);
  });
}

const durationCases = [
  { seconds: 0, text: "0 ms", why: "no time at all" },
  { seconds: 0.04, text: "40 ms", why: "milliseconds below a second" },
  { seconds: 0.9996, text: "1 s", why: "never 1000 ms" },
  { seconds: 8.24, text: "8.2 s", why: "tenths below ten seconds" },
  { seconds: 8, text: "8 s", why: "no empty tenth" },
  { seconds: 45.4, text: "45 s", why: "whole seconds" },
  { seconds: 59.6, text: "1 min", why: "never 60 s" },
  { seconds: 130, text: "2 min 10 s", why: "two units" },
  { seconds: 3_600, text: "1 h", why: "no empty second unit" },
  { seconds: 3_605, text: "1 h", why: "a gap hides what is small beside it" },
  { seconds: 7_500, text: "2 h 5 min", why: "the two largest units" },
  { seconds: 180_000, text: "2 d 2 h", why: "days" },
];

for (const { seconds, text, why } of durationCases) {
  test(`${seconds} seconds are written ${text}: ${why}`, () => {
    assert.equal(formatDuration(seconds), text);
  });
}

test("the time left is whole seconds, rounded up, and nothing while unknown", () => {
  assert.equal(formatTimeLeft(3_100), "4 s left");
  assert.equal(formatTimeLeft(0), "1 s left");
  assert.equal(formatTimeLeft(null), "");
  assert.equal(formatTimeLeft(Number.POSITIVE_INFINITY), "");
});

test("percent say 100 only when all is done", () => {
  assert.equal(formatPercent(999_999, 1_000_000), "99%");
  assert.equal(formatPercent(1_000_000, 1_000_000), "100%");
  assert.equal(formatPercent(0, 0), "100%");
});

test("a rate is bytes a second, and a count has its noun", () => {
  assert.equal(formatRate(45_000_000), "45 MB/s");
  assert.equal(formatCount(1, "file"), "1 file");
  assert.equal(formatCount(1_204, "file"), "1,204 files");
});
