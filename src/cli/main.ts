#!/usr/bin/env node
/** The `quiver` command: looks at the Node that it has, and starts the program. */

import "./required-node.ts";
import module from "node:module";
import envPaths from "env-paths";

/** A reader that went away, as `head` does, or a terminal that was closed is no failure of the transfer. */
function ignoreClosedReader(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE" && error.code !== "EIO") throw error;
}

/** Waits until a stream has taken all that was written, or cannot. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
}

process.stdout.on("error", ignoreClosedReader);
process.stderr.on("error", ignoreClosedReader);
// What Node compiles of the program is kept for the next start; NODE_COMPILE_CACHE says where else.
module.enableCompileCache(envPaths("quiver", { suffix: "" }).cache);
// An import at the top would come before all of the above.
const { run } = await import("./program.ts");
const status = await run(process.argv);
// Nothing is left to do, but a connection may still wait for the other side to hear of its end.
await Promise.all([written(process.stdout), written(process.stderr)]);
process.exit(status);
