/** Receivers that lie, stall or ask without end: the sender's other transfers go on. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Connection, ReceiveStream, SendStream } from "../src/engine/engine.ts";
import { defaultTuning } from "../src/index.ts";
import { assertStillSends, senderVictim } from "./hostile-victims.ts";
import { codeOf, eventOf, eventsOf, memorySide } from "./peers.ts";
import { cbor, frame, head, type Message, type Value, wire } from "./raw-peer.ts";

/** What a hostile receiver answers to an offer of one file of 5,000 bytes in a folder. */
const answers: { row: string; why: string; says: (transfer: Uint8Array) => Message[] }[] = [
  {
    row: "H8",
    why: "wants an entry that was not offered",
    says: (transfer) => [{ type: "want", transfer, entry: 9, offset: 0, length: 1024 }],
  },
  {
    row: "H8",
    why: "wants a folder",
    says: (transfer) => [{ type: "want", transfer, entry: 0, offset: 0, length: 1024 }],
  },
  {
    row: "H8",
    why: "wants bytes beyond the end",
    says: (transfer) => [{ type: "want", transfer, entry: 1, offset: 65_536, length: 65_536 }],
  },
  {
    row: "H8",
    why: "wants 8 PB",
    says: (transfer) => [
      { type: "want", transfer, entry: 1, offset: 0, length: Number.MAX_SAFE_INTEGER },
    ],
  },
  {
    row: "H8",
    why: "wants a part of a piece",
    says: (transfer) => [{ type: "want", transfer, entry: 1, offset: 1, length: 10 }],
  },
  {
    row: "H1",
    why: "refuses a lane that it cannot have seen",
    says: (transfer) => [{ type: "refuse", transfer, lane: 700, code: 14, reason: "" }],
  },
  {
    row: "H2",
    why: "gives a receipt that names no file",
    says: (transfer) => [{ type: "receipt", transfer, bytes: 0, seconds: 0 }],
  },
  {
    row: "H8",
    why: "gives results of an entry that was not offered",
    says: (transfer) => [
      { type: "results", transfer, files: [[9, 0, Buffer.alloc(32), "", 0, ""]] },
    ],
  },
  {
    row: "H1",
    why: "gives results out of order",
    says: (transfer) => [
      { type: "results", transfer, files: [[1, 0, Buffer.alloc(32), "", 0, ""]] },
      { type: "results", transfer, files: [[0, 2, Buffer.alloc(0), "", 5, ""]] },
    ],
  },
  {
    row: "H8",
    why: "says of more files than were offered that they arrived",
    says: (transfer) => [{ type: "arrived", transfer, runs: [[1, Buffer.alloc(64)]] }],
  },
  {
    row: "H1",
    why: "says twice of a file that it arrived",
    says: (transfer) => [
      { type: "results", transfer, files: [[1, 0, Buffer.alloc(32), "", 0, ""]] },
      { type: "arrived", transfer, runs: [[1, Buffer.alloc(32)]] },
    ],
  },
  {
    row: "H1",
    why: "offers in the middle of it",
    says: (transfer) => [{ type: "offer", transfer, targetDir: "", profile: "ultra" }],
  },
  {
    row: "H1",
    why: "accepts twice",
    says: (transfer) => [{ type: "accept", transfer }],
  },
  {
    row: "H1",
    why: "skips after it has accepted",
    says: (transfer) => [{ type: "skip", transfer, runs: [[0, 1]] }],
  },
];

for (const { row, why, says } of answers) {
  test(`${row}: a receiver that ${why} ends the transfer with INVALID_FRAME`, async (t) => {
    const victim = await senderVictim(t);
    const { raw, sending, transfer } = victim;

    await raw.say({ type: "accept", transfer });
    for (const message of says(transfer)) await raw.say(message as { [key: string]: Value });

    assert.equal(await codeOf(sending), "INVALID_FRAME");
    assert.equal((await raw.hear("cancel"))["code"], wire.INVALID_FRAME);
    await assertStillSends(t, victim);
  });
}

const early: { row: string; why: string; says: Message }[] = [
  { row: "H8", why: "skips beyond the last entry", says: { type: "skip", runs: [[1, 9_999_999]] } },
  {
    row: "H2",
    why: "has a receipt before anything",
    says: { type: "receipt", bytes: 1, seconds: 0 },
  },
  {
    row: "H8",
    why: "wants before it accepts",
    says: { type: "want", entry: 1, offset: 0, length: 5000 },
  },
];

for (const { row, why, says } of early) {
  test(`${row}: a receiver that ${why} ends the transfer with INVALID_FRAME`, async (t) => {
    const victim = await senderVictim(t);
    const { raw, sending, transfer } = victim;

    await raw.say({ ...says, transfer } as { [key: string]: Value });

    assert.equal(await codeOf(sending), "INVALID_FRAME");
    await assertStillSends(t, victim);
  });
}

const broken: { why: string; bytes: Uint8Array }[] = [
  { why: "a frame over the limit", bytes: frame(Buffer.alloc(10), 1024 * 1024 + 1) },
  { why: "no CBOR", bytes: frame(Buffer.from("yes please")) },
  { why: "a list of 2^60 items", bytes: frame(head(4, 2n ** 60n)) },
  { why: "a second hello", bytes: frame(cbor({ type: "hello" })) },
];

for (const { why, bytes } of broken) {
  test(`H1: a receiver that answers with ${why} ends its session, and no other`, async (t) => {
    const victim = await senderVictim(t);
    const { raw, sending } = victim;

    await raw.write(bytes);

    assert.equal(await codeOf(sending), "INVALID_FRAME");
    assert.equal((await raw.connection.closed()).code, wire.INVALID_FRAME);
    await assertStillSends(t, victim);
  });
}

test("H2: a receiver that lies about the hash is found out", async (t) => {
  const { raw, sending, transfer } = await senderVictim(t);
  await raw.say({ type: "accept", transfer });
  await raw.hear("done");

  await raw.say({ type: "results", transfer, files: [[1, 0, Buffer.alloc(32), "", 0, ""]] });
  await raw.say({ type: "receipt", transfer, bytes: 5000, seconds: 1 });

  const [file] = (await sending.done).files;
  assert.deepEqual([file?.status, file?.code], ["failed", "CONTENT_MISMATCH"]);
});

test("H4: a receiver that never answers keeps nobody else waiting, and can be left", async (t) => {
  const victim = await senderVictim(t);

  await assertStillSends(t, victim);
  victim.sending.cancel();

  assert.equal(await codeOf(victim.sending), "CANCELLED");
});

test("H4: a receiver that reads no lane keeps nobody else waiting, and can be left", async (t) => {
  const victim = await senderVictim(t);
  const { raw, sending, transfer } = victim;
  await raw.say({ type: "accept", transfer });
  await eventOf(sending, "lanes");

  await assertStillSends(t, victim);
  sending.cancel();

  assert.equal(await codeOf(sending), "CANCELLED");
});

test("H4: a receiver that goes away in the middle ends its transfer alone", async (t) => {
  const victim = await senderVictim(t);
  const { raw, sending, transfer } = victim;
  await raw.say({ type: "accept", transfer });
  await eventOf(sending, "lanes");

  raw.connection.close(0, "");

  assert.equal(await codeOf(sending), "CONNECTION_LOST");
  await assertStillSends(t, victim);
});

test("H10: a receiver that wants a piece without end is left", async (t) => {
  const victim = await senderVictim(t);
  const { raw, sending, transfer } = victim;
  await raw.say({ type: "accept", transfer });
  const want = { type: "want", transfer, entry: 1, offset: 0, length: 5000 };

  const reading = readLanes(raw.connection);
  for (;;) {
    const message = await raw.hear("done", "cancel");
    if (message["type"] === "cancel") break;
    await raw.say(want);
  }

  raw.connection.close(0, "");

  assert.equal(await codeOf(sending), "CONTENT_MISMATCH");
  assert.ok((await reading) <= 1024);
  await assertStillSends(t, victim);
});

test("H11: a receiver that says it takes 65,535 lanes is sent no more than this side opens", async (t) => {
  const { raw, sending, transfer } = await senderVictim(t, { maxLanes: 65_535 });

  await raw.say({ type: "accept", transfer });

  const { lanes } = await eventOf(sending, "lanes");
  assert.ok(lanes <= defaultTuning.maxLanes);
  sending.cancel();
});

test("H11: progress beyond all that was offered is cut to it", async (t) => {
  const { raw, sending, transfer } = await senderVictim(t);
  await raw.say({ type: "accept", transfer });
  const bytes = Number.MAX_SAFE_INTEGER;

  const stream = await raw.stream(Buffer.from("QVP\x01"), transfer);
  await stream.write(frame(cbor({ bytes, files: 1, lanes: [bytes], current: [] })));

  const progress = await eventOf(sending, "progress");
  assert.equal(progress.bytes, 5000);
  sending.cancel();
});

const ramblings: { why: string; body: Uint8Array }[] = [
  { why: "no CBOR", body: Buffer.from("fine") },
  { why: "negative bytes", body: cbor({ bytes: -1, files: 0, lanes: [], current: [] }) },
  {
    why: "5,000 lanes",
    body: cbor({ bytes: 0, files: 0, lanes: Array(5000).fill(1), current: [] }),
  },
];

for (const { why, body } of ramblings) {
  test(`H1: progress with ${why} is heard no more, and the transfer goes on`, async (t) => {
    const { raw, sending, transfer } = await senderVictim(t);
    await raw.say({ type: "accept", transfer });

    const stream = await raw.stream(Buffer.from("QVP\x01"), transfer, frame(body));
    await assert.rejects(writeOn(stream), { code: "INVALID_FRAME" });

    await raw.say({ type: "results", transfer, files: [[1, 2, Buffer.alloc(0), "", 8, "full"]] });
    await raw.say({ type: "receipt", transfer, bytes: 0, seconds: 1 });
    const [file] = (await sending.done).files;
    assert.deepEqual([file?.status, file?.code], ["failed", "DISK_FULL"]);
  });
}

test("H9: whatever a receiver says of its names, the source stays as it is", async (t) => {
  const victim = await senderVictim(t);
  const { raw, sending, transfer, alice } = victim;
  await raw.say({ type: "accept", transfer });
  const away = "../../../home/album/a.bin";

  await raw.say({ type: "results", transfer, files: [[1, 1, Buffer.alloc(0), away, 0, ""]] });
  await raw.say({ type: "receipt", transfer, bytes: 0, seconds: 1 });

  await sending.done;
  assert.equal((await alice.read("album/a.bin")).length, 5000);
  await assertStillSends(t, victim);
});

test("H4: a receiver under a ticket that stalls does not keep a --keep sender from others", async (t) => {
  const { alice, network } = await senderVictim(t);
  const sending = alice.peer.send(alice.at("album"), { keep: true });
  const { ticket } = await eventOf(sending, "ready");
  const stalled = await memorySide(t, network);
  const never = stalled.peer.receive(ticket, { accept: () => new Promise(() => {}) });
  await eventOf(never, "offer");

  const bob = await memorySide(t, network);
  await bob.peer.receive(ticket).done;

  assert.deepEqual(await bob.read("inbox/album/a.bin"), await alice.read("album/a.bin"));
  sending.cancel();
});

const paces: { why: string; says: Message }[] = [
  { why: "a state that nobody knows", says: { state: "resting", limit: 0 } },
  { why: "a limit below nothing", says: { state: "moving", limit: -1 } },
  { why: "half a byte a second", says: { state: "moving", limit: 0.5 } },
  { why: "no limit at all", says: { state: "moving" } },
];

for (const { why, says } of paces) {
  test(`H1: a pace with ${why} ends the session, and no other`, async (t) => {
    const victim = await senderVictim(t, { features: ["pace"] });
    const { raw, sending, transfer } = victim;

    await raw.say({ type: "pace", transfer, ...says } as { [key: string]: Value });

    assert.equal(await codeOf(sending), "INVALID_FRAME");
    assert.equal((await raw.connection.closed()).code, wire.INVALID_FRAME);
    await assertStillSends(t, victim);
  });
}

test("H10: a receiver that pauses and resumes without end leaves no trail in memory", async (t) => {
  const victim = await senderVictim(t, { features: ["pace"] });
  const { raw, sending, transfer } = victim;
  await raw.say({ type: "accept", transfer });
  const stream = await raw.stream(Buffer.from("QVP\x01"), transfer);

  for (let n = 0; n < 1000; n += 1) {
    await raw.say({ type: "pace", transfer, state: n % 2 ? "moving" : "paused", limit: n });
    await stream.write(frame(cbor({ bytes: n, files: 0, lanes: [n], current: [] })));
  }
  await raw.say({ type: "want", transfer, entry: 9, offset: 0, length: 0 });

  assert.equal(await codeOf(sending), "INVALID_FRAME");
  const told = (await eventsOf(sending)).length;
  assert.ok(told < 20, `${told} events`);
});

test("H4: a pace of a transfer that nobody knows is late, not wrong", async (t) => {
  const victim = await senderVictim(t, { features: ["pace"] });
  const { raw, sending, transfer } = victim;

  await raw.say({ type: "pace", transfer: Buffer.alloc(16), state: "paused", limit: 5 });
  await raw.say({ type: "accept", transfer });

  await raw.hear("done");
  sending.cancel();
  await assertStillSends(t, victim);
});

test("H4: a peer that knows nothing of pace is told nothing of it", async (t) => {
  const { raw, sending, transfer } = await senderVictim(t);
  sending.limit(5_000_000);
  sending.pause();
  sending.resume();
  await raw.say({ type: "accept", transfer });

  assert.equal((await raw.hear("pace", "done"))["type"], "done");
  sending.cancel();
});

/** Reads all lanes until the connection ends; returns how many there were. */
async function readLanes(connection: Connection): Promise<number> {
  for (let lanes = 0; ; lanes += 1) {
    const stream = await connection.acceptUnidirectional().catch(() => null);
    if (!stream) return lanes;
    void readToEnd(stream).catch(() => {});
  }
}

async function readToEnd(stream: ReceiveStream): Promise<void> {
  // A stream that ends between two reads of so many bytes is at its end, too.
  while (await stream.read(1000));
}

/** Writes until the stream is refused. */
async function writeOn(stream: SendStream): Promise<never> {
  for (;;) {
    await stream.write(Buffer.of(0));
    await setImmediate();
  }
}
