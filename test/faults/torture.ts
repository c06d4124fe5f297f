/**
 * `npm run torture -- --minutes N [--seed S] [--only TEXT]...`: plays faults in turn, in an order
 * that the seed makes, until the time is over, and ends with a table of what held.
 *
 * Rounds over real processes, disks and networks alternate with simulated transfers, of which
 * thousands fit into the time of one.
 */

import { Random } from "../fuzz/random.ts";
import { simulate } from "../simulation.ts";
import { table } from "../table.ts";
import { readRun } from "../time-flags.ts";
import { badWires } from "./bad-wires.ts";
import { disks } from "./disks.ts";
import { movedNetworks } from "./moved-networks.ts";
import { people } from "./people.ts";
import { powerCuts } from "./power.ts";
import { processEnds } from "./process-ends.ts";
import { resources } from "./resources.ts";
import { defaultLimitMs, type Fault, NotHere, openStage } from "./stage.ts";

/** How long one turn of the simulation goes on. */
const simulatedMs = 20_000;
const simulations: Fault = {
  title: "whatever goes wrong in simulation, in the end all is there, once",
  async play(stage, random) {
    const seed = random.below(2 ** 31);
    const untilMs = performance.now() + simulatedMs;
    const counts = await simulate({ seed, untilMs, log: () => {} });
    stage.diagnostic(`from seed ${seed}: ${JSON.stringify(counts)}`);
  },
};
const faults: readonly Fault[] = [
  ...[
    ...people,
    ...processEnds,
    ...disks,
    ...powerCuts,
    ...badWires,
    ...movedNetworks,
    ...resources,
  ],
  simulations,
];

const { minutes, seed, chosen } = readRun({
  name: "torture",
  minutes: 10,
  parts: faults,
  nameOf: ({ title }) => title,
  flag: "only",
  isMeant: (title, text) => title.includes(text),
});

/** How often a fault was played, and how that went. */
interface Count {
  held: number;
  failed: number;
  notHere: number;
  longestMs: number;
}

const counts = new Map<Fault, Count>();
const endMs = performance.now() + 60_000 * minutes;
let isStopped = false;
process.once("SIGINT", () => {
  console.log("ends after this fault; Ctrl-C again ends at once");
  isStopped = true;
});
console.log(`seed ${seed}: ${minutes} minutes over ${chosen.length} faults`);
const random = new Random(seed);
while (!isOver()) {
  const before = played();
  for (const fault of shuffled(chosen)) {
    // Chance goes on the same way whether a fault is played or not.
    const chance = new Random(random.below(2 ** 31));
    if (!isOver() && hasTimeFor(fault)) await count(fault, chance);
  }
  if (played() === before) break;
}
const failed = report();
// What a fault has left open must not keep the process.
process.exit(failed === 0 ? 0 : 1);

function isOver(): boolean {
  return isStopped || performance.now() > endMs;
}

function hasTimeFor({ isLong, limitMs = defaultLimitMs }: Fault): boolean {
  return !isLong || performance.now() + limitMs < endMs;
}

function played(): number {
  return [...counts.values()].reduce((sum, { held, failed }) => sum + held + failed, 0);
}

function shuffled(list: readonly Fault[]): Fault[] {
  return list
    .map((fault) => ({ fault, place: random.below(2 ** 31) }))
    .sort((a, b) => a.place - b.place)
    .map(({ fault }) => fault);
}

/** Plays one fault and says how it went. */
async function count(fault: Fault, chance: Random): Promise<void> {
  const count = counts.get(fault) ?? { held: 0, failed: 0, notHere: 0, longestMs: 0 };
  counts.set(fault, count);
  const startMs = performance.now();
  try {
    await play(fault, chance);
    count.held += 1;
    console.log(`✔ ${fault.title} (${seconds(performance.now() - startMs)} s)`);
  } catch (error) {
    if (error instanceof NotHere) {
      count.notHere += 1;
      console.log(`- ${fault.title}: ${error.message}`);
    } else {
      count.failed += 1;
      console.log(`✖ ${fault.title}\n${error instanceof Error ? error.stack : error}`);
    }
  }
  count.longestMs = Math.max(count.longestMs, performance.now() - startMs);
}

async function play({ play, limitMs = defaultLimitMs }: Fault, chance: Random): Promise<void> {
  const { stage, clear } = openStage((text) => console.log(`  ${text}`));
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("it took too long")), limitMs);
  const playing = play(stage, chance);
  // One that is given up fails again when its stage is cleared.
  playing.catch(() => {});
  try {
    await Promise.race([playing, late.promise]);
  } finally {
    clearTimeout(timer);
    await clear();
  }
}

/** Prints the table; how often something did not hold. */
function report(): number {
  const rows = [["fault", "played", "held", "failed", "not here", "longest s"]];
  let failed = 0;
  for (const fault of chosen) {
    const count = counts.get(fault) ?? { held: 0, failed: 0, notHere: 0, longestMs: 0 };
    failed += count.failed;
    const numbers = [count.held + count.failed, count.held, count.failed, count.notHere];
    rows.push([fault.title, ...numbers.map(String), seconds(count.longestMs)]);
  }
  for (const { title, limitMs = defaultLimitMs } of chosen.filter((fault) => !counts.has(fault))) {
    console.log(`not played for want of time: ${title} (may take ${limitMs / 60_000} minutes)`);
  }
  console.log(`\n${table(rows)}\n\n${played()} played, ${failed} failed, seed ${seed}`);
  return failed;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
