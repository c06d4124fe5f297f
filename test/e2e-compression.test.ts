/** `--compress` between two processes. */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { eventsIn, run, sendAndReceive } from "./e2e-command.ts";
import { temporaryFolder } from "./peers.ts";

const text = "It was a dark and stormy night; the rain fell in torrents.\n".repeat(40_000);

test("--compress makes fewer bytes on the wire, and both sides say how many", async (t) => {
  const { path, inbox } = texts(t);

  const { sender, receiver } = await sendAndReceive(t, [path], {
    into: inbox,
    send: ["--compress", "zstd:9", "--json"],
  });

  assert.equal(receiver.status, 0, receiver.stderr);
  assert.equal(readFileSync(join(inbox, "text.txt"), "utf8"), text);
  assert.match(receiver.stderr, /received and verified 1 file, 2\.4 MB .*, [\d.]+ k?B on the wire/);
  const receipt = eventsIn(sender.stdout).at(-1);
  assert.ok(receipt?.type === "receipt");
  assert.ok(receipt.wireBytes > 0 && receipt.wireBytes < text.length / 4);
});

const said = "the receiver does not take lz4: the files are sent as they are";

test("a receiver that takes no codec gets plain pieces, and the sender says so", async (t) => {
  const { path, inbox } = texts(t);

  const { sender, receiver } = await sendAndReceive(t, [path], {
    into: inbox,
    send: ["--compress", "lz4"],
    receive: ["--compress", "none"],
  });

  assert.equal(receiver.status, 0, receiver.stderr);
  assert.ok(sender.stderr.includes(said), sender.stderr);
  assert.doesNotMatch(sender.stderr, /on the wire/);
});

for (const [command, what] of [
  ["send", "package.json"],
  ["receive", "ticket"],
] as const) {
  test(`${command} refuses a compression that there is not`, async (t) => {
    const { status, stderr } = await run(t, [command, what, "--compress", "zstd:99"]);

    assert.equal(status, 2);
    assert.match(stderr, /'zstd:99' is invalid\. It must be auto, none, lz4, zstd, or zstd:1 to/);
  });
}

/** A file of text, and a folder for what arrives. */
function texts(t: TestContext): { path: string; inbox: string } {
  const home = temporaryFolder(t);
  const path = join(home, "text.txt");
  writeFileSync(path, text);
  return { path, inbox: join(home, "inbox") };
}
