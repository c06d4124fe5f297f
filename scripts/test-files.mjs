/** Finds the test files, for the scripts that run them. */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "./set-up/paths.mjs";

/** The test files below a folder of the checkout, in order, without the folders named. */
export function testFiles(folder, without = []) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => !without.includes(entry.name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return testFiles(path, without);
      return entry.name.endsWith(".test.ts") ? [path] : [];
    })
    .sort();
}
