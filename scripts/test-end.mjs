/**
 * Loaded into every test file: once its tests have ended, what a failed one has left open keeps nobody waiting.
 *
 * In place of `--test-force-exit`, which ends a file before all of its results are told: of 353 tests between 290
 * and 353 were counted, and a failure might show as no more than its file's name.
 */

import { after } from "node:test";

const patienceMs = 3000;

// Not in the process that starts the others.
if (process.env.NODE_TEST_CONTEXT) {
  after(() => {
    setTimeout(() => process.exit(), patienceMs).unref();
  });
}
