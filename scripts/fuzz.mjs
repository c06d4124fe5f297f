/** `npm run fuzz -- --minutes N [--target NAME] [--seed S]`: feeds every parser what nobody sends. */

import "./set-up.mjs";
import { join } from "node:path";
import { root } from "./set-up/paths.mjs";
import { runNode } from "./set-up/run.mjs";

const args = [join(root, "test", "fuzz", "main.ts"), ...process.argv.slice(2)];
process.exitCode = await runNode(args);
