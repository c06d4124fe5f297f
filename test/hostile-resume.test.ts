/** Peers that lie about what an earlier try has left. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryNetwork } from "../src/engine/memory.ts";
import { transferOf, victims } from "./hostile-victims.ts";
import { codeOf, memorySide, paths, random } from "./peers.ts";
import { file, type Message, RawPeer, type Value, wire } from "./raw-peer.ts";

const value = Buffer.alloc(32, 7);
/** The piece size of a file of 200,000 bytes, and how many pieces it has. */
const pieceLog = 16;
const pieces = 4;

/** What a hostile receiver says it has of a folder (entry 0) with a file of four pieces (entry 1). */
const lies: { why: string; says: Message }[] = [
  { why: "has an entry that was not offered", says: { type: "have", files: [[2, 1]], pieces: [] } },
  { why: "has more entries than there are", says: { type: "have", files: [[0, 9]], pieces: [] } },
  { why: "has pieces of a folder", says: have([0, pieceLog, 0, 1]) },
  { why: "has pieces of no entry", says: have([2, pieceLog, 0, 1]) },
  { why: "has pieces behind the last", says: have([1, pieceLog, pieces, 1]) },
  { why: "has more pieces than there are", says: have([1, pieceLog, 1, pieces]) },
  { why: "has pieces of a size that is none", says: have([1, 40, 0, 1]) },
  { why: "compares a folder", says: compare([0, pieceLog, 0, value]) },
  { why: "compares no entry", says: compare([7, pieceLog, 0, value]) },
  { why: "compares pieces behind the last", says: compare([1, pieceLog, pieces, value]) },
  {
    why: "compares a piece twice",
    says: compare([1, pieceLog, 1, value], [1, pieceLog, 1, value]),
  },
  {
    why: "compares pieces out of order",
    says: compare([1, pieceLog, 2, value], [1, pieceLog, 0, value]),
  },
  { why: "compares a part of a value", says: compare([1, pieceLog, 0, value.subarray(1)]) },
];

for (const { why, says } of lies) {
  test(`H8: a receiver that ${why} ends the transfer with INVALID_FRAME`, async (t) => {
    const network = createMemoryNetwork();
    const alice = await memorySide(t, network, { onOffer: () => false });
    await alice.write("album/a.bin", random(200_000));
    const raw = await RawPeer.greet(t, network, alice);
    const sending = alice.peer.send(alice.at("album"), { to: raw.peerId, retryForMs: 0 });
    const transfer = Buffer.from(sending.id, "hex");
    await raw.hear("offered");

    await raw.say({ ...says, transfer } as { [key: string]: Value });

    assert.equal(await codeOf(sending), "INVALID_FRAME");
  });
}

for (const says of [have([1, pieceLog, 0, 1]), compare([1, pieceLog, 0, value])]) {
  test(`H8: a receiver that says "${says["type"]}" after its accept ends the transfer`, async (t) => {
    const network = createMemoryNetwork();
    const alice = await memorySide(t, network, { onOffer: () => false });
    await alice.write("album/a.bin", random(200_000));
    const raw = await RawPeer.greet(t, network, alice);
    const sending = alice.peer.send(alice.at("album"), { to: raw.peerId, retryForMs: 0 });
    const transfer = Buffer.from(sending.id, "hex");
    await raw.hear("offered");

    await raw.say({ type: "accept", transfer });
    await raw.say({ ...says, transfer } as { [key: string]: Value });

    assert.equal(await codeOf(sending), "INVALID_FRAME");
  });
}

/** What a hostile sender calls equal of a file of one piece that is there, and of one that is not. */
const equals: { why: string; says: Message[] }[] = [
  { why: "of a file that is not there", says: [{ type: "equal", entry: 1, runs: [[0, 1]] }] },
  { why: "of no entry", says: [{ type: "equal", entry: 9, runs: [[0, 1]] }] },
  { why: "behind the last", says: [{ type: "equal", entry: 0, runs: [[1, 1]] }] },
  { why: "more than there are", says: [{ type: "equal", entry: 0, runs: [[0, 2]] }] },
  {
    why: "twice",
    says: [
      { type: "equal", entry: 0, runs: [[0, 1]] },
      { type: "equal", entry: 0, runs: [[0, 1]] },
    ],
  },
];

for (const { why, says } of equals) {
  test(`H8: a sender that calls pieces equal ${why} ends the transfer`, async (t) => {
    const answer = { onConflict: "overwrite" } as const;
    const { bob, network } = await victims(t, { onOffer: () => answer });
    await bob.write("inbox/there.bin", random(5000));
    const before = await bob.read("inbox/there.bin");
    const raw = await RawPeer.greet(t, network, bob);
    const transfer = await raw.offer([file("there.bin", 5000), file("new.bin", 5000)]);
    await raw.hear("compare");
    await raw.hear("accept");

    for (const message of says) await raw.say({ ...message, transfer } as { [key: string]: Value });

    assert.equal(await codeOf(await transferOf(bob, transfer)), "INVALID_FRAME");
    assert.equal((await raw.hear("cancel"))["code"], wire.INVALID_FRAME);
    assert.ok(before.equals(await bob.read("inbox/there.bin")));
    assert.deepEqual(await paths(bob), ["there.bin"]);
  });
}

function have(...held: Value[]): Message {
  return { type: "have", files: [], pieces: held };
}

function compare(...files: Value[]): Message {
  return { type: "compare", files };
}
