#!/usr/bin/env node
/** The `quiver` command: looks at the Node that it has, and starts the program. */

import "./required-node.ts";
import module from "node:module";
import envPaths from "env-paths";
import { standardStreamsWritten, watchStandardStreams } from "./standard-streams.ts";

watchStandardStreams();
// What Node compiles of the program is kept for the next start; NODE_COMPILE_CACHE says where else.
module.enableCompileCache(envPaths("quiver", { suffix: "" }).cache);
// An import at the top would come before all of the above.
const { run } = await import("./program.ts");
const status = await run(process.argv);
// Nothing is left to do, but a connection may still wait for the other side to hear of its end.
await standardStreamsWritten();
process.exit(status);
