/** Who moves and who waits, of the transfers of one connection. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { smallTransferBytes } from "../src/options.ts";
import { laneRank, type Place, Turns } from "../src/transfer/turns.ts";

function turns(mostMoving: number): Turns {
  return new Turns({ mostMoving, mostOffers: 8 });
}

function entered(queue: Turns, priority: Place["priority"] = "normal"): Place {
  const place = queue.place(priority);
  place.enter().catch(() => {});
  return place;
}

function moving(...places: Place[]): boolean[] {
  return places.map(({ isMoving }) => isMoving);
}

test("those beyond the cap wait, and move in the order of their coming", () => {
  const queue = turns(2);
  const [first, second, third, fourth] = [1, 2, 3, 4].map(() => entered(queue));
  assert.ok(first && second && third && fourth);
  assert.deepEqual(moving(first, second, third, fourth), [true, true, false, false]);

  second.leave();

  assert.deepEqual(moving(third, fourth), [true, false]);
});

test("of those that wait, the high ones go first and the low ones last", () => {
  const queue = turns(1);
  const running = entered(queue);
  const low = entered(queue, "low");
  const normal = entered(queue);
  const high = entered(queue, "high");

  const order: string[] = [];
  for (let last = running; order.length < 3; ) {
    last.leave();
    const next = [low, normal, high].find(({ isMoving, priority }) => {
      return isMoving && !order.includes(priority);
    });
    assert.ok(next);
    order.push(next.priority);
    last = next;
  }

  assert.deepEqual(order, ["high", "normal", "low"]);
});

test("one that is paused gives its turn away, and moves at once when it is resumed", () => {
  const queue = turns(1);
  const [first, second, third] = [1, 2, 3].map(() => entered(queue));
  assert.ok(first && second && third);

  first.rest(true);
  assert.deepEqual(moving(second, third), [true, false]);
  assert.equal(second.share(8), 8);
  first.rest(false);

  assert.equal(second.share(8), 4);
  first.leave();
  assert.deepEqual(moving(second, third), [true, false]);
});

test("one that is paused while it waits is passed over", () => {
  const queue = turns(1);
  const [first, second, third] = [1, 2, 3].map(() => entered(queue));
  assert.ok(first && second && third);
  second.rest(true);

  first.leave();
  assert.deepEqual(moving(second, third), [false, true]);
  second.rest(false);
  assert.deepEqual(moving(second), [false]);
  third.leave();

  assert.deepEqual(moving(second), [true]);
});

test("one that leaves before its turn is told so", async () => {
  const queue = turns(1);
  entered(queue);
  const place = queue.place("normal");
  const turn = place.enter();

  place.leave();

  await assert.rejects(turn, { code: "CANCELLED" });
});

const shares = [
  { lanes: 8, places: 1, share: 8, why: "alone all are its own" },
  { lanes: 8, places: 2, share: 4, why: "half" },
  { lanes: 8, places: 3, share: 3, why: "a part is rounded up" },
  { lanes: 2, places: 64, share: 1, why: "one at least" },
];

for (const { lanes, places, share, why } of shares) {
  test(`of ${lanes} lanes each of ${places} gets ${share}: ${why}`, () => {
    const queue = turns(64);
    const all = Array.from({ length: places }, () => entered(queue));

    assert.deepEqual(new Set(all.map((place) => place.share(lanes))), new Set([share]));
    assert.equal(all[0]?.isAlone, places === 1);
  });
}

test("on the wire the high ones go first, and the small ones before large ones of the same priority", () => {
  const large = smallTransferBytes + 1;
  const inOrder = [
    laneRank("high", smallTransferBytes),
    laneRank("high", large),
    laneRank("normal", 0),
    laneRank("normal", Number.POSITIVE_INFINITY),
    laneRank("low", smallTransferBytes),
    laneRank("low", large),
  ];

  assert.deepEqual(inOrder, [-1, -2, -3, -4, -5, -6]);
});
