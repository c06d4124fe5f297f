/** Runs npm: the one that runs us, else that of the PATH. */

import { spawnSync } from "node:child_process";
import { basename } from "node:path";

/** Runs npm to its end, with the options of `spawnSync`. */
export function npm(args, options) {
  const script = process.env.npm_execpath;
  if (script && basename(script) === "npm-cli.js") {
    const node = process.env.npm_node_execpath || process.execPath;
    return spawnSync(node, [script, ...args], options);
  }
  // On Windows npm is a batch file, which only a shell can run.
  return spawnSync("npm", args, { ...options, shell: process.platform === "win32" });
}
