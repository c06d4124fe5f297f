/** `npm run bench [-- fairness | cells]`: sets the checkout up and builds it as its package, then runs the benchmark. */

import "../scripts/set-up.mjs";
import { join } from "node:path";
import { root } from "../scripts/set-up/paths.mjs";
import { runNode } from "../scripts/set-up/run.mjs";

// Not before the set-up has brought what it needs.
const { buildSources } = await import("../scripts/packages/build.mjs");
await buildSources();
const [first, ...rest] = process.argv.slice(2);
const others = { fairness: "fairness.ts", cells: "cells.ts" };
const program = others[first];
const args = [
  join(root, "bench", program ?? "main.ts"),
  ...(program ? rest : process.argv.slice(2)),
];
const cwd = process.env.INIT_CWD || process.cwd();
process.exitCode = await runNode(args, { cwd });
