/** Limits and schedules as values: the rate at a time, and what is none. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLimit, type Limit, lowest, rateAt } from "../src/transfer/limit.ts";

const office = { rate: 2, fromMinute: 480, toMinute: 1080 };
const night = { rate: 9, fromMinute: 1320, toMinute: 360 };
const lunch = { rate: null, fromMinute: 720, toMinute: 780 };

const times: { limit: Limit; at: string; rate: number | null; why: string }[] = [
  { limit: null, at: "12:00", rate: null, why: "there is no limit" },
  { limit: 7, at: "12:00", rate: 7, why: "it holds always" },
  { limit: { windows: [office], otherwise: 5 }, at: "07:59", rate: 5, why: "not yet" },
  { limit: { windows: [office], otherwise: 5 }, at: "08:00", rate: 2, why: "the first minute" },
  { limit: { windows: [office], otherwise: 5 }, at: "17:59", rate: 2, why: "the last minute" },
  { limit: { windows: [office], otherwise: 5 }, at: "18:00", rate: 5, why: "no more" },
  { limit: { windows: [night], otherwise: null }, at: "22:00", rate: 9, why: "it begins" },
  { limit: { windows: [night], otherwise: null }, at: "23:59", rate: 9, why: "before midnight" },
  { limit: { windows: [night], otherwise: null }, at: "00:00", rate: 9, why: "at midnight" },
  { limit: { windows: [night], otherwise: null }, at: "05:59", rate: 9, why: "in the morning" },
  { limit: { windows: [night], otherwise: null }, at: "06:00", rate: null, why: "it is over" },
  {
    limit: { windows: [lunch, office], otherwise: 5 },
    at: "12:30",
    rate: null,
    why: "the first decides",
  },
  { limit: { windows: [lunch, office], otherwise: 5 }, at: "13:00", rate: 2, why: "then the next" },
  {
    limit: { windows: [{ ...office, toMinute: 1440 }], otherwise: 5 },
    at: "23:59",
    rate: 2,
    why: "until midnight",
  },
  {
    limit: { windows: [{ ...office, toMinute: 1440 }], otherwise: 5 },
    at: "00:00",
    rate: 5,
    why: "not after midnight",
  },
];

for (const { limit, at, rate, why } of times) {
  test(`at ${at} the rate of ${JSON.stringify(limit)} is ${rate}: ${why}`, () => {
    const [hours = 0, minutes = 0] = at.split(":").map(Number);
    assert.equal(rateAt(limit, 60 * hours + minutes), rate);
  });
}

const wrong: Limit[] = [
  0,
  0.5,
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  { windows: [], otherwise: 0 },
  { windows: [{ ...office, rate: 0 }], otherwise: null },
  { windows: [{ ...office, toMinute: 480 }], otherwise: null },
  { windows: [{ ...office, fromMinute: -1 }], otherwise: null },
  { windows: [{ ...office, toMinute: 1441 }], otherwise: null },
  { windows: [{ ...office, fromMinute: 0.5 }], otherwise: null },
];

for (const limit of wrong) {
  test(`the limit ${JSON.stringify(limit)} is refused`, () => {
    assert.throws(() => checkLimit(limit), { code: "INVALID_ARGUMENT" });
  });
}

test("the lowest of some rates is the lowest of those that limit", () => {
  assert.equal(lowest([null, 5, 3, null]), 3);
  assert.equal(lowest([null]), null);
});
