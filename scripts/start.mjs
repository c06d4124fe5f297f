/** `npm start`: sets the checkout up, then runs the command; without arguments, the demo. */

import "./set-up.mjs";
import { join } from "node:path";
import { root } from "./set-up/paths.mjs";
import { runNode } from "./set-up/run.mjs";

const given = process.argv.slice(2);
const args = given.length > 0 ? given : ["demo", root];
// npm changes to the folder of the package; paths are meant from where the person stands.
const cwd = process.env.INIT_CWD || process.cwd();
process.exitCode = await runNode([join(root, "src", "cli", "main.ts"), ...args], { cwd });
