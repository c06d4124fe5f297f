/** Work that begins before it is asked for. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ahead } from "../src/transfer/ahead.ts";

test("what is asked for comes in order, and the next group is under way by then", async () => {
  const begun: number[] = [];
  const work = async (items: readonly number[]) => {
    begun.push(...items);
    return items.map((item) => 10 * item);
  };

  const asked = [];
  for (const result of ahead([1, 2, 3, 4, 5], () => 2, work)) {
    asked.push([await result, begun.length]);
  }

  assert.deepEqual(asked, [
    [10, 4],
    [20, 4],
    [30, 5],
    [40, 5],
    [50, 5],
  ]);
});

test("nothing begins before the first is asked for", () => {
  const begun: (readonly number[])[] = [];
  ahead(
    [1, 2],
    () => 2,
    async (items) => {
      begun.push(items);
      return items;
    },
  );
  assert.deepEqual(begun, []);
});

test("a failure is where it was asked for, and nowhere when nobody asks", async () => {
  const work = async (items: readonly number[]) => {
    return items.map((item) => (item > 1 ? new Error(`no ${item}`) : item));
  };

  const results = ahead([1, 2, 3], () => 3, work);

  assert.equal(await results.next().value, 1);
  await assert.rejects(async () => results.next().value, /no 2/);
});

test("a group that fails as a whole rejects for each", async () => {
  const results = ahead(
    [1, 2, 3],
    () => 2,
    async (items): Promise<number[]> => {
      throw new Error(`no ${items}`);
    },
  );

  await assert.rejects(async () => results.next().value, /no 1,2/);
  await assert.rejects(async () => results.next().value, /no 1,2/);
  await assert.rejects(async () => results.next().value, /no 3/);
});

test("how many are under way may change with what has come", async () => {
  const begun: number[] = [];
  let atOnce = 1;
  const work = async (items: readonly number[]) => {
    begun.push(...items);
    await null;
    atOnce = items.includes(4) ? 1 : 2;
    return items;
  };

  const asked = [];
  for (const result of ahead([1, 2, 3, 4, 5, 6], () => atOnce, work)) {
    asked.push([await result, begun.length]);
  }

  // One alone, then two and two more meanwhile, then one by one.
  assert.deepEqual(asked, [
    [1, 1],
    [2, 5],
    [3, 5],
    [4, 5],
    [5, 5],
    [6, 6],
  ]);
});
