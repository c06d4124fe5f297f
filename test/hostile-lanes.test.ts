/** Senders that break the rules of lanes and pieces: nothing of theirs is left. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { zstdCompressSync } from "node:zlib";
import { assertUnharmed, transferOf, victims } from "./hostile-victims.ts";
import { blake3, codeOf, paths, random } from "./peers.ts";
import {
  bundleHeader,
  file,
  folder,
  laneHeader,
  piece,
  pieceHead,
  pieceHeader,
  RawPeer,
  runHeader,
  spoiltPiece,
  standard,
  wire,
} from "./raw-peer.ts";

const KiB = 1024;
const a = random(KiB);
const b = random(KiB);
const small = random(10);

/** What the hostile lanes are about: a file of three pieces, a small one, and a folder. */
const entries = [file("large.bin", 2 * KiB + 10), file("small.bin", 10), folder("folder")];
const last = random(10);
const content = Buffer.concat([a, b, last]);
const whole = runHeader({ entry: 0, offset: 0, length: content.length });
const pieces = [piece(a, 0), piece(b, KiB), piece(last, 2 * KiB)];

test("a sender that keeps to the document in ultra is served", async (t) => {
  const { bob, raw, transfer } = await accepted(t);

  await (await raw.lane(transfer, 0, whole, ...pieces)).finish();
  await (await raw.lane(transfer, 1, bundleHeader([1]), piece(small))).finish();
  await raw.say({ type: "done", transfer, lanes: 2 });

  const results = await raw.settle(transfer);
  assert.deepEqual(await bob.read("inbox/large.bin"), content);
  assert.deepEqual(await bob.read("inbox/small.bin"), small);
  assert.deepEqual(
    results.map(([entry, status, hash]) => [
      entry,
      status,
      Buffer.from(hash as Buffer).toString("hex"),
    ]),
    [
      [0, 0, blake3(content)],
      [1, 0, blake3(small)],
    ],
  );
});

test("a sender that keeps to the document in standard is served", async (t) => {
  const { bob, raw, transfer } = await accepted(t);

  const parts = pieces.flatMap((each, n) => [pieceHeader({ entry: 0, offset: n * KiB }), each]);
  const header = laneHeader(transfer, 0, standard);
  const stream = await raw.stream(
    header,
    ...parts,
    pieceHeader({ entry: 1, offset: 0 }),
    piece(small),
  );
  await stream.finish();
  await raw.say({ type: "done", transfer, lanes: 1 });

  await raw.settle(transfer);
  assert.deepEqual(await bob.read("inbox/large.bin"), content);
  assert.deepEqual(await bob.read("inbox/small.bin"), small);
});

const run = (entry: number, offset: number | bigint, length: number | bigint, pieceLog = 10) =>
  runHeader({ entry, offset, length, pieceLog });

/** A zstd piece of so many equal bytes. */
const encoded = (bytes: number) => {
  const frame = zstdCompressSync(Buffer.alloc(bytes)).subarray(0, KiB - 1);
  return Buffer.concat([pieceHead(2, frame.length), frame, Buffer.alloc(32)]);
};

const lanes: { why: string; parts: Uint8Array[] }[] = [
  { why: "a run of an entry that was not offered", parts: [run(99, 0, KiB), piece(a, 0)] },
  { why: "a run of a folder", parts: [run(2, 0, 0), piece(Buffer.alloc(0))] },
  { why: "a run beyond the end", parts: [run(0, 0, 3 * KiB), ...pieces] },
  { why: "a run that begins at the end", parts: [run(0, 3 * KiB, KiB), piece(a, 3 * KiB)] },
  { why: "a run far beyond the end", parts: [run(0, 2n ** 40n, KiB), piece(a, 0)] },
  { why: "an offset over 2^53", parts: [run(0, 2n ** 60n, KiB), piece(a, 0)] },
  { why: "a length over 2^53", parts: [run(0, 0, 2n ** 63n), piece(a, 0)] },
  { why: "a run that ends within a piece", parts: [run(0, 0, KiB + 1), ...pieces] },
  { why: "a run that begins within a piece", parts: [run(0, 1, KiB), piece(a, 0)] },
  { why: "an empty run of a file that is not empty", parts: [run(0, 0, 0)] },
  { why: "pieces of 512 bytes", parts: [run(0, 0, KiB, 9), piece(a, 0)] },
  { why: "pieces of 2^200 bytes", parts: [run(0, 0, KiB, 200), piece(a, 0)] },
  {
    why: "a run twice",
    parts: [run(0, 0, KiB), piece(a, 0), run(0, 0, KiB), piece(a, 0)],
  },
  {
    why: "overlapping runs",
    parts: [run(0, 0, 2 * KiB), piece(a, 0), piece(b, KiB), run(0, KiB, KiB), piece(b, KiB)],
  },
  {
    why: "two piece sizes for one file",
    parts: [run(0, 0, KiB), piece(a, 0), run(0, 2 * KiB, 10, 11), piece(last, 2 * KiB)],
  },
  { why: "a file again that is there", parts: [whole, ...pieces, whole, ...pieces] },
  {
    why: "a small file again that is there",
    parts: [bundleHeader([1]), piece(small), bundleHeader([1]), piece(small)],
  },
  { why: "a bundle with a file twice", parts: [bundleHeader([1, 1]), piece(small), piece(small)] },
  { why: "a bundle with a folder", parts: [bundleHeader([2]), piece(small)] },
  { why: "a bundle with an entry that was not offered", parts: [bundleHeader([77]), piece(small)] },
  {
    why: "a bundle with a file that comes in runs",
    parts: [run(0, 0, KiB), piece(a, 0), bundleHeader([0]), piece(content)],
  },
  { why: "a bundle of nothing", parts: [bundleHeader([], 0)] },
  { why: "a bundle of 5,000 files", parts: [bundleHeader([1], 5000), piece(small)] },
  { why: "a unit of an unknown kind", parts: [Buffer.alloc(22, 9)] },
  {
    why: "a piece of an unknown codec (H12: nothing is expanded)",
    parts: [whole, pieceHead(7, KiB), a],
  },
  { why: "an lz4 piece of nothing (H12)", parts: [whole, pieceHead(1, 0)] },
  { why: "a zstd piece that is no smaller (H12)", parts: [whole, pieceHead(2, KiB), a] },
  { why: "a zstd piece of 4 GiB (H12)", parts: [whole, pieceHead(2, 2 ** 32 - 1)] },
  { why: "an lz4 piece of garbage (H12)", parts: [whole, pieceHead(1, 40), random(72)] },
  { why: "a zstd piece of garbage (H12)", parts: [whole, pieceHead(2, 40), random(72)] },
  { why: "a zstd piece that grows past its size (H12)", parts: [whole, encoded(KiB + 1)] },
  { why: "a zstd bomb (H12)", parts: [whole, encoded(2 ** 24)] },
  { why: "a zstd piece that is too short (H12)", parts: [whole, encoded(KiB - 1)] },
  { why: "a zstd bomb in a bundle (H12)", parts: [bundleHeader([1]), encoded(2 ** 24)] },
  { why: "a piece that is too short", parts: [whole, piece(a.subarray(1), 0)] },
  { why: "a piece that is too long", parts: [whole, pieceHead(0, 2 ** 31)] },
  { why: "an absent piece with bytes", parts: [whole, pieceHead(255, 5)] },
  { why: "a unit's header cut short", parts: [whole.subarray(0, 9)] },
  { why: "a piece's header cut short", parts: [whole, pieceHead(0, KiB).subarray(0, 2)] },
  { why: "a piece cut short", parts: [whole, piece(a, 0).subarray(0, 500)] },
  { why: "a run without its last pieces", parts: [whole, piece(a, 0)] },
];

for (const { why, parts } of lanes) {
  test(`H1, H2: a lane with ${why} ends the transfer and leaves nothing`, async (t) => {
    const victim = await victims(t);
    const { bob, network } = victim;
    const raw = await RawPeer.greet(t, network, bob);
    const transfer = await raw.offer(entries);
    await raw.hear("accept");

    const lane = await raw.lane(transfer, 0, ...parts).catch(() => null);
    await lane?.finish();

    assert.equal(await codeOf(await transferOf(bob, transfer)), "INVALID_FRAME");
    const { code } = await raw.hear("cancel");
    assert.equal(code, wire.INVALID_FRAME);
    await assertUnharmed(t, victim);
  });
}

test("H1: a lane that comes before the answer ends the transfer", async (t) => {
  const answer = Promise.withResolvers<boolean>();
  const victim = await victims(t, { onOffer: () => answer.promise });
  const { bob, network } = victim;
  const raw = await RawPeer.greet(t, network, bob);
  const transfer = await raw.offer(entries);

  await raw.lane(transfer, 0, whole, ...pieces).catch(() => {});

  assert.equal(await codeOf(await transferOf(bob, transfer)), "INVALID_FRAME");
  answer.resolve(true);
  await assertUnharmed(t, victim);
});

test("H1: one lane number twice ends the transfer", async (t) => {
  const { victim, bob, raw, transfer } = await accepted(t);

  await raw.lane(transfer, 3);
  await raw.lane(transfer, 3);

  assert.equal(await codeOf(await transferOf(bob, transfer)), "INVALID_FRAME");
  await assertUnharmed(t, victim);
});

const ends = [
  { why: "done before the first piece", lanes: 0, parts: null },
  { why: "done before the last piece", lanes: 1, parts: [whole, ...pieces] },
];

for (const { why, lanes: said, parts } of ends) {
  test(`H2: ${why} ends the transfer and leaves nothing`, async (t) => {
    const victim = await victims(t);
    const { bob, network } = victim;
    const raw = await RawPeer.greet(t, network, bob);
    const transfer = await raw.offer(entries);
    await raw.hear("accept");

    if (parts) await (await raw.lane(transfer, 0, ...parts)).finish();
    await raw.say({ type: "done", transfer, lanes: said });

    assert.equal(await codeOf(await transferOf(bob, transfer)), "INVALID_FRAME");
    await assertUnharmed(t, victim);
  });
}

for (const [why, entry] of [
  ["a folder", 2],
  ["an entry that was not offered", 99],
] as const) {
  test(`H8: ${why} called absent ends the transfer and leaves nothing`, async (t) => {
    const victim = await victims(t);
    const { bob, network } = victim;
    const raw = await RawPeer.greet(t, network, bob);
    const transfer = await raw.offer(entries);
    await raw.hear("accept");

    await (await raw.lane(transfer, 0, whole, ...pieces)).finish();
    await raw.say({ type: "absent", transfer, failures: [[entry, 9, "gone"]] });
    await raw.say({ type: "done", transfer, lanes: 1 });

    assert.equal(await codeOf(await transferOf(bob, transfer)), "INVALID_FRAME");
    await assertUnharmed(t, victim);
  });
}

test("H9: a file that the receiver skips cannot be sent in place of another", async (t) => {
  const onOffer = () => ({ onConflict: "skip" as const });
  const victim = await victims(t, { onOffer });
  const { bob, network } = victim;
  await bob.write("inbox/small.bin", "precious");
  const raw = await RawPeer.greet(t, network, bob);
  const transfer = await raw.offer(entries);
  await raw.hear("accept");

  await (await raw.lane(transfer, 0, bundleHeader([1]), piece(small))).finish();
  await raw.say({ type: "done", transfer, lanes: 1 });

  assert.equal(await codeOf(await transferOf(bob, transfer)), "INVALID_FRAME");
  assert.deepEqual(await paths(bob), ["small.bin"]);
  assert.equal(String(await bob.read("inbox/small.bin")), "precious");
});

test("H9: a sender cannot take back a file that has landed", async (t) => {
  const { bob, raw, transfer } = await accepted(t);
  await (await raw.lane(transfer, 0, whole, ...pieces, bundleHeader([1]), piece(small))).finish();
  await raw.say({ type: "done", transfer, lanes: 1 });
  await raw.hear("receipt");

  await raw.say({ type: "absent", transfer, failures: [[0, 9, "never mind"]] });
  await raw.say({ type: "settled", transfer });

  const { files } = await (await transferOf(bob, transfer)).done;
  assert.deepEqual(
    [...files].map(({ status }) => status),
    ["received", "received"],
  );
  assert.deepEqual(await bob.read("inbox/large.bin"), content);
});

test("H2: a piece that never comes right fails its file, and the others arrive", async (t) => {
  const { bob, raw, transfer } = await accepted(t);

  const bad = [whole, piece(a, 0), spoiltPiece(b), piece(last, 2 * KiB)];
  await (await raw.lane(transfer, 0, ...bad, bundleHeader([1]), piece(small))).finish();
  await raw.say({ type: "done", transfer, lanes: 1 });
  let lanesOpened = 1;
  let wants = 0;
  for (;;) {
    const message = await raw.hear("want", "results");
    if (message["type"] === "results") break;
    wants += 1;
    assert.deepEqual([message["entry"], message["offset"], message["length"]], [0, KiB, KiB]);
    await (await raw.lane(transfer, lanesOpened, run(0, KiB, KiB), spoiltPiece(b))).finish();
    lanesOpened += 1;
    await raw.say({ type: "done", transfer, lanes: lanesOpened });
  }
  await raw.say({ type: "settled", transfer });

  const { files } = await (await transferOf(bob, transfer)).done;
  assert.ok(wants > 0 && wants < 10);
  assert.deepEqual(
    [...files].map(({ path, status, code }) => [path, status, code]),
    [
      ["large.bin", "failed", "CONTENT_MISMATCH"],
      ["small.bin", "received", undefined],
    ],
  );
  assert.deepEqual(await paths(bob), ["folder", "small.bin"]);
});

test("H2: a piece that comes right the second time is taken", async (t) => {
  const victim = await victims(t);
  const { bob, network } = victim;
  const raw = await RawPeer.greet(t, network, bob);
  const transfer = await raw.offer([entries[0] ?? []]);
  await raw.hear("accept");

  await (
    await raw.lane(transfer, 0, whole, piece(a, 0), spoiltPiece(b), piece(last, 2 * KiB))
  ).finish();
  await raw.say({ type: "done", transfer, lanes: 1 });
  await raw.hear("want");
  await (await raw.lane(transfer, 1, run(0, KiB, KiB), piece(b, KiB))).finish();
  await raw.say({ type: "done", transfer, lanes: 2 });

  await raw.settle(transfer);
  assert.deepEqual(await bob.read("inbox/large.bin"), content);
});

const strays = [
  { why: "a lane of a transfer that nobody knows", bytes: laneHeader(random(16), 0, 2) },
  { why: "a lane with a number beyond all lanes", bytes: laneHeader(random(16), 5000, 2) },
  { why: "a stream of no known kind", bytes: Buffer.from("GET / HTTP/1.1\r\n\r\n") },
  { why: "a stream that ends in its first bytes", bytes: Buffer.from("QV") },
  { why: "a lane that ends in its header", bytes: Buffer.from("QVR\x02half") },
  { why: "progress of a transfer that nobody knows", bytes: Buffer.alloc(20, "QVP\x01") },
];

for (const { why, bytes } of strays) {
  test(`H1: ${why} is dropped, and the session lives`, async (t) => {
    const victim = await victims(t);
    const { bob, network } = victim;
    const raw = await RawPeer.greet(t, network, bob);

    await (await raw.stream(bytes)).finish();

    const transfer = await raw.offer([folder("later")]);
    await raw.hear("accept");
    await raw.say({ type: "done", transfer, lanes: 0 });
    await raw.settle(transfer);
    assert.deepEqual(await paths(bob), ["later"]);
  });
}

test("H2: pieces of a file that was called absent are passed over, and the others arrive", async (t) => {
  const { bob, raw, transfer } = await accepted(t);
  const absent = pieceHead(255, 0);

  await (await raw.lane(transfer, 0, run(0, 0, KiB), absent, run(0, KiB, KiB), absent)).finish();
  await raw.say({ type: "absent", transfer, failures: [[0, 9, "no permission"]] });
  await (await raw.lane(transfer, 1, run(0, 2 * KiB, 10), piece(last, 2 * KiB))).finish();
  await (await raw.lane(transfer, 2, bundleHeader([1]), piece(small))).finish();
  await raw.say({ type: "done", transfer, lanes: 3 });

  const results = await raw.settle(transfer);
  assert.deepEqual(
    results.map(([entry, status, , , code]) => [entry, status, code]),
    [
      [0, 2, 9],
      [1, 0, 0],
    ],
  );
  assert.deepEqual(await paths(bob), ["folder", "small.bin"]);
});

test("H4: a lane that the sender abandons ends the transfer and leaves nothing", async (t) => {
  const { victim, bob, raw, transfer } = await accepted(t);

  (await raw.lane(transfer, 0, whole, piece(a, 0))).reset(wire.CANCELLED);

  assert.equal(await codeOf(await transferOf(bob, transfer)), "CANCELLED");
  await assertUnharmed(t, victim);
});

/** A hostile sender whose offer of {@link entries} was accepted. */
async function accepted(t: TestContext) {
  const victim = await victims(t);
  const { bob, network } = victim;
  const raw = await RawPeer.greet(t, network, bob);
  const transfer = await raw.offer(entries);
  await raw.hear("accept");
  return { victim, bob, raw, transfer };
}
