/** Peers that break the rules of messages: their session ends, and no other. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertUnharmed, transferOf, victims } from "./hostile-victims.ts";
import { codeOf, paths, random } from "./peers.ts";
import { cbor, file, folder, frame, head, hello, RawPeer, type Value, wire } from "./raw-peer.ts";

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
  test(`S8, H1: ${why} ends the session and its transfers, and no other`, async (t) => {
    const victim = await victims(t);
    const { bob, network } = victim;
    const raw = await RawPeer.greet(t, network, bob);
    const transfer = await raw.offer([file("a.bin", 100)]);
    await raw.hear("accept");

    await raw.write(bytes);

    assert.equal(await codeOf(await transferOf(bob, transfer)), "INVALID_FRAME");
    const { by, code } = await raw.connection.closed();
    assert.deepEqual({ by, code }, { by: "peer", code: wire.INVALID_FRAME });
    await assertUnharmed(t, victim);
  });
}

test("H1: a message of an unknown type is answered with an error, and the session lives", async (t) => {
  const victim = await victims(t);
  const { bob, network } = victim;
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
  test(`H1: a message of type "${type}" is an unknown one`, async (t) => {
    const victim = await victims(t);
    const { bob, network } = victim;
    const raw = await RawPeer.greet(t, network, bob);

    await raw.say({ type });

    assert.equal((await raw.hear("error"))["code"], wire.INVALID_FRAME);
  });
}

test("H1: fields that a later version adds are passed over", async (t) => {
  const victim = await victims(t);
  const { bob, network } = victim;
  const raw = await RawPeer.greet(t, network, bob, { colour: "blue", features: ["teleport"] });
  const later = [...folder("later"), "", { new: true }];

  const transfer = await raw.offer([later], { offered: { mood: [1, { good: true }] } });
  await raw.hear("accept");
  await raw.say({ type: "done", transfer, lanes: 0, hurry: null });

  await raw.settle(transfer);
  assert.deepEqual(await paths(bob), ["later"]);
});

test("H1: messages of a transfer that nobody knows are late, not wrong", async (t) => {
  const victim = await victims(t);
  const { bob, network } = victim;
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
  arrived: { runs: [] },
  want: { entry: 0, offset: 0, length: 1 },
  skip: { runs: [[0, 1]] },
  refuse: { lane: 0, code: 14, reason: "" },
  settled: {},
  entries: { batch: cbor([file("more", 1)]) },
  offered: { entries: 1, bytes: 100, skipped: [] },
};

for (const [type, fields] of Object.entries(misplaced)) {
  test(`H1: "${type}" from a sender whose offer is accepted ends the transfer`, async (t) => {
    const victim = await victims(t);
    const { bob, network } = victim;
    const raw = await RawPeer.greet(t, network, bob);
    const transfer = await raw.offer([file("a.bin", 100)]);
    await raw.hear("accept");

    await raw.say({ type, transfer, ...(fields as { [key: string]: Value }) });

    assert.equal(await codeOf(await transferOf(bob, transfer)), "INVALID_FRAME");
    await assertUnharmed(t, victim);
  });
}

const greetings: { why: string; first: Value; code: number; row?: string }[] = [
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
  { why: "a wrong proof", first: { ...hello, proof: random(32) }, code: 6, row: "H5" },
  { why: "a hello of 100,000 bytes", first: { ...hello, later: random(100_000) }, code: 5 },
];

for (const { why, first, code: expected, row = "H1" } of greetings) {
  test(`${row}: a session that begins with ${why} is refused, and tells nothing`, async (t) => {
    const victim = await victims(t);
    const { bob, network } = victim;
    const raw = await RawPeer.dial(t, network, bob);

    // A long one is not read to its end.
    await raw.say(first).catch(() => {});

    const { by, code } = await raw.connection.closed();
    assert.deepEqual({ by, code }, { by: "peer", code: expected });
    await assertUnharmed(t, victim);
  });
}

test("H4: a stranger that says nothing is dropped", async (t) => {
  const victim = await victims(t, { tuning: { handshakeTimeoutMs: 100 } });
  const { bob, network } = victim;
  const raw = await RawPeer.dial(t, network, bob);

  await raw.write(Buffer.of(0));

  assert.equal((await raw.connection.closed()).by, "peer");
  await assertUnharmed(t, victim);
});
