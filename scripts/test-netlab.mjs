/** `npm run test:netlab`: the tests between two hosts, where this machine can make them. */

import "./set-up.mjs";
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { pinnedNode, root } from "./set-up/paths.mjs";
import { run } from "./set-up/run.mjs";
import { versionOf } from "./set-up/tools.mjs";
import { testFiles } from "./test-files.mjs";

const netlab = process.env.NETLAB || join(root, "..", "shared", "netlab", "netlab");
const files = testFiles(join("test", "netlab"));
const reason = reasonToSkip();
if (reason) {
  console.log(`netlab tests skipped: ${reason}`);
} else {
  // One at a time: what they measure is the machine.
  const args = ["--test", "--test-concurrency=1", ...files];
  const env = { ...process.env, NETLAB: netlab };
  process.exitCode = await run(pinnedNode(root), args, { cwd: root, env });
}

function reasonToSkip() {
  if (files.length === 0) return "there are none in test/netlab";
  if (process.getuid?.() !== 0) return "they need root, to make network namespaces";
  if (!isExecutable(netlab)) return "there is no netlab (set NETLAB to its path)";
  if (versionOf("ip", ["-V"]) === undefined) return "they need ip (Debian's package iproute2)";
  return undefined;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
