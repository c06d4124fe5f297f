/** Work that begins before it is asked for. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ahead } from "../src/transfer/ahead.ts";

test("what is asked for comes in order, and so many more are under way by then", async () => {
  const begun: number[] = [];
  const work = async (item: number) => {
    begun.push(item);
    return 10 * item;
  };

  const asked = [];
  for (const result of ahead([1, 2, 3, 4], () => 2, work)) asked.push([await result, begun.length]);

  assert.deepEqual(asked, [
    [10, 3],
    [20, 4],
    [30, 4],
    [40, 4],
  ]);
});

test("nothing begins before the first is asked for", () => {
  const begun: number[] = [];
  ahead(
    [1, 2],
    () => 1,
    async (item) => begun.push(item),
  );
  assert.deepEqual(begun, []);
});

test("a failure is where it was asked for, and nowhere when nobody asks", async () => {
  const work = async (item: number) => {
    if (item > 1) throw new Error(`no ${item}`);
    return item;
  };

  const results = ahead([1, 2, 3], () => 2, work);

  assert.equal(await results.next().value, 1);
  await assert.rejects(async () => results.next().value, /no 2/);
});

test("how many are under way may change with what has come", async () => {
  const begun: number[] = [];
  let most = 0;
  const work = async (item: number) => {
    begun.push(item);
    most = item === 3 ? 0 : 2;
    return item;
  };

  const asked = [];
  for (const result of ahead([1, 2, 3, 4, 5], () => most, work)) {
    asked.push([await result, begun.length]);
  }

  assert.deepEqual(asked, [
    [1, 3],
    [2, 3],
    [3, 3],
    [4, 5],
    [5, 5],
  ]);
});
