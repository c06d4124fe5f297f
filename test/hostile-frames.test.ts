import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryNetwork } from "../src/engine/memory.ts";
import { assertUnharmed, transferOf, victims } from "./hostile-victims.ts";
import { codeOf, memorySide, paths, random } from "./peers.ts";
import {
  cbor,
  file,
  folder,
  frame,
  head,
  hello,
  type Message,
  RawPeer,
  type Value,
  wire,
} from "./raw-peer.ts";

const id = new Uint8Array(16).fill(3);

const frames: { why: string; bytes: Uint8Array }[] = [
  { why: "a frame of no bytes", bytes: frame(Buffer.alloc(0)) },
  { why: "a frame over the limit", bytes: frame(Buffer.alloc(10), 1024 * 1024 + 1) },
  { why: "a frame of 4 GiB", bytes: frame(Buffer.alloc(10), 2 ** 32 - 1) },
  { why: "no CBOR", bytes: frame(Buffer.from("hello there")) },
  { why: "bytes after the message", bytes: frame(Buffer.concat([cbor({ type: "x" }), cbor(1)])) },
  { why: "a list in place of a map", bytes: frame(cbor(["offer"])) },
  { why: "a message without a type", bytes: frame(cbor({ transfer: id })) },
  { why: "a type that is a number", bytes: frame(cbor({ type: 4 })) },
  { why: "a type without end", bytes: frame(cbor({ type: "x".repeat(1000) })) },
  { why: "a map that never ends", bytes: frame(Buffer.of(0xbf, 0x61, 0x61, 1)) },
  {
    why: "a key twice",
    bytes: frame(Buffer.concat([head(5, 2), cbor("type"), cbor("x"), cbor("type"), cbor("y")])),
  },
  { why: "a list of 2^60 items", bytes: frame(Buffer.concat([head(4, 2n ** 60n)])) },
  {
    why: "lists 100,000 deep",
    bytes: frame(Buffer.concat([Buffer.alloc(100_000, 0x81), Buffer.of(0)])),
  },
  { why: "hello twice", bytes: frame(cbor(hello)) },
  { why: "an offer without a transfer", bytes: frame(cbor({ type: "offer", targetDir: "" })) },
  {
    why: "a transfer of 15 bytes",
    bytes: frame(cbor({ type: "settled", transfer: id.subarray(1) })),
  },
  {
    why: "a number that is none",
    bytes: frame(cbor({ type: "done", transfer: id, lanes: { raw: Buffer.of(0xf9, 0x7e, 0) } })),
  },
  {
    why: "a count of lanes beyond all lanes",
    bytes: frame(cbor({ type: "done", transfer: id, lanes: 5000 })),
  },
  {
    why: "a failure without a code",
    bytes: frame(cbor({ type: "cancel", transfer: id, reason: "" })),
  },
];

for (const { why, bytes } of frames) {
  test(`${why} ends the session and its transfers, and no other`, async (t) => {
    const { bob, network } = await victims(t);
    const raw = await RawPeer.greet(t, network, bob);
    const transfer = await raw.offer([file("a.bin", 100)]);
    await raw.hear("accept");

    await raw.write(bytes);

    assert.equal(await codeOf(await transferOf(bob, transfer)), "INVALID_FRAME");
    const { by, code } = await raw.connection.closed();
    assert.deepEqual({ by, code }, { by: "peer", code: wire.INVALID_FRAME });
    await assertUnharmed(t, { bob, network });
  });
}

test("a message of an unknown type is answered with an error, and the session lives", async (t) => {
  const { bob, network } = await victims(t);
  const raw = await RawPeer.greet(t, network, bob);

  await raw.say({ type: "teleport", transfer: id, speed: 9 });

  assert.equal((await raw.hear("error"))["code"], wire.INVALID_FRAME);
  const transfer = await raw.offer([folder("later")]);
  await raw.hear("accept");
  await raw.say({ type: "done", transfer, lanes: 0 });
  await raw.settle(transfer);
  assert.deepEqual(await paths(bob), ["later"]);
});

for (const type of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
  test(`a message of type "${type}" is an unknown one`, async (t) => {
    const { bob, network } = await victims(t);
    const raw = await RawPeer.greet(t, network, bob);

    await raw.say({ type });

    assert.equal((await raw.hear("error"))["code"], wire.INVALID_FRAME);
  });
}

test("fields that a later version adds are passed over", async (t) => {
  const { bob, network } = await victims(t);
  const raw = await RawPeer.greet(t, network, bob, { colour: "blue", features: ["teleport"] });
  const later = [...folder("later"), "", { new: true }];

  const transfer = await raw.offer([later], { offered: { mood: [1, { good: true }] } });
  await raw.hear("accept");
  await raw.say({ type: "done", transfer, lanes: 0, hurry: null });

  await raw.settle(transfer);
  assert.deepEqual(await paths(bob), ["later"]);
});

test("messages of a transfer that nobody knows are late, not wrong", async (t) => {
  const { bob, network } = await victims(t);
  const raw = await RawPeer.greet(t, network, bob);

  await raw.say({ type: "cancel", transfer: id, code: wire.CANCELLED, reason: "" });
  await raw.say({ type: "settled", transfer: id });
  await raw.say({ type: "accept", transfer: id });

  const transfer = await raw.offer([folder("later")]);
  await raw.hear("accept");
  await raw.say({ type: "cancel", transfer, code: wire.CANCELLED, reason: "no more" });
  assert.equal(await codeOf(await transferOf(bob, transfer)), "CANCELLED");
});

const misplaced: { [type: string]: Value } = {
  accept: {},
  receipt: { bytes: 0, seconds: 0 },
  results: { files: [] },
  want: { entry: 0, offset: 0, length: 1 },
  skip: { runs: [[0, 1]] },
  refuse: { lane: 0, code: 14, reason: "" },
  settled: {},
  entries: { batch: cbor([file("more", 1)]) },
  offered: { entries: 1, bytes: 100, skipped: [] },
};

for (const [type, fields] of Object.entries(misplaced)) {
  test(`"${type}" from a sender whose offer is accepted ends the transfer`, async (t) => {
    const { bob, network } = await victims(t);
    const raw = await RawPeer.greet(t, network, bob);
    const transfer = await raw.offer([file("a.bin", 100)]);
    await raw.hear("accept");

    await raw.say({ type, transfer, ...(fields as { [key: string]: Value }) });

    assert.equal(await codeOf(await transferOf(bob, transfer)), "INVALID_FRAME");
    await assertUnharmed(t, { bob, network });
  });
}

const greetings: { why: string; first: Value; code: number }[] = [
  {
    why: "an offer",
    first: { type: "offer", transfer: id, targetDir: "", profile: "ultra" },
    code: 5,
  },
  { why: "a hello of another version", first: { ...hello, version: 2 }, code: 15 },
  { why: "a hello without a name", first: { ...hello, name: null }, code: 5 },
  { why: "a hello with a name without end", first: { ...hello, name: "x".repeat(500) }, code: 5 },
  { why: "a hello without lanes", first: { ...hello, maxLanes: 0 }, code: 5 },
  { why: "a hello with a proof of 3 bytes", first: { ...hello, proof: Buffer.alloc(3) }, code: 5 },
  { why: "a hello with a wrong proof", first: { ...hello, proof: random(32) }, code: 6 },
];

for (const { why, first, code: expected } of greetings) {
  test(`a session that begins with ${why} is refused, and tells nothing`, async (t) => {
    const { bob, network } = await victims(t);
    const raw = await RawPeer.dial(t, network, bob);

    await raw.say(first);

    const { by, code } = await raw.connection.closed();
    assert.deepEqual({ by, code }, { by: "peer", code: expected });
    await assertUnharmed(t, { bob, network });
  });
}

test("a stranger that says nothing is dropped", async (t) => {
  const { bob, network } = await victims(t, { tuning: { handshakeTimeoutMs: 20 } });
  const raw = await RawPeer.dial(t, network, bob);

  await raw.write(Buffer.of(0));

  assert.equal((await raw.connection.closed()).by, "peer");
  await assertUnharmed(t, { bob, network });
});

/** What a hostile receiver answers to an offer of one file of 5,000 bytes in a folder. */
const answers: { why: string; says: (transfer: Uint8Array) => Message[] }[] = [
  {
    why: "wants an entry that was not offered",
    says: (transfer) => [{ type: "want", transfer, entry: 9, offset: 0, length: 1024 }],
  },
  {
    why: "wants a folder",
    says: (transfer) => [{ type: "want", transfer, entry: 0, offset: 0, length: 1024 }],
  },
  {
    why: "wants bytes beyond the end",
    says: (transfer) => [{ type: "want", transfer, entry: 1, offset: 65_536, length: 65_536 }],
  },
  {
    why: "wants a part of a piece",
    says: (transfer) => [{ type: "want", transfer, entry: 1, offset: 1, length: 10 }],
  },
  {
    why: "refuses a lane that it cannot have seen",
    says: (transfer) => [{ type: "refuse", transfer, lane: 700, code: 14, reason: "" }],
  },
  {
    why: "gives a receipt that names no file",
    says: (transfer) => [{ type: "receipt", transfer, bytes: 0, seconds: 0 }],
  },
  {
    why: "gives results of an entry that was not offered",
    says: (transfer) => [
      { type: "results", transfer, files: [[9, 0, Buffer.alloc(32), "", 0, ""]] },
    ],
  },
  {
    why: "gives results out of order",
    says: (transfer) => [
      { type: "results", transfer, files: [[1, 0, Buffer.alloc(32), "", 0, ""]] },
      { type: "results", transfer, files: [[0, 2, Buffer.alloc(0), "", 5, ""]] },
    ],
  },
  {
    why: "offers in the middle of it",
    says: (transfer) => [{ type: "offer", transfer, targetDir: "", profile: "ultra" }],
  },
];

for (const { why, says } of answers) {
  test(`a receiver that ${why} ends the transfer with INVALID_FRAME`, async (t) => {
    const network = createMemoryNetwork();
    const alice = await memorySide(t, network, { onOffer: () => false });
    await alice.write("album/a.bin", random(5000));
    const raw = await RawPeer.greet(t, network, alice);
    const sending = alice.peer.send(alice.at("album"), { to: raw.peerId });
    const transfer = Buffer.from(sending.id, "hex");
    await raw.hear("offered");

    await raw.say({ type: "accept", transfer });
    for (const message of says(transfer)) await raw.say(message as { [key: string]: Value });

    assert.equal(await codeOf(sending), "INVALID_FRAME");
    assert.equal((await raw.hear("cancel"))["code"], wire.INVALID_FRAME);
  });
}

test("a receiver that lies about the hash is found out", async (t) => {
  const network = createMemoryNetwork();
  const alice = await memorySide(t, network, { onOffer: () => false });
  await alice.write("album/a.bin", random(5000));
  const raw = await RawPeer.greet(t, network, alice);
  const sending = alice.peer.send(alice.at("album"), { to: raw.peerId });
  const transfer = Buffer.from(sending.id, "hex");
  await raw.hear("offered");
  await raw.say({ type: "accept", transfer });
  await raw.hear("done");

  await raw.say({ type: "results", transfer, files: [[1, 0, Buffer.alloc(32), "", 0, ""]] });
  await raw.say({ type: "receipt", transfer, bytes: 5000, seconds: 1 });

  const [file] = (await sending.done).files;
  assert.deepEqual([file?.status, file?.code], ["failed", "CONTENT_MISMATCH"]);
});
