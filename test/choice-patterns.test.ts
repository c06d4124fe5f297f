/** What patterns fit: the same as in git, and quickly whatever the pattern. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { Patterns } from "../src/transfer/patterns.ts";
import { temporaryFolder } from "./peers.ts";

const cases = [
  { pattern: "*.tmp", fits: ["a.tmp", "x/y/a.tmp", ".tmp"], not: ["a.tmp.gz", "tmp"] },
  { pattern: "cache/", fits: ["cache/", "x/cache/"], not: ["cache", "x/cache"] },
  { pattern: "/cache", fits: ["cache", "cache/"], not: ["x/cache"] },
  { pattern: "x/cache", fits: ["x/cache"], not: ["y/x/cache", "cache"] },
  { pattern: "**/cache", fits: ["cache", "x/cache", "x/y/cache"], not: ["x/cache/y"] },
  { pattern: "x/**", fits: ["x/a", "x/a/b"], not: ["x", "x/"] },
  { pattern: "x/**/z", fits: ["x/z", "x/y/z", "x/y/y/z"], not: ["x/yz", "z"] },
  { pattern: "x/*", fits: ["x/a"], not: ["x/a/b"] },
  { pattern: "a?c", fits: ["abc", "a😀c"], not: ["ac", "abbc"] },
  { pattern: "[a-c]1", fits: ["a1", "c1"], not: ["d1"] },
  { pattern: "[!a-c]1", fits: ["d1"], not: ["a1"] },
  { pattern: "[]a]", fits: ["]", "a"], not: ["b"] },
  { pattern: "[[:digit:]]", fits: ["7"], not: ["a"] },
  { pattern: "\\*", fits: ["*"], not: ["a"] },
  { pattern: "\\!a", fits: ["!a"], not: ["a"] },
  { pattern: "#a", fits: ["#a"], not: ["a"] },
  { pattern: "a*b*c", fits: ["abc", "a1b2b3c"], not: ["acb", "ab"] },
  { pattern: "**", fits: ["a", "a/b"], not: [] },
  { pattern: "a**b", fits: ["ab", "axxb"], not: ["a/b"] },
  { pattern: "/a**/b", fits: ["ab", "axx/b", "a/x/b"], not: ["b", "ax", "xa/b"] },
  { pattern: "x/a**", fits: ["x/ab", "x/ab/c"], not: ["x/b", "ab"] },
  { pattern: "/a**/**/*b", fits: ["ab", "axb", "a/x/b"], not: ["xab"] },
  { pattern: "/a***/b", fits: ["ab", "axx/b", "a/x/b"], not: ["b", "ax"] },
  { pattern: "/a**/**\\/b", fits: ["ax/b", "a/x/b", "a/b"], not: ["ab"] },
  { pattern: "\\a**/b", fits: ["ax/b"], not: ["ab", "a/x/b"] },
  { pattern: "**\\/a", fits: ["x/a", "x/y/a"], not: ["a"] },
  { pattern: "x\\/a", fits: ["x/a"], not: ["a", "x"] },
  { pattern: "\udcff*", fits: ["\udcff1"], not: ["1"] },
];

for (const { pattern, fits, not } of cases) {
  test(`the pattern ${JSON.stringify(pattern)} fits [${fits}], and not [${not}]`, () => {
    const patterns = Patterns.given([pattern]);
    const found = [...fits, ...not].filter((path) => decide(patterns, path));
    assert.deepEqual(found, fits);
  });
}

test("of several patterns the last one that fits decides", () => {
  const patterns = Patterns.given(["*.log", "!keep.log", "/old/keep.log"]);

  const decided = ["a.log", "keep.log", "old/keep.log", "b"].map((path) => decide(patterns, path));

  assert.deepEqual(decided, [true, false, true, undefined]);
});

test("a .gitignore file may have comments, empty lines, spaces at the end and lines of Windows", () => {
  const text = "\ufeff# names\r\n\r\n*.tmp  \r\n\\#note\r\nspace\\ \r\n[unfinished\r\n";
  const patterns = Patterns.ofFile(text);

  const paths = ["a.tmp", "#note", "space ", "# names", "[unfinished", "space"];

  assert.deepEqual(
    paths.filter((path) => decide(patterns, path)),
    ["a.tmp", "#note", "space "],
  );
});

for (const pattern of ["", "!", "/", "[a", "a\\", "./build", "a/../b", "a//b", "//a", "a//"]) {
  test(`the pattern "${pattern}", which fits nothing, is refused`, () => {
    assert.throws(() => Patterns.given([pattern]), { code: "INVALID_ARGUMENT" });
  });
}

test("a name of many thousand characters is decided by a pattern of many stars at once", () => {
  const patterns = Patterns.given([`${"*a".repeat(200)}b`, `${"**/a/".repeat(100)}b`]);

  assert.equal(decide(patterns, "a".repeat(4000)), undefined);
  assert.equal(decide(patterns, `${"a/".repeat(2000)}c`), undefined);
});

test("a pattern of many thousand double stars takes no more room than its text", () => {
  const before = process.memoryUsage().heapUsed;
  const patterns = Patterns.ofFile(`/a${"**/".repeat(20_000)}b`);

  assert.equal(decide(patterns, "a/x/b"), true);
  assert.ok(process.memoryUsage().heapUsed - before < 64 * 1024 * 1024);
});

test("patterns mean what git says they mean", { skip: !hasGit() && "git is not here" }, (t) => {
  const root = temporaryFolder(t);
  assert.equal(spawnSync("git", ["init", "--quiet", root]).status, 0);
  const parts = fc.array(
    fc.constantFrom("a", "b", "*", "**", "?", "/", "\\", "!", "[ab]", "[!a-b]", "-", "]", " ", "#"),
    { minLength: 1, maxLength: 7 },
  );
  const names = fc.array(fc.constantFrom("a", "b", "-", "]", " ", "!", "#"), {
    minLength: 1,
    maxLength: 3,
  });
  const path = fc.array(names, { minLength: 1, maxLength: 3 }).map((all) => {
    return all.map((name) => name.join("")).join("/");
  });
  const lists = fc.array(parts, { minLength: 1, maxLength: 3 });
  const sample = fc.sample(fc.tuple(lists, fc.array(path, { minLength: 20, maxLength: 20 })), 60);

  for (const [lines, tried] of sample) {
    const text = lines.map((line) => line.join("")).join("\n");
    const patterns = Patterns.ofFile(text);
    const expected = new Set(ignoredByGit(root, text, tried));
    const found = tried.filter((path) => isLeftOut(patterns, path));
    assert.deepEqual(
      found,
      tried.filter((path) => expected.has(path)),
      `by ${JSON.stringify(text)}`,
    );
  }
});

/** Decides about a path; one that ends with a slash is a folder's. */
function decide(patterns: Patterns, path: string): boolean | undefined {
  const isFolder = path.endsWith("/");
  const parts = (isFolder ? path.slice(0, -1) : path).split("/");
  return patterns.decide(parts, isFolder ? "folder" : "other");
}

/** Whether a file or a folder that it lies in is left out. */
function isLeftOut(patterns: Patterns, path: string): boolean {
  const parts = path.split("/");
  return parts.some((_, at) => {
    const kind = at < parts.length - 1 ? "folder" : "other";
    return patterns.decide(parts.slice(0, at + 1), kind) === true;
  });
}

/** Those of the paths, none of which exists, that git would ignore by a list of patterns. */
function ignoredByGit(root: string, text: string, paths: readonly string[]): string[] {
  writeFileSync(join(root, ".git/info/exclude"), text);
  const all = [
    "-C",
    root,
    "-c",
    "core.ignoreCase=false",
    "check-ignore",
    "--no-index",
    "-z",
    "--stdin",
  ];
  const { stdout, status } = spawnSync("git", all, { input: paths.join("\0"), encoding: "utf8" });
  assert.ok(status === 0 || status === 1, `git ended with ${status}`);
  return stdout.split("\0").slice(0, -1);
}

function hasGit(): boolean {
  return spawnSync("git", ["--version"]).status === 0;
}
