/** The seed of a test's random choices. */

import type { TestContext } from "node:test";

/** `QUIVER_SEED`, or a new one each time; it is told, so that the same choices can be made again. */
export function seedOf(t: TestContext): number {
  const given = process.env["QUIVER_SEED"];
  const seed = given ? Number(given) : Date.now() % 2 ** 31;
  t.diagnostic(`QUIVER_SEED=${seed}`);
  return seed;
}
