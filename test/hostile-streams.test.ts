/** Streams of peers that do not keep to docs/protocol.md. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { PassThrough } from "node:stream";
import { type TestContext, test } from "node:test";
import { createMemoryNetwork } from "../src/engine/memory.ts";
import { assertUnharmed, transferOf, victims } from "./hostile-victims.ts";
import { blake3, codeOf, leftovers, memorySide, random, smallTables } from "./peers.ts";
import {
  bundleHeader,
  cbor,
  file,
  folder,
  frame,
  laneHeader,
  link,
  piece,
  pieceHeader,
  type RawEntry,
  RawPeer,
  runHeader,
  standard,
  type Value,
  wire,
} from "./raw-peer.ts";

const KiB = 1024;
const a = random(KiB);
const b = random(KiB);
const last = random(10);
const content = Buffer.concat([a, b, last]);
const hash = Buffer.from(blake3(content), "hex");
const run = (offset: number, length: number, pieceLog = 10) =>
  runHeader({ entry: 0, offset, length, pieceLog });
const whole = [run(0, 2 * KiB), piece(a, 0), piece(b, KiB), run(2 * KiB, 10), piece(last, 2 * KiB)];

/** Offers a stream in pieces of 1 KiB. */
async function offer(
  raw: RawPeer,
  entries: readonly RawEntry[] = [file("stream", 0)],
  changes: { [key: string]: Value } = {},
): Promise<Uint8Array> {
  const transfer = new Uint8Array(randomBytes(16));
  await raw.say({
    type: "offer",
    transfer,
    targetDir: "",
    profile: "ultra",
    stream: 10,
    ...changes,
  });
  await raw.say({ type: "entries", transfer, batch: cbor(entries) });
  const bytes = entries.reduce((sum, entry) => sum + Number(entry[3]), 0);
  await raw.say({ type: "offered", transfer, entries: entries.length, bytes, skipped: [] });
  return transfer;
}

async function accepted(t: TestContext) {
  const victim = await victims(t);
  const raw = await RawPeer.greet(t, victim.network, victim.bob);
  const transfer = await offer(raw);
  await raw.hear("accept");
  return { victim, bob: victim.bob, raw, transfer };
}

test("a sender that keeps to the document in a stream is served", async (t) => {
  const { bob, raw, transfer } = await accepted(t);

  await (await raw.lane(transfer, 0, ...whole)).finish();
  await raw.say({ type: "done", transfer, lanes: 1, bytes: content.length, hash });

  const results = await raw.settle(transfer);
  assert.deepEqual(await bob.read("inbox/stream"), content);
  assert.deepEqual(
    results.map(([entry, status, found]) => [entry, status, found]),
    [[0, 0, hash]],
  );
});

const lanes: { why: string; parts: Uint8Array[] }[] = [
  { why: "a piece size that was not offered", parts: [run(0, 4 * KiB, 11), ...whole] },
  { why: "a run far ahead", parts: [run(2 ** 30, KiB), piece(a, 2 ** 30)] },
  { why: "a bundle", parts: [bundleHeader([0]), piece(a)] },
  { why: "a run behind the end", parts: [...whole, run(3 * KiB, KiB), piece(a, 3 * KiB)] },
  { why: "a second end", parts: [...whole, run(2 * KiB, 9), piece(last, 2 * KiB)] },
  {
    why: "more after one piece alone",
    parts: [run(0, KiB), piece(a), run(KiB, KiB), piece(b, KiB)],
  },
  { why: "an end before what came", parts: [...whole.slice(0, 3), run(KiB, 10), piece(last, KiB)] },
  {
    why: "an end between pieces that came",
    parts: [run(2 * KiB, KiB), piece(a, 2 * KiB), run(KiB, 10), piece(last, KiB)],
  },
  { why: "a piece twice", parts: [...whole, ...whole] },
  { why: "an empty run behind the beginning", parts: [run(KiB, 0)] },
  {
    why: "an entry that was not offered",
    parts: [runHeader({ entry: 1, offset: 0, length: KiB })],
  },
];

for (const { why, parts } of lanes) {
  test(`H2: a stream with ${why} ends with INVALID_FRAME`, async (t) => {
    const { victim, bob, raw, transfer } = await accepted(t);
    const receiving = await transferOf(bob, transfer);

    await raw.lane(transfer, 0, ...parts);

    assert.equal(await codeOf(receiving), "INVALID_FRAME");
    assert.equal((await raw.hear("cancel"))["code"], wire.INVALID_FRAME);
    assert.deepEqual(await leftovers(bob), []);
    await assertUnharmed(t, victim);
  });
}

test("H2: a stream in the standard format ends with INVALID_FRAME", async (t) => {
  const { victim, bob, raw, transfer } = await accepted(t);
  const receiving = await transferOf(bob, transfer);

  await raw.stream(laneHeader(transfer, 0, standard), pieceHeader({ entry: 0, offset: 0 }));

  assert.equal(await codeOf(receiving), "INVALID_FRAME");
  await assertUnharmed(t, victim);
});

const ends: { why: string; says: { [key: string]: Value }; code: RegExp }[] = [
  { why: "no end", says: {}, code: /INVALID_FRAME/ },
  {
    why: "an end before what came",
    says: { bytes: 2 * KiB, hash },
    // It may be told before the last run is seen.
    code: /INVALID_FRAME|CONTENT_MISMATCH/,
  },
  { why: "an end behind what came", says: { bytes: 3 * KiB, hash }, code: /INVALID_FRAME/ },
  { why: "an end at 8 PB", says: { bytes: 2 ** 53 - 1, hash }, code: /INVALID_FRAME/ },
  {
    why: "another hash than that of its bytes",
    says: { bytes: content.length, hash: Buffer.alloc(32) },
    code: /CONTENT_MISMATCH/,
  },
];

for (const { why, says, code } of ends) {
  test(`S6: a stream with ${why} fails, and nothing lands`, async (t) => {
    const { victim, bob, raw, transfer } = await accepted(t);
    const receiving = await transferOf(bob, transfer);

    await (await raw.lane(transfer, 0, ...whole)).finish();
    await raw.say({ type: "done", transfer, lanes: 1, ...says });

    assert.match(await codeOf(receiving), code);
    assert.deepEqual(await leftovers(bob), []);
    await assertUnharmed(t, victim);
  });
}

test("H2: a stream whose end lies within a whole piece ends with INVALID_FRAME", async (t) => {
  const { victim, bob, raw, transfer } = await accepted(t);
  const receiving = await transferOf(bob, transfer);

  await (await raw.lane(transfer, 0, ...whole.slice(0, 3))).finish();
  // The hash of both pieces says nothing of the size.
  const merged = Buffer.from(blake3(content.subarray(0, 2 * KiB)), "hex");
  await raw.say({ type: "done", transfer, lanes: 1, bytes: 2 * KiB - 5, hash: merged });

  assert.equal(await codeOf(receiving), "INVALID_FRAME");
  await assertUnharmed(t, victim);
});

test("H2: a stream that ends twice, each time elsewhere, ends with INVALID_FRAME", async (t) => {
  const { victim, bob, raw, transfer } = await accepted(t);
  const receiving = await transferOf(bob, transfer);

  await raw.say({ type: "done", transfer, lanes: 1, bytes: content.length, hash });
  await raw.say({ type: "done", transfer, lanes: 1, bytes: content.length + 1, hash });

  assert.equal(await codeOf(receiving), "INVALID_FRAME");
  await assertUnharmed(t, victim);
});

const offers: { why: string; entries?: RawEntry[]; changes?: { [key: string]: Value } }[] = [
  { why: "of two files", entries: [file("a", 0), file("b", 0)] },
  { why: "of nothing", entries: [folder("a")] },
  { why: "of a link", entries: [link("a", "b")] },
  { why: "of a file with a size", entries: [file("a", 10)] },
  { why: "with a text", changes: { text: "hello" } },
];

for (const { why, entries, changes } of offers) {
  test(`H2: an offer of a stream ${why} is refused`, async (t) => {
    const victim = await victims(t);
    const raw = await RawPeer.greet(t, victim.network, victim.bob);

    await offer(raw, entries, changes);

    assert.equal((await raw.hear("reject"))["code"], wire.INVALID_FRAME);
    await assertUnharmed(t, victim);
  });
}

test("a stream that goes silent is removed when its sender goes", async (t) => {
  const { bob, raw, transfer } = await accepted(t);
  const receiving = await transferOf(bob, transfer);
  await raw.lane(transfer, 0, ...whole.slice(0, 3));

  raw.connection.close(0, "");

  assert.equal(await codeOf(receiving), "CONNECTION_LOST");
  assert.deepEqual(await bob.tree("inbox"), []);
});

/** A sender of a stream, to whom a hostile receiver listens. */
async function senderOf(t: TestContext, hello: { [key: string]: Value } = {}) {
  const network = createMemoryNetwork();
  const alice = await memorySide(t, network, { onOffer: () => false, tuning: smallTables });
  const raw = await RawPeer.greet(t, network, alice, { features: ["stream"], ...hello });
  const stream = new PassThrough();
  stream.write(random(40_000));
  const sending = alice.peer.send({ stream, name: "a" }, { to: raw.peerId, retryForMs: 0 });
  return { raw, sending, stream };
}

const pieces = (first: number, count: number): Value => [[0, 12, first, count]];
const answers: { why: string; says: { [key: string]: Value }; isAfter?: true }[] = [
  { why: "has pieces that were not sent", says: { type: "have", files: [], pieces: pieces(0, 1) } },
  { why: "has all of it already", says: { type: "have", files: [[0, 1]], pieces: [] } },
  { why: "skips more than there is", says: { type: "skip", runs: [[0, 2]] } },
  {
    why: "wants it compared",
    says: { type: "compare", files: [[0, 12, 0, Buffer.alloc(32)]] },
  },
  {
    why: "wants what is not read yet",
    says: { type: "want", entry: 0, offset: 2 ** 40, length: 4096 },
    isAfter: true,
  },
  {
    why: "wants another entry",
    says: { type: "want", entry: 1, offset: 0, length: 4096 },
    isAfter: true,
  },
];

for (const { why, says, isAfter } of answers) {
  test(`H8: a receiver of a stream that ${why} ends it with INVALID_FRAME`, async (t) => {
    const { raw, sending, stream } = await senderOf(t);
    await raw.hear("offered");
    const transfer = Buffer.from(sending.id, "hex");

    if (isAfter) await raw.say({ type: "accept", transfer });
    await raw.say({ ...says, transfer });

    assert.equal(await codeOf(sending), "INVALID_FRAME");
    assert.equal(stream.destroyed, true);
  });
}

test("H8: a receiver that has proven what it was not sent ends a stream", async (t) => {
  const { raw, sending, stream } = await senderOf(t);
  await raw.hear("offered");
  const transfer = Buffer.from(sending.id, "hex");
  await raw.say({ type: "accept", transfer });
  const lane = await raw.connection.acceptUnidirectional();
  await lane.read(22);

  const progress = { bytes: 2 ** 50, files: 0, lanes: [1], current: [] };
  await raw.stream(Buffer.from("51565001", "hex"), transfer, frame(cbor(progress)));
  stream.end(random(40_000));

  const code = await codeOf(sending);
  assert.notEqual(code, "done");
});

const older: { why: string; hello: { [key: string]: Value } }[] = [
  { why: "that takes none", hello: { features: [] } },
  { why: "that takes no ultra lanes", hello: { profiles: ["standard"] } },
];

for (const { why, hello } of older) {
  test(`a stream to a receiver ${why} ends with UNSUPPORTED_FORMAT`, async (t) => {
    const { sending } = await senderOf(t, hello);

    assert.equal(await codeOf(sending), "UNSUPPORTED_FORMAT");
  });
}
