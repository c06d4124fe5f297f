/** Builds the native addon when its sources have changed. */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join, relative, sep } from "node:path";
import { targetFolder } from "./paths.mjs";
import { Missing, requireCompiler, requireRust } from "./tools.mjs";

/**
 * Leaves `native/quiver.node` as today's sources make it.
 *
 * What counts is the content of the sources, not their dates: a branch that is checked out and
 * back again builds nothing.
 */
export function buildAddon(root) {
  const native = join(root, "native");
  const addon = join(native, "quiver.node");
  const stamp = `${addon}.sources`;
  const sources = hashOfSources(native);
  if (existsSync(addon) && existsSync(stamp) && readFileSync(stamp, "utf8") === sources) return;

  const manifest = readFileSync(join(native, "Cargo.toml"), "utf8");
  requireRust(manifest.match(/^rust-version = "([\d.]+)"/m)?.[1] ?? "1.91");
  requireCompiler();
  console.error(
    existsSync(targetFolder(root))
      ? "quiver: building the native addon again, as its sources have changed"
      : "quiver: building the native addon once, about 7 minutes on 2 cores",
  );
  cargoBuild(root, native);
  useAddon(root, join(targetFolder(root), "release", libraryName()), sources);
}

/** Takes a library that cargo has built as `native/quiver.node`; `sources` is the hash of what it is made of. */
export function useAddon(root, library, sources = hashOfSources(join(root, "native"))) {
  const addon = join(root, "native", "quiver.node");
  replace(library, addon);
  writeFileSync(`${addon}.sources`, sources);
}

function cargoBuild(root, cwd) {
  const args = ["build", "--release", "--locked", "--quiet", "--target-dir", targetFolder(root)];
  const { status, signal } = spawnSync("cargo", args, { cwd, stdio: ["ignore", 2, 2] });
  if (signal) throw new Missing("the build of the native addon was ended; start again to go on.");
  if (status !== 0) {
    throw new Missing("the native addon did not build: cargo's reasons are in the lines above.");
  }
}

/** Puts a file in another's place in one step: a program that has the old one loaded keeps it. */
function replace(from, to) {
  const beside = `${to}.${process.pid}`;
  copyFileSync(from, beside);
  renameSync(beside, to);
}

function hashOfSources(native) {
  const files = ["Cargo.toml", "Cargo.lock", "build.rs"]
    .map((name) => join(native, name))
    .concat(filesBelow(join(native, "src")))
    .filter((path) => existsSync(path));
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}\n`);
  for (const path of files) {
    const content = createHash("sha256").update(readFileSync(path)).digest("hex");
    hash.update(`${content} ${relative(native, path).split(sep).join("/")}\n`);
  }
  return hash.digest("hex");
}

function filesBelow(folder) {
  const files = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) files.push(...filesBelow(path));
    else files.push(path);
  }
  return files.sort();
}

function libraryName() {
  if (process.platform === "win32") return "quiver_native.dll";
  return process.platform === "darwin" ? "libquiver_native.dylib" : "libquiver_native.so";
}
