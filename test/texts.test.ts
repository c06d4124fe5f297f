/** Texts in place of files: they arrive with their offer, and are harmless where they are shown. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { terminalText } from "../src/cli/text.ts";
import { codeOf, engines, eventOf, peers, peersOn, ticketOf } from "./peers.ts";
import { cbor, file, RawPeer } from "./raw-peer.ts";

for (const engine of engines) {
  test(`${engine}: a text arrives with its offer, and nothing is written`, async (t) => {
    const { alice, bob } = await peersOn(engine, t);
    const text = "line 1\nline 2 \u{1f600}";
    const sending = alice.peer.send([], { text });

    const receiving = bob.peer.receive(await ticketOf(sending), { into: bob.at("new/place") });

    assert.equal((await eventOf(receiving, "offer")).text, text);
    const [sent, received] = await Promise.all([sending.done, receiving.done]);
    assert.deepEqual([sent.characters, received.characters], [text.length, text.length]);
    assert.deepEqual([sent.files.length, received.files.length], [0, 0]);
    assert.deepEqual(
      (await bob.tree("")).map(({ path }) => path),
      ["inbox"],
    );
  });
}

test("a text that is declined ends on both sides as files do", async (t) => {
  const { alice, bob } = await peers(t);
  const sending = alice.peer.send([], { text: "hello" });

  const receiving = bob.peer.receive(await ticketOf(sending), { accept: () => false });

  assert.deepEqual(await Promise.all([codeOf(sending), codeOf(receiving)]), [
    "PEER_REJECTED",
    "PEER_REJECTED",
  ]);
});

test("a text goes to a connected peer, too", async (t) => {
  const shown: (string | undefined)[] = [];
  const { alice, bob } = await peers(t, {
    bob: { onOffer: ({ text }) => shown.push(text) > 0 },
  });
  await bob.peer.start();
  await alice.peer.connectToPeer(bob.peer.addresses[0] ?? "", bob.peer.peerId);

  const { characters } = await alice.peer.send([], { to: bob.peer.peerId, text: "hello" }).done;

  assert.deepEqual([characters, shown], [5, ["hello"]]);
});

test("S19: of a text who only looks learns no more than that there is one", async (t) => {
  const { alice, bob } = await peers(t);
  const ticket = await ticketOf(alice.peer.send([], { text: "secret" }));

  const report = await bob.peer.preflight(ticket);

  assert.deepEqual([report.text, JSON.stringify(report).includes("secret")], ["", false]);
});

test("a receiver that takes no texts is told so, and the sender, too", async (t) => {
  const { alice, network } = await peers(t);
  const sending = alice.peer.send([], { text: "hello" });
  await RawPeer.redeem(t, network, alice, await ticketOf(sending));

  assert.equal(await codeOf(sending), "UNSUPPORTED_FORMAT");
});

test("an offer of a text and a file at once is refused", async (t) => {
  const { bob, network } = await peers(t, { bob: { onOffer: () => true } });
  const raw = await RawPeer.greet(t, network, bob);
  const transfer = Buffer.alloc(16, 7);
  await raw.say({ type: "offer", transfer, targetDir: "", profile: "ultra", text: "hello" });
  await raw.say({ type: "entries", transfer, batch: cbor([file("a", 1)]) });
  await raw.say({ type: "offered", transfer, entries: 1, bytes: 1, skipped: [] });

  const { code } = await raw.hear("reject");

  assert.equal(code, 5);
  assert.deepEqual(await bob.tree("inbox"), []);
});

const unsendable = [
  { paths: [], text: "", why: "an empty text" },
  { paths: [], text: "a".repeat(65_537), why: "a text that is too long" },
  { paths: ["notes.txt"], text: "a", why: "a text and a path" },
];

for (const { paths, text, why } of unsendable) {
  test(`${why} is not sent`, async (t) => {
    const { alice } = await peers(t);

    assert.equal(await codeOf(alice.peer.send(paths, { text })), "INVALID_ARGUMENT");
  });
}

test("the longest text arrives", async (t) => {
  const { alice, bob } = await peers(t);
  const text = "\u6f22".repeat(65_536);
  const sending = alice.peer.send([], { text });

  const receiving = bob.peer.receive(await ticketOf(sending));

  assert.equal((await eventOf(receiving, "offer")).text, text);
  assert.equal((await receiving.done).characters, 65_536);
});

const shown = [
  { text: "hello", lines: "hello\n", why: "a line is ended" },
  { text: "a\n\nb\n", lines: "a\n\nb\n", why: "lines stay lines" },
  { text: "a\tb \\ c", lines: "a\tb \\ c\n", why: "tabs and backslashes stay" },
  { text: "\u001b[2Jgone\r!", lines: "\\x1b[2Jgone\\r!\n", why: "nothing moves the cursor" },
  { text: "bill\u202efdp", lines: "bill\\u202efdp\n", why: "nothing turns the line round" },
];

for (const { text, lines, why } of shown) {
  test(`S7: on a terminal the text ${JSON.stringify(text)} is harmless: ${why}`, () => {
    assert.equal(terminalText(text), lines);
  });
}
