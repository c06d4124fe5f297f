/** Finds the test files, for the scripts that run them, and how each is ended. */

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./set-up/paths.mjs";

/** What makes Node end each test file. */
export const endingTests = ["--import", pathToFileURL(join(root, "scripts", "test-end.mjs")).href];

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
