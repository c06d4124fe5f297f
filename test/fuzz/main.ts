/** `npm run fuzz -- --minutes N [--target NAME] [--seed S]`: runs every target in turn. */

import { table } from "../table.ts";
import { readRun } from "../time-flags.ts";
import { addToCorpus, corpusOf } from "./corpus.ts";
import { type FuzzCount, fuzz, shortest } from "./fuzzer.ts";
import { Random } from "./random.ts";
import type { Target } from "./target.ts";
import { targets } from "./targets.ts";

const { minutes, seed, chosen } = readRun({
  name: "fuzz",
  minutes: 1,
  parts: targets,
  nameOf: ({ name }) => name,
  flag: "target",
  isMeant: (name, text) => name === text,
});

console.log(`seed ${seed}: ${minutes} minutes over ${chosen.length} targets`);
const secondsEach = (60 * minutes) / chosen.length;
const rows: string[][] = [["target", "runs", "per second", "outcomes", "slowest ms", "finds"]];
let finds = 0;
for (const target of chosen) {
  const count = await run(target);
  const perSecond = Math.round(count.runs / count.seconds);
  const numbers = [count.runs, perSecond, count.outcomes, Math.ceil(count.slowestMs)];
  console.log(`${target.name}: ${perSecond} runs a second, ${count.finds.length} finds`);
  rows.push([
    target.name,
    ...numbers.map((number) => number.toLocaleString("en")),
    `${count.finds.length}`,
  ]);
  finds += count.finds.length;
}
console.log(`\n${table(rows)}\n\n${finds} finds, seed ${seed}`);
// What a find has left open must not keep the process.
process.exit(finds === 0 ? 0 : 1);

async function run(target: Target): Promise<FuzzCount> {
  const end = performance.now() + 1000 * secondsEach;
  const known = corpusOf(target.name).map(({ input }) => input);
  const isOver = () => performance.now() > end;
  const count = await fuzz(target, { random: new Random(seed), known, isOver });
  for (const find of count.finds) {
    const input = await shortest(target, find);
    const path = addToCorpus(target.name, input, find.error);
    console.log(`\n✖ ${target.name}, seed ${seed}: ${Buffer.from(input).toString("hex")}`);
    console.log(
      `  kept as ${path}\n  ${find.error instanceof Error ? find.error.stack : find.error}\n`,
    );
  }
  await target.close?.();
  return count;
}
