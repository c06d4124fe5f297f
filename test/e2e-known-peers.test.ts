/** Two processes that know each other by name: no ticket passes between them. */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { introduction, ownName } from "../src/cli/introduction.ts";
import { machine, run } from "./e2e-command.ts";
import { random } from "./peers.ts";

test("quiver send --to a name reaches quiver receive --from a name", async (t) => {
  const anna = await machine(t);
  const bob = await machine(t);
  const bytes = random(3_000_000);
  writeFileSync(anna.at("a.bin"), bytes);
  await bob.run("peers", "add", "anna", anna.peerId);
  const flags = ["--yes", "--json", "--listen", "127.0.0.1:0", "--into", bob.at("inbox")];
  const receiving = bob.start("receive", "--from", "anna", ...flags);
  const { peerId, addresses } = await receiving.event("listening");
  await anna.run("peers", "add", "bob", peerId, ...addresses);

  const sent = await anna.run("send", anna.at("a.bin"), "--to", "bob");

  const received = await receiving.ended;
  assert.deepEqual([sent.status, sent.stdout, received.status], [0, "", 0]);
  assert.match(sent.stderr, /sent and verified 1 file, 3\.0 MB/);
  assert.deepEqual(readFileSync(bob.at("inbox/a.bin")), bytes);
  const known = JSON.parse((await bob.run("peers", "--json")).stdout);
  assert.equal(known.addresses.length, 1);
});

test("S15: quiver send to somebody who waits for another ends with 6 and says what to do", async (t) => {
  const anna = await machine(t);
  const bob = await machine(t);
  writeFileSync(anna.at("a.bin"), "a");
  await bob.run("peers", "add", "carol", "cd".repeat(32));
  const flags = ["--yes", "--json", "--listen", "127.0.0.1:0", "--into", bob.at("inbox")];
  const receiving = bob.start("receive", "--from", "carol", ...flags);
  const { peerId, addresses } = await receiving.event("listening");

  const { status, stderr } = await anna.run(
    "send",
    anna.at("a.bin"),
    "--to",
    `${peerId}@${addresses}`,
  );

  assert.equal(status, 6);
  assert.match(stderr, /the other side lets in only peers that its person has named; ask/);
});

test("who waits tells a person what to type on the other machine", async (t) => {
  const bob = await machine(t);
  await bob.run("peers", "add", "anna", "ab".repeat(32));
  const receiving = bob.start("receive", "--from", "anna", "--yes", "--listen", "127.0.0.1:0");
  let told = "";
  const lines = Promise.withResolvers<void>();
  receiving.child.stderr?.on("data", (text: string) => {
    told += text;
    if (told.includes("Ctrl-C ends")) lines.resolve();
  });
  await lines.promise;

  receiving.child.kill("SIGINT");

  const { status } = await receiving.ended;
  assert.equal(status, 130);
  const add = new RegExp(`  quiver peers add ${ownName()} ${bob.peerId} 127\\.0\\.0\\.1:\\d+\\n`);
  assert.match(told, add);
  assert.match(told, new RegExp(`  quiver send PATH --to ${ownName()}\n`));
});

const mistakes = [
  {
    args: ["receive", "--yes", "--from", "anna"],
    says: /nobody is called "anna" here; quiver peers/,
  },
  {
    args: ["receive", "--from", "anna", "ticket"],
    says: /are two senders; leave out one/,
  },
  { args: ["receive", "--listen", "127.0.0.1:0"], says: /say with --from for whom/ },
  { args: ["receive", "--from", "anna"], says: /there is no terminal to ask on; add --yes/ },
  { args: ["send", "/", "--to", "a b"], says: /"a b" cannot be a peer's name/ },
  { args: ["send", "/", "--to", "anna"], says: /nobody is called "anna" here/ },
  { args: ["send", "/", "--to", "anna", "--keep"], says: /cannot be used with/ },
];

for (const { args, says } of mistakes) {
  test(`quiver ${args.join(" ")} ends with 2 and one sentence`, async (t) => {
    const { status, stdout, stderr } = await run(t, args);

    assert.deepEqual([status, stdout], [2, ""]);
    assert.match(stderr.trimEnd().split("\n").at(-1) ?? "", says);
  });
}

const hosts = [
  { host: "anna-desktop.lan", name: "anna-desktop" },
  { host: "Zoë's Mac", name: "ZosMac" },
  { host: "-x", name: "x" },
  { host: "...", name: "peer" },
  { host: "a".repeat(99), name: "a".repeat(60) },
];

for (const { host, name } of hosts) {
  test(`a machine called ${host} is introduced as ${name}`, () => {
    assert.equal(ownName(host), name);
  });
}

test("an introduction is the lines to type, and nothing of a peer", () => {
  const lines = introduction({ peerId: "ab", addresses: ["1.2.3.4:5", "[::1]:5"] }, ["quiver x"]);

  assert.deepEqual(lines, [
    "On the other machine:",
    "",
    `  quiver peers add ${ownName()} ab 1.2.3.4:5 [::1]:5`,
    "  quiver x",
    "",
  ]);
});
