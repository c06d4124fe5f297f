/** `npm test [-- FILE...]`: sets the checkout up, then runs the tests by the pinned Node. */

import "./set-up.mjs";
import { relative, resolve } from "node:path";
import { root } from "./set-up/paths.mjs";
import { runNode } from "./set-up/run.mjs";
import { endingTests, testFiles } from "./test-files.mjs";

const from = process.env.INIT_CWD || process.cwd();
const given = process.argv.slice(2).map((path) => relative(root, resolve(from, path)));
const files = given.length > 0 ? given : testFiles("test", ["netlab"]);
// A file a core. Transfers have a runtime of their own, so more would only take time from each other.
const args = ["--test", "--test-concurrency=2", "--test-timeout=180000", ...endingTests, ...files];
process.exitCode = await runNode(args);
