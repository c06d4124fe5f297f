/** Uses quiver as somebody does who has installed it from npm. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync, realpathSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { root } from "../set-up/paths.mjs";

/** Runs the command and the library; both sides of a transfer are processes of the installed command. */
export async function checkInstalled(place) {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  assert.equal((await quiver(place, "sender", ["--version"]).ended).trim(), version);
  assert.match(await quiver(place, "sender", ["id"]).ended, /^[0-9a-f]{64}\n$/);
  await olderNode(place);
  await transfer(place);
  await library(place);
}

/** The sentence must come before anything is loaded that such a Node does not have. */
async function olderNode(place) {
  const older = 'Object.defineProperty(process, "versions", { value: { node: "20.1.0" } })';
  const NODE_OPTIONS = `--import="data:text/javascript,${encodeURIComponent(older)}"`;
  await assert.rejects(quiver(place, "sender", ["id"], { NODE_OPTIONS }).ended, (error) => {
    assert.match(error.message, /ended with 2: quiver: Node 20\.1\.0 is too old: install .*\n$/);
    return true;
  });
}

/** Sees the one sentence that the command has where its native part was not installed. */
export async function checkWithoutAddon(place) {
  await assert.rejects(quiver(place, "sender", ["partials"]).ended, (error) => {
    assert.match(
      error.message,
      /ended with 7: quiver: the native part for \S+ is not installed;.*\n$/,
    );
    return true;
  });
}

async function transfer(place) {
  const bytes = randomBytes(300_000);
  writeFileSync(join(place, "some file"), bytes);
  const args = ["send", "--json", "--listen", "127.0.0.1:0", "some file"];
  const sender = quiver(place, "sender", args);
  const ready = JSON.parse(await sender.line);
  assert.equal(ready.type, "ready");
  const into = join(place, "inbox");
  await quiver(place, "receiver", ["receive", ready.ticket, "--yes", "--into", into]).ended;
  await sender.ended;
  assert.deepEqual(readFileSync(join(into, "some file")), bytes);
}

async function library(place) {
  const program = `
    import { Peer } from "quiver";
    const peer = await Peer.open({ listen: "127.0.0.1:0" });
    console.log(peer.peerId);
    await peer.close();`;
  writeFileSync(join(place, "library.mjs"), program);
  const env = { QUIVER_HOME: join(place, "sender") };
  const own = await start(process.execPath, ["library.mjs"], { cwd: place, env }).ended;
  assert.equal(own, await quiver(place, "sender", ["id"]).ended);
}

/** Starts the installed command as one of two people. */
function quiver(place, person, args, more) {
  const env = { QUIVER_HOME: join(place, person), NO_COLOR: "1", ...more };
  const options = { cwd: place, env };
  // A batch file needs a shell; the file that it would start does not.
  if (process.platform === "win32") {
    const main = join(place, "node_modules", "quiver", "dist", "cli", "main.js");
    return start(process.execPath, [main, ...args], options);
  }
  return start(join(place, "node_modules", ".bin", "quiver"), args, options);
}

/** Starts a program with this Node; `line` is its first line, `ended` all its output once it went well. */
function start(program, args, { cwd, env }) {
  const path = `${dirname(realpathSync(process.execPath))}${delimiter}${process.env.PATH}`;
  const options = { cwd, env: { ...process.env, PATH: path, ...env }, timeout: 60_000 };
  const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const ended = Promise.withResolvers();
  const line = Promise.withResolvers();
  let output = "";
  let complaints = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    output += text;
  });
  createInterface({ input: child.stdout }).once("line", line.resolve);
  child.stderr.setEncoding("utf8").on("data", (text) => {
    complaints += text;
  });
  child.on("error", ended.reject);
  child.on("close", (status) => {
    if (status === 0) return ended.resolve(output);
    ended.reject(new Error(`quiver ${args.join(" ")} ended with ${status}: ${complaints}`));
  });
  // Whoever waits for a line must hear that there is none.
  ended.promise.catch(line.reject);
  line.promise.catch(() => {});
  return { line: line.promise, ended: ended.promise };
}
