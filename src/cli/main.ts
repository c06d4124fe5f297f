#!/usr/bin/env node
/** The `quiver` command: looks at the Node that it has, and starts the program. */

import "./required-node.ts";
import module from "node:module";
import envPaths from "env-paths";

/** A reader that went away, as `head` does, or a terminal that was closed is no failure of the transfer. */
function ignoreClosedReader(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
}

process.stdout.on("error", ignoreClosedReader);
process.stderr.on("error", ignoreClosedReader);
// What Node compiles of the program is kept for the next start; NODE_COMPILE_CACHE says where else.
module.enableCompileCache(envPaths("quiver", { suffix: "" }).cache);
// An import at the top would come before all of the above.
const { run } = await import("./program.ts");
process.exitCode = await run(process.argv);
