/** Files of every awkward size arrive whole. */

import assert from "node:assert/strict";
import { open, truncate } from "node:fs/promises";
import { test } from "node:test";
import { defaultTuning } from "../src/index.ts";
import { blake3, nativePeers, peers, random, smallTables, transfer } from "./peers.ts";

const KiB = 1024;
const MiB = 1024 * KiB;

const edges = [
  { bytes: 0, why: "an empty file is still a file" },
  { bytes: 1, why: "the least that has a byte" },
  { bytes: 1 * KiB - 1, why: "a byte less than a piece: bundled" },
  { bytes: 1 * KiB, why: "exactly a piece: bundled" },
  { bytes: 1 * KiB + 1, why: "a byte more than a piece: a run" },
  { bytes: 8 * KiB - 1, why: "eight pieces, the last one cut" },
  { bytes: 8 * KiB, why: "eight pieces: eight ranges" },
  { bytes: 8 * KiB + 1, why: "nine pieces" },
  { bytes: 10 * KiB, why: "the last size with the smallest pieces" },
  { bytes: 10 * KiB + 1, why: "the first size with larger pieces" },
  { bytes: 100 * KiB - 1, why: "before a row of the piece table" },
  { bytes: 100 * KiB, why: "a row of the piece table" },
  { bytes: 100 * KiB + 1, why: "after a row of the piece table" },
  { bytes: 128 * KiB, why: "a row of the range table" },
  { bytes: 128 * KiB + 1, why: "after a row of the range table" },
  { bytes: 256 * KiB, why: "exactly eight ranges" },
  { bytes: 256 * KiB + 1, why: "eight ranges and a byte" },
];

for (const profile of ["ultra", "standard"] as const) {
  for (const { bytes, why } of edges) {
    test(`${profile} carries a file of ${bytes} bytes: ${why}`, async (t) => {
      const tuning = smallTables;
      const { alice, bob } = await peers(t, { alice: { tuning }, bob: { tuning } });
      const content = random(bytes);
      await alice.write("file.bin", content);

      const { received } = await transfer({ alice, bob }, ["file.bin"], { send: { profile } });

      assert.deepEqual(await bob.read("inbox/file.bin"), content);
      assert.deepEqual(
        [...received.files],
        [{ path: "file.bin", size: bytes, blake3: blake3(content), status: "received" }],
      );
    });
  }
}

const realEdges = [
  { bytes: 0, why: "an empty file" },
  { bytes: 1, why: "one byte" },
  { bytes: 64 * KiB - 1, why: "before a piece" },
  { bytes: 64 * KiB, why: "exactly a piece" },
  { bytes: 64 * KiB + 1, why: "after a piece" },
  { bytes: 10 * MiB - 1, why: "before a row of the piece table" },
  { bytes: 10 * MiB, why: "a row of the piece table" },
  { bytes: 10 * MiB + 1, why: "after a row of the piece table" },
];

for (const { bytes, why } of realEdges) {
  test(`the native engine carries ${bytes} bytes with their hash: ${why}`, async (t) => {
    const { alice, bob } = await nativePeers(t);
    const content = random(bytes);
    await alice.write("file.bin", content);

    const { received } = await transfer({ alice, bob }, ["file.bin"]);

    assert.ok((await bob.read("inbox/file.bin")).equals(content));
    assert.equal([...received.files][0]?.blake3, blake3(content));
  });
}

for (const bytes of [100 * MiB - 1, 100 * MiB + 1]) {
  test(`the native engine carries a sparse file of ${bytes} bytes`, async (t) => {
    const { alice, bob } = await nativePeers(t);
    await alice.write("sparse.img", "");
    await truncate(alice.at("sparse.img"), bytes);
    const mark = random(16);
    const file = await open(alice.at("sparse.img"), "r+");
    await file.write(mark, 0, mark.length, bytes - mark.length);
    await file.close();

    const { sent, received } = await transfer({ alice, bob }, ["sparse.img"]);

    const arrived = await bob.read("inbox/sparse.img");
    assert.equal(arrived.length, bytes);
    assert.deepEqual(arrived.subarray(-mark.length), mark);
    assert.equal(received.bytes, bytes);
    assert.equal([...received.files][0]?.status, "received");
    assert.equal([...received.files][0]?.blake3, [...sent.files][0]?.blake3);
  });
}

test("the tables are those of the specification", () => {
  const rows = (table: typeof defaultTuning.pieceTable) =>
    table.map(({ upTo, bytes }) => [upTo / MiB, bytes / KiB]);
  assert.deepEqual(rows(defaultTuning.pieceTable), [
    [10, 64],
    [100, 256],
    [1024, 512],
    [Number.POSITIVE_INFINITY, 1024],
  ]);
  assert.deepEqual(rows(defaultTuning.rangeTable), [
    [1024, 32 * 1024],
    [4096, 64 * 1024],
    [16_384, 128 * 1024],
    [Number.POSITIVE_INFINITY, 256 * 1024],
  ]);
});
