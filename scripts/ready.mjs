/**
 * `npm run ready`: all that CI checks. `-- --without NAME...` leaves steps out.
 *
 * Every step runs, also after a failure, so that one run tells all there is to mend.
 */

import "./set-up.mjs";
import { join } from "node:path";
import { root, targetFolder } from "./set-up/paths.mjs";
import { run, runNode } from "./set-up/run.mjs";
import { versionOf } from "./set-up/tools.mjs";

const native = join(root, "native");
const tool = (name) => join(root, "node_modules", ...name.split("/"));

const steps = {
  "format and lint": () => runNode([tool("@biomejs/biome/bin/biome"), ...biomeArgs]),
  types: () => runNode([tool("typescript/bin/tsc")]),
  "Rust format": () => cargo("fmt", "--check"),
  "Rust lint": () =>
    cargo("clippy", "--release", "--all-targets", ...quiet, "--", "-D", "warnings"),
  "Rust tests": () => cargo("test", "--release", ...quiet),
  "Rust dependencies": () => deny(),
  tests: () => script("test.mjs"),
  "netlab tests": () => script("test-netlab.mjs"),
  packages: () => script("check-packages.mjs"),
  "generated files unchanged": () =>
    run("git", ["diff", "--exit-code", "--stat", "--", ...generated]),
};

const biomeArgs = ["check", "--error-on-warnings"];
const quiet = ["--locked", "--quiet"];
const generated = ["package-lock.json", "native/Cargo.lock"];
const denyVersion = "=0.20.2";

const without = optionValues("--without");
const failed = [];
process.chdir(root);
for (const [name, step] of Object.entries(steps)) {
  if (without.includes(name)) continue;
  console.log(`\n▶ ${name}`);
  const start = performance.now();
  const status = await step();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${status === 0 ? "✔" : "✖"} ${name}, ${seconds} s`);
  if (status !== 0) failed.push(name);
}
console.log(failed.length === 0 ? "\nready" : `\nnot ready: ${failed.join(", ")} failed`);
process.exitCode = failed.length === 0 ? 0 : 1;

function cargo(...args) {
  const env = { ...process.env, CARGO_TARGET_DIR: targetFolder(root) };
  return run("cargo", args, { cwd: native, env });
}

async function deny() {
  if (versionOf("cargo", ["deny", "--version"]) === undefined) {
    console.log("installing cargo-deny once, about 4 minutes on 2 cores");
    const args = ["install", "cargo-deny", "--locked", "--quiet", "--version", denyVersion];
    const status = await run("cargo", args);
    if (status !== 0) return status;
  }
  return cargo("deny", "--locked", "--log-level", "error", "check", "licenses", "bans", "sources");
}

function script(name) {
  return runNode([join(root, "scripts", name)]);
}

/** What follows an option, up to the next one. */
function optionValues(option) {
  const rest = process.argv.slice(2);
  const at = rest.indexOf(option);
  return at < 0 ? [] : rest.slice(at + 1);
}
