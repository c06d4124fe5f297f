/**
 * Makes a checkout ready to run: dependencies, the pinned Node, the native addon.
 *
 * Importing (or requiring) this file does it. It needs nothing but a Node; when all is ready it
 * says nothing and takes a few milliseconds. What it says goes to standard error, so that the
 * output of the command that follows stays clean.
 */

import { buildAddon } from "./set-up/addon.mjs";
import { installDependencies } from "./set-up/dependencies.mjs";
import { root } from "./set-up/paths.mjs";
import { Missing, requireNode } from "./set-up/tools.mjs";

try {
  requireNode(process.versions.node);
  installDependencies(root);
  buildAddon(root);
} catch (error) {
  if (!(error instanceof Missing)) throw error;
  console.error(`quiver: ${error.message}`);
  process.exit(1);
}
