/** Which limits hold which transfers, and when a schedule changes them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../src/clock.ts";
import { createMemoryNetwork } from "../src/engine/memory.ts";
import { Limits } from "../src/peer/limits.ts";
import { rateAt } from "../src/transfer/limit.ts";
import { Throttle } from "../src/transfer/throttle.ts";

/** A clock that shows a local time of the day and ticks when it is told to. */
function wallClock(): Clock & { show: (hours: number) => void; ticking: () => number } {
  let wallMs = 0;
  const ticks = new Set<() => void>();
  return {
    now: () => 0,
    wallNow: () => wallMs,
    every(_intervalMs, tick) {
      ticks.add(tick);
      return () => ticks.delete(tick);
    },
    after: () => () => {},
    wait: () => new Promise(() => {}),
    show(hours) {
      wallMs = new Date(2026, 2, 1, hours).getTime();
      for (const tick of ticks) tick();
    },
    ticking: () => ticks.size,
  };
}

const engine = createMemoryNetwork().engine();
const office = { windows: [{ rate: 5, fromMinute: 480, toMinute: 1080 }], otherwise: null };

test("a schedule changes the rate as the day goes on, and who watches is told", () => {
  const clock = wallClock();
  const throttle = new Throttle(engine, clock);
  const rates: (number | null)[] = [];
  throttle.watch(() => rates.push(throttle.rate));
  throttle.set(office);

  for (const hours of [7, 8, 12, 18, 23]) clock.show(hours);

  assert.deepEqual(rates, [5, null]);
});

test("a limit that takes the place of a schedule ends the looking at the clock", () => {
  const clock = wallClock();
  const throttle = new Throttle(engine, clock);
  throttle.set(office);
  assert.equal(clock.ticking(), 1);

  throttle.set(7);

  assert.equal(clock.ticking(), 0);
  assert.equal(throttle.rate, 7);
  assert.equal(rateAt(7, 0), 7);
});

test("a limit that cannot be kept changes nothing", () => {
  const throttle = new Throttle(engine, wallClock());
  throttle.set(7);

  assert.throws(() => throttle.set(-1), { code: "INVALID_ARGUMENT" });

  assert.equal(throttle.rate, 7);
});

test("a peer's transfers share its limit, and another peer's have theirs", () => {
  const limits = new Limits(engine, wallClock(), { limit: 100, limitPerPeer: 10 });
  const [one, same, other] = ["a", "a", "b"].map((peer) => limits.borrow("send", peer));
  const rates = () => [one, same, other].map((some) => some?.throttles.map(({ rate }) => rate));
  assert.equal(one?.throttles[0], same?.throttles[0]);

  limits.setFor("a", 5);
  assert.deepEqual(rates(), [
    [5, 100],
    [5, 100],
    [10, 100],
  ]);
  limits.setForEach(20);
  limits.setFor("a", null);
  limits.set(null);

  assert.deepEqual(rates(), [
    [null, null],
    [null, null],
    [20, null],
  ]);
});

test("each direction has a limit of its own", () => {
  const limits = new Limits(engine, wallClock(), { limit: 100 });

  const [sent, received] = [limits.borrow("send", "a"), limits.borrow("receive", "a")];

  assert.notEqual(sent.throttles[0], received.throttles[0]);
  assert.notEqual(sent.throttles[1], received.throttles[1]);
});

test("a peer with which nothing moves any more is forgotten, and its limit is not", () => {
  const clock = wallClock();
  const limits = new Limits(engine, clock, {});
  limits.setFor("a", office);
  const [first, second] = [limits.borrow("send", "a"), limits.borrow("send", "a")];
  first.free();
  assert.equal(clock.ticking(), 1);

  second.free();

  assert.equal(clock.ticking(), 0);
  clock.show(12);
  assert.equal(limits.borrow("send", "a").throttles[0]?.rate, 5);
});
