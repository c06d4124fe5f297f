/** `npm run torture -- --minutes N [--seed S]`: plays faults in turn and counts what held. */

import "./set-up.mjs";
import { join } from "node:path";
import { root } from "./set-up/paths.mjs";
import { runNode } from "./set-up/run.mjs";

const args = [join(root, "test", "faults", "torture.ts"), ...process.argv.slice(2)];
process.exitCode = await runNode(args);
