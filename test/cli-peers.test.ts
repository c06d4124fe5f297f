/** `quiver peers` as a process. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { peerText } from "../src/cli/peers.ts";
import { run } from "./e2e-command.ts";
import { temporaryFolder } from "./peers.ts";

const peerId = "ab".repeat(32);

test("a name is given, listed, changed and taken back, without a word of Node's", async (t) => {
  const environment = { QUIVER_HOME: temporaryFolder(t) };
  const quiver = (...args: string[]) => run(t, ["peers", ...args], { environment });

  const added = await quiver("add", "anna", peerId, "192.0.2.7:4433");
  const listed = await quiver();
  const renamed = await quiver("rename", "anna", "bob");
  const json = await quiver("--json");
  const forgotten = await quiver("forget", "bob");
  const empty = await quiver("--json");

  const told = { status: 0, stdout: "" };
  const who = `(${peerId}) at 192.0.2.7:4433\n`;
  assert.deepEqual(added, { ...told, stderr: `added anna ${who}` });
  assert.equal(listed.stdout, "anna  abababababababab…  never seen  192.0.2.7:4433\n");
  assert.equal(listed.stderr, "1 known peer\n");
  assert.deepEqual(renamed, { ...told, stderr: `renamed bob ${who}` });
  const bob = { name: "bob", peerId, addresses: ["192.0.2.7:4433"], seenAtMs: null };
  assert.deepEqual([JSON.parse(json.stdout), json.stderr], [bob, ""]);
  assert.deepEqual(forgotten, { ...told, stderr: `forgot bob ${who}` });
  assert.deepEqual(empty, { ...told, stderr: "" });
});

const mistakes = [
  { args: ["add"], says: /missing required argument 'name'/ },
  { args: ["add", "a b", peerId], says: /"a b" cannot be a peer's name; take/ },
  { args: ["add", "anna", "x"], says: /is not a peer id; quiver id prints it/ },
  { args: ["add", "anna", peerId, "host:1"], says: /is not an address; write it as/ },
  { args: ["rename", "anna", "bob"], says: /nobody is called "anna" here; quiver peers lists/ },
  { args: ["forget", "anna"], says: /nobody is called "anna" here/ },
  { args: ["frob"], says: /too many arguments for 'peers'/ },
];

for (const { args, says } of mistakes) {
  test(`quiver peers ${args.join(" ").slice(0, 30)} ends with 2 and one sentence: ${says.source}`, async (t) => {
    const { status, stdout, stderr } = await run(t, ["peers", ...args]);

    assert.deepEqual([status, stdout], [2, ""]);
    assert.match(stderr, says);
    assert.equal(stderr.trimEnd().split("\n").length, 1);
  });
}

test("S20: a damaged address book ends the command with 7 and says what to do", async (t) => {
  const QUIVER_HOME = temporaryFolder(t);
  writeFileSync(join(QUIVER_HOME, "peers.sqlite"), "no database\n".repeat(100));

  const { status, stderr } = await run(t, ["peers"], { environment: { QUIVER_HOME } });

  assert.equal(status, 7);
  assert.match(stderr, /^quiver: the address book .* is damaged; move it away, and give the names/);
});

test("a line says when a peer was seen, and that nothing is known", () => {
  const peer = { name: "anna", peerId, addresses: [], seenAtMs: 1000 };

  assert.equal(
    peerText(peer, 6, 61_000),
    "anna    abababababababab…  seen 1 min ago  no address yet",
  );
});
