/**
 * `npm run check-packages [-- MAIN TARGET]`: installs both tarballs without a network, and uses them.
 *
 * Without arguments it makes them first, the second one around this checkout's own addon. Needs Node 24
 * and the dependencies.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { targetName, thisHost } from "../src/engine/native-target.ts";
import { checkInstalled, checkWithoutAddon } from "./packages/check.mjs";
import { packMain, packTarget } from "./packages/pack.mjs";
import { npm } from "./set-up/npm.mjs";
import { root } from "./set-up/paths.mjs";

const folder = mkdtempSync(join(tmpdir(), "quiver-packages-"));
try {
  const given = process.argv.slice(2).map((path) => resolve(path));
  const [main = await packMain(folder), target = packOwnTarget()] = given;
  await checkWithoutAddon(install("without", [main]));
  await checkInstalled(install("with", [main, target]));
  console.log("the packages work when they are installed");
} finally {
  rmSync(folder, { recursive: true });
}

function packOwnTarget() {
  return packTarget(folder, targetName(thisHost()), join(root, "native", "quiver.node"));
}

/** Installs tarballs into a folder of their own, and returns it. */
function install(name, tarballs) {
  const place = join(folder, name);
  mkdirSync(place);
  writeFileSync(join(place, "package.json"), "{}");
  const args = ["install", "--offline", "--no-package-lock", "--loglevel=error", ...tarballs];
  const { status } = npm(args, { cwd: place, stdio: ["ignore", 2, 2] });
  if (status !== 0) throw new Error("npm install failed: see the lines above");
  return place;
}
