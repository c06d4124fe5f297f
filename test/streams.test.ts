/** Bytes that are sent as they come: a file whose size is known at its end. */

import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { type TestContext, test } from "node:test";
import { Pipe } from "../src/engine/memory-pipe.ts";
import { openNativeEngine } from "../src/engine/native.ts";
import type { SendOptions, Transfer } from "../src/index.ts";
import { mostHeldStreamBytes } from "../src/options.ts";
import { StreamedBytes } from "../src/transfer/streamed-bytes.ts";
import {
  assertBothFail,
  atDisk,
  blake3,
  codeOf,
  engines,
  eventOf,
  leftovers,
  memorySide,
  paths,
  peers,
  peersOn,
  random,
  smallTables,
  ticketOf,
} from "./peers.ts";

const tuning = smallTables;
const piece = 4096;

/** Bytes as a stream, in chunks of a size. */
async function* chunks(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const sizes = [
  { bytes: 0, what: "no byte" },
  { bytes: 1, what: "one byte" },
  { bytes: piece - 1, what: "a byte less than a piece" },
  { bytes: piece, what: "a piece" },
  { bytes: piece + 1, what: "a byte more than a piece" },
  { bytes: 2 * piece, what: "two pieces" },
  { bytes: 2 * piece + 1, what: "a byte more than two pieces" },
  { bytes: 40 * piece, what: "forty pieces" },
  { bytes: 40 * piece + 123, what: "forty pieces and a bit" },
];

for (const engine of engines) {
  for (const { bytes, what } of sizes) {
    test(`${engine}: a stream of ${what} arrives under its name`, async (t) => {
      const { alice, bob } = await peersOn(engine, t, { alice: { tuning }, bob: { tuning } });
      const content = random(bytes);
      const sending = alice.peer.send({ stream: chunks(content, 1000), name: "a stream" });

      const receiving = bob.peer.receive(await ticketOf(sending));
      const [sent, received] = await Promise.all([sending.done, receiving.done]);

      assert.deepEqual(await bob.read("inbox/a stream"), content);
      const file = { path: "a stream", size: bytes, blake3: blake3(content), status: "received" };
      assert.deepEqual([...sent.files], [file]);
      assert.deepEqual([...received.files], [file]);
      assert.deepEqual(await leftovers(bob), []);
    });
  }
}

test("a stream goes on after a lost connection, and nothing proven is sent again", async (t) => {
  const { alice, bob, network } = await peers(t, { alice: { tuning }, bob: { tuning } });
  const content = random(100 * piece + 5);
  network.cutAfter(50 * piece);
  const sending = alice.peer.send({ stream: chunks(content, 10_000), name: "a" });

  const receiving = bob.peer.receive(await ticketOf(sending));
  await eventOf(receiving, "waiting");
  network.mend();
  const { bytes } = await eventOf(receiving, "resumed");
  const [sent] = await Promise.all([sending.done, receiving.done]);

  assert.ok(bytes > 20 * piece, String(bytes));
  assert.ok(sent.wireBytes < 80 * piece, String(sent.wireBytes));
  assert.deepEqual(await bob.read("inbox/a"), content);
  assert.deepEqual([...sent.files][0]?.blake3, blake3(content));
  assert.deepEqual(await leftovers(bob), []);
});

test("a stream goes on after a connection that is lost while the producer rests", async (t) => {
  const { alice, bob, network } = await peers(t, { alice: { tuning }, bob: { tuning } });
  const content = random(30 * piece);
  const stream = new PassThrough();
  stream.write(content.subarray(0, 10 * piece));
  const sending = alice.peer.send({ stream, name: "a" });
  const receiving = bob.peer.receive(await ticketOf(sending));
  await provenBytes(sending, 10 * piece);

  network.cut();
  await eventOf(receiving, "waiting");
  network.mend();
  await eventOf(receiving, "resumed");
  stream.end(content.subarray(10 * piece));
  await Promise.all([sending.done, receiving.done]);

  assert.deepEqual(await bob.read("inbox/a"), content);
});

test("a stream is handed on as it comes, across a lost connection", async (t) => {
  const { alice, bob, network } = await peers(t, { alice: { tuning }, bob: { tuning } });
  const content = random(100 * piece + 5);
  const parts: Uint8Array[] = [];
  network.cutAfter(50 * piece);
  const sending = alice.peer.send({ stream: chunks(content, 10_000), name: "a" });

  const output = (bytes: Uint8Array) => void parts.push(bytes);
  const receiving = bob.peer.receive(await ticketOf(sending), { output });
  await eventOf(receiving, "waiting");
  network.mend();
  await Promise.all([sending.done, receiving.done]);

  assert.ok(Buffer.concat(parts).equals(content));
});

test("a stream whose connection is lost before its receipt is not received twice", async (t) => {
  const { alice, bob, network } = await peers(t, { alice: { tuning }, bob: { tuning } });
  const content = random(20 * piece);
  const sending = alice.peer.send({ stream: chunks(content, 10_000), name: "a" });
  atDisk(t, bob.disk, { operation: "rename", n: 1, act: () => network.cut() });

  const receiving = bob.peer.receive(await ticketOf(sending));
  await eventOf(receiving, "waiting");
  network.mend();
  const [sent, received] = await Promise.all([sending.done, receiving.done]);

  assert.deepEqual([...sent.files], [...received.files]);
  assert.deepEqual(await paths(bob), ["a"]);
  assert.deepEqual(await leftovers(bob), []);
});

test("a stream whose sender is gone leaves nothing, and the receiver says why", async (t) => {
  const { alice, bob, network } = await peers(t, { alice: { tuning }, bob: { tuning } });
  network.cutAfter(50 * piece);
  const sending = alice.peer.send({ stream: chunks(random(100 * piece), 10_000), name: "a" });

  const receiving = bob.peer.receive(await ticketOf(sending), { retryForMs: 0 });

  await assert.rejects(receiving.done, {
    code: "CONNECTION_LOST",
    message: /what came of the stream is removed: only the process that sent it could go on/,
  });
  assert.deepEqual(await bob.tree("inbox"), []);
});

test("a receiver that has lost the beginning of a stream is told so, and the sender, too", async (t) => {
  const { alice, bob, network } = await peers(t, { alice: { tuning }, bob: { tuning } });
  network.cutAfter(50 * piece);
  const stream = new PassThrough();
  stream.write(random(40 * piece));
  const sending = alice.peer.send({ stream, name: "a" });
  const ticket = await ticketOf(sending);
  const first = bob.peer.receive(ticket, { retryForMs: 0 });
  await provenBytes(sending, 20 * piece);
  network.cut();
  await codeOf(first);
  network.mend();

  const receiving = bob.peer.receive(ticket);

  await assertBothFail(
    { sending, receiving },
    { sender: "SOURCE_CHANGED", receiver: "SOURCE_CHANGED" },
  );
  assert.deepEqual(await bob.tree("inbox"), []);
});

test("a second receiver of a stream is refused, and the first goes on", async (t) => {
  const { alice, bob, network } = await peers(t, { alice: { tuning }, bob: { tuning } });
  const carol = await memorySide(t, network);
  const content = random(40 * piece);
  const stream = new PassThrough();
  stream.write(content.subarray(0, 20 * piece));
  const sending = alice.peer.send({ stream, name: "a" });
  const ticket = await ticketOf(sending);
  const receiving = bob.peer.receive(ticket);
  await provenBytes(sending, 20 * piece);
  network.cut();
  await eventOf(receiving, "waiting");
  network.mend();

  assert.equal(await codeOf(carol.peer.receive(ticket)), "PEER_REJECTED");
  stream.end(content.subarray(20 * piece));
  await Promise.all([sending.done, receiving.done]);

  assert.deepEqual(await bob.read("inbox/a"), content);
});

test("a producer that fails ends the transfer on both sides, and nothing lands", async (t) => {
  const { alice, bob } = await peers(t, { alice: { tuning }, bob: { tuning } });
  async function* failing() {
    yield random(30 * piece);
    throw new Error("the tape broke");
  }
  const sending = alice.peer.send({ stream: failing(), name: "a" });

  const receiving = bob.peer.receive(await ticketOf(sending));

  await assert.rejects(receiving.done, { code: "DISK_FAILED", message: /the tape broke/ });
  await assert.rejects(sending.done, { code: "DISK_FAILED", message: /the tape broke/ });
  assert.deepEqual(await bob.tree("inbox"), []);
});

for (const side of ["sending", "receiving"] as const) {
  test(`a stream can be cancelled while ${side}, and its producer is told`, async (t) => {
    const { alice, bob } = await peers(t, { alice: { tuning }, bob: { tuning } });
    const stream = new PassThrough();
    stream.write(random(30 * piece));
    const sending = alice.peer.send({ stream, name: "a" });
    const both = { sending, receiving: bob.peer.receive(await ticketOf(sending)) };
    await provenBytes(sending, 30 * piece);

    both[side].cancel();

    await assertBothFail(both, { sender: "CANCELLED", receiver: "CANCELLED" });
    assert.equal(stream.destroyed, true);
    assert.deepEqual(await bob.tree("inbox"), []);
  });
}

test("R10: a disk that becomes full ends a stream on both sides, and nothing stays of it", async (t) => {
  const { alice, bob } = await peers(t, { alice: { tuning }, bob: { tuning } });
  bob.disk.freeBytes = 30 * piece;
  async function* endless() {
    for (;;) yield random(piece);
  }
  const sending = alice.peer.send({ stream: endless(), name: "a" });

  const receiving = bob.peer.receive(await ticketOf(sending));

  await assertBothFail({ sending, receiving }, { sender: "DISK_FULL", receiver: "DISK_FULL" });
  assert.deepEqual(await bob.tree("inbox"), []);
});

test("S6: a piece of a stream that is spoilt on the way is asked for again before the end", async (t) => {
  const { alice, bob } = await peers(t, { alice: { tuning }, bob: { tuning } });
  const content = random(60 * piece);
  const stream = new PassThrough();
  stream.write(content.subarray(0, 40 * piece));
  spoilPieces(t, (n) => n === 0 || n === 17);
  const sending = alice.peer.send({ stream, name: "a" });

  const receiving = bob.peer.receive(await ticketOf(sending));
  // All of it is proven though the stream goes on.
  await provenBytes(sending, 40 * piece);
  stream.end(content.subarray(40 * piece));
  await Promise.all([sending.done, receiving.done]);

  assert.deepEqual(await bob.read("inbox/a"), content);
});

test("a stream whose pieces are always spoilt ends, though it has no end itself", async (t) => {
  const { alice, bob } = await peers(t, { alice: { tuning }, bob: { tuning } });
  spoilPieces(t, () => true);
  const stream = new PassThrough();
  stream.write(random(10 * piece));
  const sending = alice.peer.send({ stream, name: "a" });

  const receiving = bob.peer.receive(await ticketOf(sending));

  const codes = { sender: "CONTENT_MISMATCH", receiver: "CONTENT_MISMATCH" };
  await assertBothFail({ sending, receiving }, codes);
  assert.deepEqual(await bob.tree("inbox"), []);
});

test("R15: a stream can be paused and resumed", async (t) => {
  const { alice, bob } = await peers(t, { alice: { tuning }, bob: { tuning } });
  const content = random(50 * piece);
  const sending = alice.peer.send({ stream: chunks(content, piece), name: "a" });
  const receiving = bob.peer.receive(await ticketOf(sending));
  receiving.pause();
  await eventOf(receiving, "offer");

  receiving.resume();
  await Promise.all([sending.done, receiving.done]);

  assert.deepEqual(await bob.read("inbox/a"), content);
});

test("a stream for a name that is taken is not read where that is to be skipped", async (t) => {
  const { alice, bob } = await peers(t);
  await bob.write("inbox/a", "here");
  let isRead = false;
  async function* unread() {
    isRead = true;
    yield Buffer.from("there");
  }
  const sending = alice.peer.send({ stream: unread(), name: "a" });

  const receiving = bob.peer.receive(await ticketOf(sending), { onConflict: "skip" });
  const [sent] = await Promise.all([sending.done, receiving.done]);

  assert.deepEqual([[...sent.files][0]?.status, isRead], ["skipped", false]);
  assert.equal(String(await bob.read("inbox/a")), "here");
});

test("who only looks at a stream sees its name, and takes nothing of it", async (t) => {
  const { alice, bob } = await peers(t);
  const sending = alice.peer.send({ stream: chunks(Buffer.from("hello"), 2), name: "a" });
  const ticket = await ticketOf(sending);

  const { isStream, items } = await bob.peer.preflight(ticket);
  await Promise.all([sending.done, bob.peer.receive(ticket).done]);

  assert.deepEqual([isStream, items.map(({ name }) => name)], [true, ["a"]]);
  assert.equal(String(await bob.read("inbox/a")), "hello");
});

test("a stream goes to a peer that is connected, too", async (t) => {
  const { alice, bob } = await peers(t, { bob: { onOffer: () => true } });
  await bob.peer.start();
  await alice.peer.connectToPeer(bob.peer.addresses[0] ?? "", bob.peer.peerId);

  const stream = chunks(Buffer.from("hello"), 2);
  await alice.peer.send({ stream, name: "a" }, { to: bob.peer.peerId }).done;

  assert.equal(String(await bob.read("inbox/a")), "hello");
});

test("a stream to a peer that waits for it goes on after a lost connection", async (t) => {
  const { alice, bob, network } = await peers(t, { alice: { tuning }, bob: { tuning } });
  const content = random(100 * piece + 5);
  const receiving = bob.peer.receiveFrom([alice.peer.peerId]);
  await eventOf(receiving, "listening");
  network.cutAfter(50 * piece);
  const to = `${bob.peer.peerId}@${bob.peer.addresses[0]}`;
  const sending = alice.peer.send({ stream: chunks(content, 10_000), name: "a" }, { to });
  await eventOf(receiving, "waiting");
  network.mend();
  await Promise.all([sending.done, receiving.done]);

  assert.deepEqual(await bob.read("inbox/a"), content);
  assert.deepEqual(await leftovers(bob), []);
});

test("R14: a limit holds a stream, too", async (t) => {
  const { alice, bob } = await peers(t, { alice: { tuning }, bob: { tuning } });
  const content = random(20 * piece);
  const sending = alice.peer.send({ stream: chunks(content, 500), name: "a" });
  sending.limit(1_000_000);

  const receiving = bob.peer.receive(await ticketOf(sending));
  const { limit } = await eventOf(sending, "progress");
  await Promise.all([sending.done, receiving.done]);

  assert.equal(limit, 1_000_000);
  assert.deepEqual(await bob.read("inbox/a"), content);
});

const unsendable: { why: string; name?: string; options?: SendOptions }[] = [
  { why: "to many receivers", options: { keep: true } },
  { why: "with a text", options: { text: "hello" } },
  { why: "with patterns", options: { exclude: ["*.tmp"] } },
  { why: "in the standard profile", options: { profile: "standard" } },
  { why: "without a name", name: "" },
  { why: "under a path", name: "a/b" },
  { why: "as the folder above", name: ".." },
];

for (const { why, name = "a", options = {} } of unsendable) {
  test(`a stream is not sent ${why}`, async (t) => {
    const { alice } = await peers(t);
    const sending = alice.peer.send({ stream: chunks(Buffer.alloc(0), 1), name }, options);

    assert.equal(await codeOf(sending), "INVALID_ARGUMENT");
  });
}

test("of a stream no more is read than the sender may hold, until that is proven", async () => {
  const engine = openNativeEngine({ workerThreads: 1 });
  const chunk = Buffer.alloc(1024 * 1024);
  let readBytes = 0;
  async function* endless() {
    for (;;) {
      readBytes += chunk.length;
      yield chunk;
    }
  }
  const of = { engine, pieceBytes: chunk.length, mtimeMs: 0 };
  const bytes = new StreamedBytes({ stream: endless(), name: "a" }, of);
  let number = 0;
  // The first segment has two pieces.
  while ((number + 2) * chunk.length <= mostHeldStreamBytes) {
    assert.ok(await bytes.segment(number));
    number += 1;
  }

  const more = bytes.segment(number);
  const first = await Promise.race([more.then(() => "read"), new Promise(setImmediate)]);
  assert.notEqual(first, "read");
  assert.equal(readBytes, mostHeldStreamBytes);
  bytes.release(2 * chunk.length);
  assert.equal(bytes.releasedBytes, 2 * chunk.length);
  assert.ok(bytes.segmentAt(2 * chunk.length));
  assert.equal((await more)?.offset, mostHeldStreamBytes);
  await bytes.close();
});

/** Spoils pieces as they are sent, by the number of each. */
function spoilPieces(t: TestContext, isSpoilt: (n: number) => boolean): void {
  const write = Pipe.prototype.write;
  const head = Buffer.alloc(5);
  head.writeUInt32BE(piece, 1);
  let count = 0;
  t.mock.method(Pipe.prototype, "write", function (this: Pipe, bytes: Uint8Array) {
    const isPiece = bytes.length === piece + 5 + 32 && head.equals(bytes.subarray(0, 5));
    if (!isPiece || !isSpoilt(count++)) return write.call(this, bytes);
    const spoilt = Buffer.from(bytes);
    spoilt.writeUInt8(spoilt.readUInt8(100) ^ 1, 100);
    return write.call(this, spoilt);
  });
}

/** Resolves when a transfer has told of so many bytes. */
async function provenBytes(of: Transfer, bytes: number): Promise<void> {
  for await (const event of of) if (event.type === "progress" && event.bytes >= bytes) return;
}
