/**
 * `npm run seeded-bugs [-- NAME...]`: puts each bug of `test/seeded/bugs.ts` into a copy of the
 * sources and runs the test that must find it. Ends with 1 if one of them lives.
 */

import "./set-up.mjs";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pinnedNode, root } from "./set-up/paths.mjs";
import { endingTests } from "./test-files.mjs";

const { seededBugs } = await import("../test/seeded/bugs.ts");
const wanted = process.argv.slice(2);
const names = seededBugs.map(({ name }) => name);
const unknown = wanted.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`no bug is called ${unknown.join(" or ")}; there are\n  ${names.join("\n  ")}`);
  process.exit(2);
}
const copy = mkdtempSync(join(tmpdir(), "quiver-seeded-"));
const survivors = [];
try {
  for (const name of ["src", "test", "docs", "package.json", "tsconfig.json"]) {
    cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  // By links: the copy runs what was built here.
  for (const name of ["node_modules", "native", "scripts", "bin"]) {
    symlinkSync(join(root, name), join(copy, name));
  }
  for (const bug of seededBugs) {
    if (wanted.length > 0 && !wanted.includes(bug.name)) continue;
    const path = join(copy, bug.file);
    const source = readFileSync(path, "utf8");
    if (source.split(bug.find).length !== 2)
      throw new Error(`${bug.name}: not once in ${bug.file}`);
    writeFileSync(
      path,
      source.replace(bug.find, () => bug.replace),
    );
    const isFound = !passes(bug);
    writeFileSync(path, source);
    // A test that fails anyway, or that does not exist, finds nothing.
    const isAlive = isFound && passes(bug);
    if (isFound && !isAlive) console.log(`${bug.name}: its test fails without it, too`);
    console.log(`${isAlive ? "✔ caught" : "✖ lives "} ${bug.name}: ${bug.what}`);
    if (!isAlive) survivors.push(bug.name);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
console.log(
  survivors.length === 0 ? "every bug was caught" : `not caught: ${survivors.join(", ")}`,
);
process.exitCode = survivors.length === 0 ? 0 : 1;

/** Whether the test of a bug passes in the copy. */
function passes({ testFile, test }) {
  const args = ["--test", ...endingTests, "--test-timeout=60000", "--test-reporter=tap"];
  const child = spawnSync(
    pinnedNode(root),
    [...args, `--test-name-pattern=${test}`, join(copy, testFile)],
    { cwd: copy, encoding: "utf8" },
  );
  return child.status === 0 && !/^# pass 0$/m.test(child.stdout);
}
