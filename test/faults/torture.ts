/** Plays faults in a random order, as long as there is time, and ends with a table of counts. */

import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { Random } from "../fuzz/random.ts";
import { simulate } from "../simulation.ts";
import { badWires } from "./bad-wires.ts";
import { disks } from "./disks.ts";
import { people } from "./people.ts";
import { powerCuts } from "./power.ts";
import { processEnds } from "./process-ends.ts";
import { resources } from "./resources.ts";
import { defaultLimitMs, type Fault, NotHere, openStage } from "./stage.ts";

/** How often a fault was played, and how it went. */
interface Tally {
  runs: number;
  failures: number;
  skipped: number;
}

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "10" }, seed: { type: "string" } },
});
const seed = Number(values.seed ?? randomInt(2 ** 31));
const endMs = performance.now() + Number(values.minutes) * 60_000;
const random = new Random(seed);
const tallies = new Map<string, Tally>();

const simulation: Fault = {
  title: "random transfers with random faults, in memory",
  async play(stage, choice) {
    const untilMs = performance.now() + simulatedMs;
    const counts = await simulate({ seed: choice.below(2 ** 31), untilMs, log() {} });
    stage.diagnostic(JSON.stringify(counts));
  },
};
const all = [
  simulation,
  ...processEnds,
  ...badWires,
  ...people,
  ...disks,
  ...powerCuts,
  ...resources,
];

console.log(`seed ${seed}`);
while (performance.now() < endMs) {
  for (const fault of shuffled(all)) {
    const leftMs = endMs - performance.now();
    if (leftMs <= 0) break;
    if (fault.isLong && leftMs < (fault.limitMs ?? defaultLimitMs)) continue;
    await playOne(fault);
  }
}
console.log("\n  runs  failed  skipped  fault");
for (const [title, { runs, failures, skipped }] of tallies) {
  const cells = [runs, failures, skipped].map((count) => String(count).padStart(6));
  console.log(`${cells.join("  ")}   ${title}`);
}
const failed = [...tallies.values()].some(({ failures }) => failures > 0);
// What a fault has left open must not keep the process.
process.exit(failed ? 1 : 0);

async function playOne({ title, play }: Fault): Promise<void> {
  const tally = tallies.get(title) ?? { runs: 0, failures: 0, skipped: 0 };
  tallies.set(title, tally);
  const { stage, clear } = openStage((text) => console.log(`    ${text}`));
  const startMs = performance.now();
  try {
    await play(stage, random);
    tally.runs += 1;
    console.log(`✔ ${title} (${Math.round(performance.now() - startMs)} ms)`);
  } catch (error) {
    if (error instanceof NotHere) {
      tally.skipped += 1;
      return console.log(`- ${title}: ${error.message}`);
    }
    tally.runs += 1;
    tally.failures += 1;
    console.log(`✖ ${title}\n${error instanceof Error ? error.stack : error}`);
  } finally {
    await clear();
  }
}

function shuffled(faults: readonly Fault[]): Fault[] {
  const left = [...faults];
  return faults.flatMap(() => left.splice(random.below(left.length), 1));
}

const simulatedMs = 10_000;
