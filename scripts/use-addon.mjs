/** `npm run use-addon -- LIBRARY`: takes a library that cargo has built of these sources, so that set-up builds none. */

import { resolve } from "node:path";
import { useAddon } from "./set-up/addon.mjs";
import { root } from "./set-up/paths.mjs";

const [library] = process.argv.slice(2);
if (!library) {
  console.error("usage: npm run use-addon -- LIBRARY");
  process.exit(2);
}
useAddon(root, resolve(library));
