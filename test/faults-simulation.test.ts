/** Random transfers with random faults, as many as there is time for; see `simulation.ts`. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { seedOf } from "./seed.ts";
import { simulate, simulateCase } from "./simulation.ts";

test("whatever goes wrong, in the end all is there, once", async (t) => {
  const seed = seedOf(t);
  let cases = 0;
  const log = () => {
    cases += 1;
  };

  const counts = await simulate({ seed, untilMs: performance.now() + simulatedMs, log });

  t.diagnostic(JSON.stringify(counts));
  assert.equal(counts["cases"], cases);
});

test("a seed makes the same case again", async (t) => {
  const seed = seedOf(t);

  const first = await simulateCase(seed);

  assert.deepEqual(await simulateCase(seed), first);
});

/** How long to go on; `npm run torture` takes longer. */
const simulatedMs = Number(process.env["QUIVER_SIMULATION_MS"] ?? 6000);
