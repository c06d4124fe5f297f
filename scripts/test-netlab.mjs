/** `npm run test:netlab`: the tests between two hosts, where this machine can make them. */

import "./set-up.mjs";
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { root } from "./set-up/paths.mjs";
import { runNode } from "./set-up/run.mjs";
import { versionOf } from "./set-up/tools.mjs";
import { endingTests, testFiles } from "./test-files.mjs";

const netlab = process.env.NETLAB || join(root, "bench", "netlab", "netlab");
const files = testFiles(join("test", "netlab"));
const reason = reasonToSkip();
if (reason) {
  console.log(`netlab tests skipped: ${reason}`);
} else {
  // One at a time: what they measure is the machine.
  const args = [
    "--test",
    "--test-concurrency=1",
    "--test-timeout=120000",
    ...endingTests,
    ...files,
  ];
  process.env.NETLAB = netlab;
  process.exitCode = await runNode(args);
}

function reasonToSkip() {
  if (files.length === 0) return "there are none in test/netlab";
  if (process.getuid?.() !== 0) return "they need root, to make network namespaces";
  if (!isExecutable(netlab)) return "there is no netlab (set NETLAB to its path)";
  if (versionOf("ip", ["-V"]) === undefined) return "they need ip (Debian's package iproute2)";
  return reasonAgainstNet();
}

/** Makes a net and takes it away again: a container may have root and still refuse. */
function reasonAgainstNet() {
  const name = `t${process.pid.toString(36)}`;
  const trial = spawnSync(netlab, ["up", name, "wan", "rate=100", "delay=1"], { encoding: "utf8" });
  spawnSync(netlab, ["down", name]);
  if (trial.status === 0) return undefined;
  return `this machine makes no net of two hosts: ${trial.stderr?.trim() || trial.error?.message}`;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
