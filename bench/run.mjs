/** `npm run bench`: sets the checkout up, then runs the benchmark by the pinned Node. */

import "../scripts/set-up.mjs";
import { join } from "node:path";
import { root } from "../scripts/set-up/paths.mjs";
import { runNode } from "../scripts/set-up/run.mjs";

const args = [join(root, "bench", "main.ts"), ...process.argv.slice(2)];
const cwd = process.env.INIT_CWD || process.cwd();
process.exitCode = await runNode(args, { cwd });
