/** Little files, which travel with their offer. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { TransferError } from "../src/errors.ts";
import type { SendOptions } from "../src/index.ts";
import { contentFeature, lookFeature } from "../src/protocol/features.ts";
import { maxContentBytes } from "../src/protocol/limits.ts";
import {
  assertBothFail,
  assertSameTree,
  atDisk,
  begin,
  blake3,
  codeOf,
  engines,
  eventOf,
  type MemorySide,
  peers,
  peersOn,
  random,
  smallTables,
  ticketOf,
  transfer,
} from "./peers.ts";
import { file, type RawEntry, RawPeer, wire } from "./raw-peer.ts";

const tuning = { ...smallTables, contentBytes: maxContentBytes };
const alice = { tuning };
const bytes = Buffer.from("hello");

for (const engine of engines) {
  test(`${engine}: little files travel with their offer, and no lane is opened`, async (t) => {
    const { alice: from, bob: to } = await peersOn(engine, t, { alice });
    await from.write("album/notes.txt", "notes", { mode: 0o640, mtimeMs: 1_600_000_000_000 });
    await from.write("album/empty", "");
    await from.write("album/sub/tool", random(60_000), { mode: 0o755 });
    await from.link("album/sub/link", "../notes.txt");

    const done = await transfer({ alice: from, bob: to }, ["album"]);

    const { sending, receiving, sent, received } = done;
    assert.equal((await eventOf(sending, "lanes")).lanes, 0);
    for (const { bytes, total, files } of [sending, receiving].map((side) => side.progress())) {
      assert.deepEqual([bytes, total, files], [60_005, 60_005, 3]);
    }
    assertSameTree(await to.tree("inbox/album"), await from.tree("album"));
    const { into, ...told } = received;
    assert.deepEqual(told, sent);
    assert.equal(into, to.at("inbox"));
    assert.deepEqual([sent.bytes, sent.wireBytes], [60_005, 60_005]);
    const tool = [...sent.files].find(({ path }) => path === "album/sub/tool");
    assert.equal(tool?.blake3, blake3(await from.read("album/sub/tool")));
  });
}

const inLanes: { why: string; size?: number; count?: number; options?: SendOptions }[] = [
  { why: "a byte more than may travel", size: maxContentBytes + 1 },
  { why: "65 files", size: 1, count: 65 },
  { why: "a codec is asked for", options: { compress: "zstd" } },
  { why: "a limit holds", options: { limit: 100_000_000 } },
  { why: "the standard profile is asked for", options: { profile: "standard" } },
];

for (const { why, size = 10, count = 1, options = {} } of inLanes) {
  test(`files go into lanes: ${why}`, async (t) => {
    const { alice: from, bob: to } = await peers(t, { alice });
    for (let n = 0; n < count; n += 1) await from.write(`album/${n}`, random(size));

    const { sending } = await transfer({ alice: from, bob: to }, ["album"], { send: options });

    assert.ok((await eventOf(sending, "lanes")).lanes > 0);
    assertSameTree(await to.tree("inbox/album"), await from.tree("album"));
  });
}

test("nothing of it is on disk before the offer is accepted", async (t) => {
  const { alice: from, bob: to } = await peers(t, { alice });
  await from.write("notes.txt", bytes);
  const answer = Promise.withResolvers<boolean>();
  const options = { receive: { accept: () => answer.promise } };
  const { sending, receiving } = await begin({ alice: from, bob: to }, ["notes.txt"], options);
  await eventOf(receiving, "offer");
  assert.deepEqual(await to.tree("inbox"), []);

  answer.resolve(false);

  const both = { sending, receiving };
  await assertBothFail(both, { sender: "PEER_REJECTED", receiver: "PEER_REJECTED" });
  assert.deepEqual(await to.tree("inbox"), []);
});

test("a receiver that keeps pieces of an earlier try passes it over", async (t) => {
  const { alice: from, bob: to, network } = await peers(t, { alice, bob: { tuning } });
  await from.write("large.bin", random(60_000));
  network.cutAfter(40_000);
  // What is held to a limit goes into lanes.
  const once = { send: { retryForMs: 0, limit: 1e12 }, receive: { retryForMs: 0 } };
  const cut = await begin({ alice: from, bob: to }, ["large.bin"], once);
  await assertBothFail(cut, { sender: "CONNECTION_LOST", receiver: "CONNECTION_LOST" });
  network.mend();

  const { sending, receiving } = await transfer({ alice: from, bob: to }, ["large.bin"]);

  assert.ok((await eventOf(receiving, "resumed")).bytes > 10_000);
  assert.ok((await eventOf(sending, "lanes")).lanes > 0);
  assert.deepEqual(await to.read("inbox/large.bin"), await from.read("large.bin"));
});

test("S19: who only looks is sent none of it", async (t) => {
  const { alice: from, network } = await peers(t, { alice });
  await from.write("notes.txt", bytes);
  const ticket = await ticketOf(from.peer.send(from.at("notes.txt")));

  const raw = await RawPeer.redeem(t, network, from, ticket, [lookFeature, contentFeature]);

  assert.deepEqual("content" in (await raw.hear("offered")), false);
});

test("a receiver says with its yes that it goes on with it, and its results at once", async (t) => {
  const { raw, to } = await sayContent(t, [file("a", 2), file("b", 3)], bytes);

  const accept = await raw.hear("accept");
  const results = await raw.settle(accept["transfer"] as Uint8Array);

  assert.equal(accept["content"], 1);
  const hashes = [bytes.subarray(0, 2), bytes.subarray(2)].map(blake3);
  assert.deepEqual(
    results.map(([, , hash]) => Buffer.from(hash as Uint8Array).toString("hex")),
    hashes,
  );
  assert.equal(`${await to.read("inbox/a")}+${await to.read("inbox/b")}`, "he+llo");
});

for (const { why, content } of [
  { why: "too few bytes", content: bytes.subarray(1) },
  { why: "too many bytes", content: Buffer.concat([bytes, bytes]) },
]) {
  test(`S8: an offer with ${why} of content is refused`, async (t) => {
    const { raw, to } = await sayContent(t, [file("a", 5)], content);

    assert.equal((await raw.hear("reject"))["code"], wire.INVALID_FRAME);
    assert.deepEqual(await to.tree("inbox"), []);
  });
}

test("content that is not what its hash says is passed over", async (t) => {
  const { raw } = await sayContent(t, [file("a", 5)], bytes, Buffer.alloc(32, 7));

  assert.equal("content" in (await raw.hear("accept")), false);
});

test("a file that the disk refuses fails alone, and is no progress", async (t) => {
  const { alice: from, bob: to } = await peers(t, { alice });
  await from.write("a", "he");
  await from.write("b", "llo");
  const act = () => {
    throw new TransferError("DISK_DENIED", "no");
  };
  atDisk(t, to.disk, { operation: "createPartial", n: 1, act });

  const { sending, receiving, sent } = await transfer({ alice: from, bob: to }, ["a", "b"]);

  assert.deepEqual(
    [...sent.files].map(({ status }) => status),
    ["failed", "received"],
  );
  for (const side of [sending, receiving]) assert.equal(side.progress().bytes, 3);
});

test("S8: a lane that comes all the same changes nothing", async (t) => {
  const { raw, to } = await sayContent(t, [file("a", 5)], bytes);
  const { transfer: id } = await raw.hear("accept");

  await raw.lane(id as Uint8Array, 0, Buffer.from("nothing that a lane may bring"));

  await raw.settle(id as Uint8Array);
  assert.equal(`${await to.read("inbox/a")}`, "hello");
});

test("S8: a yes to content that was not sent ends the transfer", async (t) => {
  const { sending, raw, id } = await offered(t, []);

  await raw.say({ type: "accept", transfer: id, content: 1 });

  assert.equal((await raw.hear("cancel"))["code"], wire.INVALID_FRAME);
  assert.equal(await codeOf(sending), "INVALID_FRAME");
});

test("a file whose hash is not that of the content has failed", async (t) => {
  const { sending, raw, id } = await offered(t, [contentFeature]);

  await raw.say({ type: "accept", transfer: id, content: 1 });
  const wrong = Buffer.alloc(32, 7);
  await raw.say({ type: "results", transfer: id, files: [[0, 0, wrong, "", 0, ""]] });
  await raw.say({ type: "receipt", transfer: id, bytes: 5, seconds: 0 });
  await raw.hear("settled");

  const [first] = (await sending.done).files;
  const failure = first?.status === "failed" ? first.code : first?.status;
  assert.equal(failure, "CONTENT_MISMATCH");
});

/** A peer that is sent an offer with content by one that says what it likes. */
async function sayContent(
  t: TestContext,
  entries: readonly RawEntry[],
  content: Uint8Array,
  hash = Buffer.from(blake3(content), "hex"),
): Promise<{ raw: RawPeer; to: MemorySide }> {
  const { bob: to, network } = await peers(t, { bob: { onOffer: () => true } });
  const raw = await RawPeer.greet(t, network, to, { features: [contentFeature] });
  await raw.offer(entries, { offered: { content, hash } });
  return { raw, to };
}

/** The offer of a little file to a peer that says what it likes. */
async function offered(t: TestContext, features: readonly string[]) {
  const { alice: from, network } = await peers(t, { alice: { ...alice, onOffer: () => false } });
  await from.write("notes.txt", bytes);
  const raw = await RawPeer.greet(t, network, from, { features });
  const sending = from.peer.send(from.at("notes.txt"), { to: raw.peerId, retryForMs: 0 });
  const { content } = await raw.hear("offered");
  assert.equal(content !== undefined, features.length > 0);
  return { sending, raw, id: Buffer.from(sending.id, "hex") };
}
