/** The command as a process: what needs no transfer. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type TestContext, test } from "node:test";
import { wholeTicket } from "./e2e-command.ts";
import { atEnd } from "./ending.ts";

const root = resolve(import.meta.dirname, "..");

test("--version prints the package's version", async (t) => {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

  assert.deepEqual(await quiver(t, ["--version"]), { exit: 0, stdout: `${version}\n`, stderr: "" });
});

test("a Node that is too old ends the command with one sentence", async (t) => {
  const older = 'Object.defineProperty(process, "versions", { value: { node: "20.1.0" } })';
  const NODE_OPTIONS = `--import="data:text/javascript,${encodeURIComponent(older)}"`;

  const { exit, stderr } = await quiver(t, ["--version"], { NODE_OPTIONS });

  assert.equal(exit, 2);
  assert.match(stderr, /^quiver: Node 20\.1\.0 is too old: install Node 24 or newer .*\n$/);
});

test("the Node that the command asks for is that of the package", () => {
  const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const source = readFileSync(join(root, "src/cli/required-node.ts"), "utf8");

  assert.equal(engines.node, `>=${source.match(/oldest = (\d+)/)?.[1]}`);
});

for (const command of ["send", "receive", "share", "list", "get", "demo", "peers", "id"]) {
  test(`${command} --help ends with an example`, async (t) => {
    const { exit, stdout, stderr } = await quiver(t, [command, "--help"]);

    assert.equal(exit, 0);
    assert.match(stdout, new RegExp(`^Usage: quiver ${command}`));
    assert.match(stdout, new RegExp(`Example:\n  quiver ${command}`));
    assert.equal(stderr, "");
  });
}

test("id prints the same 64 hex digits each time", async (t) => {
  const home = await folder(t);

  const first = await quiver(t, ["id"], { QUIVER_HOME: home });
  const second = await quiver(t, ["id"], { QUIVER_HOME: home });

  assert.match(first.stdout, /^[0-9a-f]{64}\n$/);
  assert.deepEqual(second, first);
});

const mistakes = [
  { args: [], says: /^Usage: quiver/, why: "no command" },
  { args: ["frob"], says: /^quiver: unknown command 'frob'; see/, why: "an unknown command" },
  { args: ["send"], says: /^quiver: name at least one file or folder to send/, why: "no path" },
  { args: ["send", ""], says: /^quiver: a path is empty; write \./, why: "an empty path" },
  { args: ["send", "--dry-run", ""], says: /a path is empty/, why: "an empty path to look at" },
  { args: ["get", "anna:a", "--into", ""], says: /--into is empty/, why: "an empty folder" },
  { args: ["partials", "--into", ""], says: /a path is empty/, why: "an empty folder to look in" },
  { args: ["send", "--frob", "x"], says: /unknown option '--frob'/, why: "an unknown flag" },
  { args: ["send", "--lanes", "0", "x"], says: /at least 1; see/, why: "no lanes" },
  { args: ["send", "--limit", "10Mb/s", "x"], says: /80Mbit.s or none; see/, why: "bits or bytes" },
  { args: ["receive", "--limit", "1M@8", "x"], says: /08:00-18:00; see/, why: "no hours" },
  { args: ["send", "--profile", "x", "y"], says: /ultra, standard/, why: "an unknown profile" },
  { args: ["send", "--quiet", "--verbose", "x"], says: /cannot be used with/, why: "both" },
  { args: ["receive", "--on-conflict", "x"], says: /rename, skip/, why: "an unknown choice" },
  { args: ["receive", "t"], says: /that is no quiver ticket/, why: "no ticket, and nobody to ask" },
  { args: ["receive", wholeTicket], says: /add --yes/, why: "nobody to ask" },
  {
    args: ["receive", "--yes", "--on-conflict", "ask", wholeTicket],
    says: /no terminal/,
    why: "nobody",
  },
  { args: ["receive"], says: /there is no ticket/, why: "no ticket" },
  { args: ["receive", "--yes", "-"], says: /standard input holds no ticket/, why: "empty input" },
];

for (const { args, says, why } of mistakes) {
  test(`quiver ${args.join(" ")} ends with 2 and one sentence: ${why}`, async (t) => {
    const { exit, stdout, stderr } = await quiver(t, args);

    assert.equal(exit, 2);
    assert.match(stderr, says);
    assert.equal(stdout, "");
    if (args.length > 0) assert.equal(stderr.trimEnd().split("\n").length, 1);
  });
}

test("with --json a failure before any transfer is an event, too", async (t) => {
  const { exit, stdout, stderr } = await quiver(t, ["receive", "--json", "t"]);

  assert.equal(exit, 2);
  const { message, ...event } = JSON.parse(stdout);
  assert.deepEqual(event, { type: "error", transferId: "", code: "INVALID_ARGUMENT" });
  assert.equal(stderr, `quiver: ${message}\n`);
});

test("a reader that goes away leaves no stack behind", async (t) => {
  const { stderr } = await quiver(t, ["--help"], {}, (stdout) => stdout.destroy());

  assert.equal(stderr, "");
});

/** Runs the command with an empty standard input and no settings of the machine's. */
async function quiver(
  t: TestContext,
  args: string[],
  environment: Record<string, string> = {},
  onStart?: (stdout: NodeJS.ReadableStream & { destroy(): void }) => void,
) {
  const { QUIVER_TICKET: _, FORCE_COLOR: __, ...inherited } = process.env;
  const env = { ...inherited, QUIVER_HOME: await folder(t), NO_COLOR: "1", ...environment };
  const child = spawn(process.execPath, [join(root, "src/cli/main.ts"), ...args], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  atEnd(t, () => child.kill("SIGKILL"));
  const result = { exit: -1, stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    result.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    result.stderr += text;
  });
  onStart?.(child.stdout);
  const closed = Promise.withResolvers<number | null>();
  child.on("close", closed.resolve);
  result.exit = (await closed.promise) ?? -1;
  return result;
}

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "quiver-cli-"));
  atEnd(t, () => rm(path, { recursive: true, force: true }));
  return path;
}
