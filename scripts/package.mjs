/**
 * `npm run package -- FOLDER [TARGET ADDON]`: puts a package's tarball into a folder.
 *
 * Without a target it is the main package; with one, that system's, such as `linux-x64-gnu`, around an
 * addon that cargo has built. Needs Node 24 and the dependencies, and builds no addon itself.
 */

import { packMain, packTarget } from "./packages/pack.mjs";

const [into, target, addon] = process.argv.slice(2);
if (!into || (target && !addon)) {
  console.error("usage: npm run package -- FOLDER [TARGET ADDON]");
  process.exit(2);
}
console.log(target ? packTarget(into, target, addon) : await packMain(into));
