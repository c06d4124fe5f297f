/** The per-change share of `npm run fuzz`: every target with its seeds, its corpus and some changes. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { atEnd } from "../ending.ts";
import { corpusOf } from "./corpus.ts";
import { attempt, fuzz, shortest } from "./fuzzer.ts";
import { mutate } from "./mutate.ts";
import { Random } from "./random.ts";
import { roundTrip, type Target } from "./target.ts";
import { targets } from "./targets.ts";

/** The slower a target, the fewer changes it gets here. */
const changes = new Map([
  ["landing-name", 500],
  ["native-pieces", 200],
  ["memory-pieces", 400],
  ["hostile-sender", 150],
  ["hostile-receiver", 150],
  ["hostile-reader", 150],
  ["addon", 60],
]);

for (const target of targets) {
  test(`fuzzing ${target.name} finds nothing`, async (t) => {
    atEnd(t, () => target.close?.());
    const known = corpusOf(target.name).map(({ input }) => input);
    const most = target.seeds.length + known.length + (changes.get(target.name) ?? 1000);

    const { finds } = await fuzz(target, {
      random: new Random(20_260_801),
      known,
      isOver: (runs) => runs >= most,
    });

    for (const { input, error } of finds) {
      t.diagnostic(`the input, in hex: ${Buffer.from(input).toString("hex")}`);
      throw error;
    }
  });
}

const seed = Buffer.from("seven bytes and more, to change");

/** Breaks on every text with a "!" behind its third byte. */
const broken: Target = {
  name: "broken",
  seeds: [seed],
  run(input) {
    if (input.indexOf(0x21, 3) >= 0) throw new TypeError("a bug");
    return `${input.length % 8}`;
  },
};

test("the fuzzer finds a bug, and the shortest input that shows it", async () => {
  const { finds } = await fuzz(broken, { random: new Random(1), isOver: (runs) => runs > 20_000 });

  const [find] = finds;
  assert.ok(find);
  assert.equal((await shortest(broken, find)).length, 4);
});

test("a seed repeats its inputs exactly", () => {
  const inputs = (number: number) => {
    const random = new Random(number);
    return Array.from({ length: 200 }, () =>
      Buffer.from(mutate(seed, [seed], random)).toString("hex"),
    );
  };

  assert.deepEqual(inputs(5), inputs(5));
  assert.notDeepEqual(inputs(5), inputs(6));
});

test("a parser that fails with an error that is not ours is a find", async () => {
  const read = () => Buffer.alloc(2).readUInt32BE();
  const target = roundTrip({ name: "wild", seeds: [], read, write: () => seed });

  assert.ok("error" in (await attempt(target, seed)));
});

test("a value that reads back as another one is a find", async () => {
  const target = roundTrip({
    name: "lossy",
    seeds: [],
    read: (input) => input.length,
    write: () => seed,
  });

  assert.ok("error" in (await attempt(target, seed.subarray(1))));
});
