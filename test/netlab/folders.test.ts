/** Folders of many files between two hosts, with all that belongs to them. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { makeData } from "../../bench/data.ts";
import { assertCopied } from "./contents.ts";
import { everythingIn, hosts, runPair, testFolder } from "./hosts.ts";

test("a folder of 10,000 files of 4 KiB arrives whole", async (t) => {
  const lab = hosts(t, "ethernet");
  const folder = testFolder(t);
  const choice = { kind: "small-files", bytes: 0, files: 10_000, tree: "", text: "" } as const;
  const { path } = makeData(choice, join(folder, "data"), t.signal);

  const pair = await runPair(lab, { path, folder });

  await assertCopied(t, pair, path);
});

test("a part of /usr/share arrives with its links, dates and executable bits", async (t) => {
  const lab = hosts(t, "ethernet");
  const folder = testFolder(t);
  const choice = { kind: "tree", bytes: 0, files: 0, tree: partOfShare(folder), text: "" } as const;
  const { path, files } = makeData(choice, join(folder, "data"), t.signal);
  t.diagnostic(`${files} files`);

  const pair = await runPair(lab, { path, folder });

  await assertCopied(t, pair, path);
  assert.deepEqual(attributes(join(pair.into, basename(path))), attributes(path));
});

/** Copies folders of /usr/share until there is enough of it. */
function partOfShare(folder: string): string {
  const part = join(folder, "share");
  mkdirSync(part);
  let bytes = 0;
  for (const entry of readdirSync("/usr/share", { withFileTypes: true })) {
    const path = join("/usr/share", entry.name);
    if (!entry.isDirectory() || bytes > enoughBytes) continue;
    const size = Number(execFileSync("du", ["-sb", path], { encoding: "utf8" }).split("\t")[0]);
    if (size > enoughBytes) continue;
    execFileSync("cp", ["-a", path, part]);
    bytes += size;
  }
  return part;
}

/** Kind, executable bit and date of everything below a folder. */
function attributes(folder: string): string[] {
  return everythingIn(folder)
    .sort()
    .map((path) => {
      const stat = lstatSync(join(folder, path));
      if (stat.isSymbolicLink()) return `link ${path}`;
      if (stat.isDirectory()) return `folder ${path}`;
      return `file ${path} ${(stat.mode & 0o100) !== 0} ${Math.floor(stat.mtimeMs)}`;
    });
}

const enoughBytes = 60 * 2 ** 20;
