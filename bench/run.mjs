/** `npm run bench [-- fairness]`: sets the checkout up, then runs the benchmark by the pinned Node. */

import "../scripts/set-up.mjs";
import { join } from "node:path";
import { root } from "../scripts/set-up/paths.mjs";
import { runNode } from "../scripts/set-up/run.mjs";

const [first, ...rest] = process.argv.slice(2);
const isFairness = first === "fairness";
const program = isFairness ? "fairness.ts" : "main.ts";
const args = [join(root, "bench", program), ...(isFairness ? rest : process.argv.slice(2))];
const cwd = process.env.INIT_CWD || process.cwd();
process.exitCode = await runNode(args, { cwd });
