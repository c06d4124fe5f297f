/** Installs what `package-lock.json` names, the pinned Node among it. */

import { copyFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { npm } from "./npm.mjs";
import { pinnedNode } from "./paths.mjs";
import { Missing } from "./tools.mjs";

/** Runs `npm ci`, unless it has been run with this very lock file. */
export function installDependencies(root) {
  const lock = join(root, "package-lock.json");
  const installed = join(root, "node_modules", ".installed-package-lock.json");
  if (existsSync(pinnedNode(root)) && hasSameContent(lock, installed)) return;

  console.error("quiver: installing dependencies and Node 24, about 20 seconds");
  // npm's own output must not mix with the command's, so it goes to standard error.
  const options = { cwd: root, stdio: ["ignore", 2, 2] };
  const { status, error } = npm(["ci", "--loglevel=error"], options);
  if (error) {
    throw new Missing(
      "there is no npm: install it with Node (https://nodejs.org), then try again.",
    );
  }
  if (status !== 0 || !existsSync(pinnedNode(root))) {
    throw new Missing("npm ci failed: see the lines above; when the network is back, try again.");
  }
  // Last: a run that was broken off is done again.
  copyFileSync(lock, installed);
}

function hasSameContent(one, other) {
  return existsSync(other) && readFileSync(one).equals(readFileSync(other));
}
