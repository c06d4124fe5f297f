/** Who moves and who waits, of the transfers of one connection. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Clock, systemClock } from "../src/clock.ts";
import { answerSoonMs, smallTransferBytes } from "../src/options.ts";
import { laneRank, type Place, type Priority, Turns } from "../src/transfer/turns.ts";
import { VirtualClock } from "./virtual-clock.ts";

function turns(mostMoving: number, clock: Clock = systemClock): Turns {
  return new Turns({ mostMoving, mostOffers: 8, clock });
}

function entered(queue: Turns, priority: Priority = "normal", bytes = 0): Place {
  const place = queue.place(priority);
  place.enter(bytes).catch(() => {});
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
  const turn = place.enter(0);

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

const large = smallTransferBytes + 1;
const neighbours: {
  one: [Priority, number];
  other: [Priority, number];
  isBehind: boolean;
  why: string;
}[] = [
  { one: ["normal", large], other: ["normal", 0], isBehind: true, why: "a small one" },
  { one: ["low", 0], other: ["normal", large], isBehind: true, why: "one of a higher priority" },
  { one: ["normal", large], other: ["normal", large], isBehind: false, why: "its like" },
  { one: ["normal", 0], other: ["normal", large], isBehind: false, why: "a larger one" },
  { one: ["high", large], other: ["normal", 0], isBehind: false, why: "a lower one that is small" },
];

for (const { one, other, isBehind, why } of neighbours) {
  test(`a transfer is ${isBehind ? "" : "not "}behind ${why}`, () => {
    const queue = turns(2);
    const place = entered(queue, ...one);
    let told: boolean | undefined;
    place.changed = () => {
      told = place.isBehind;
    };

    const neighbour = entered(queue, ...other);
    assert.equal(told, isBehind);

    neighbour.leave();
    assert.equal(told, false);
  });
}

test("one that waits or is paused goes before nobody", () => {
  const queue = turns(1);
  const place = entered(queue, "low", large);
  const high = entered(queue, "high");
  assert.equal(place.isBehind, false);

  place.rest(true);
  assert.equal(place.isBehind, true);
  high.rest(true);

  assert.equal(place.isBehind, false);
});

test("while another is offered all are behind, until it is answered", async () => {
  const queue = turns(2);
  const place = entered(queue);
  const answer = Promise.withResolvers<void>();

  const offering = queue.offer(() => answer.promise);
  assert.equal(place.isBehind, true);
  answer.reject(new Error("no"));
  await assert.rejects(offering);

  assert.equal(place.isBehind, false);
});

test("an offer that a person looks at holds up nobody", async () => {
  const clock = new VirtualClock();
  const queue = turns(2, clock);
  const place = entered(queue);
  const answer = Promise.withResolvers<void>();
  const offering = queue.offer(() => answer.promise);

  await clock.advance(answerSoonMs);

  assert.equal(place.isBehind, false);
  answer.resolve();
  await offering;
});
