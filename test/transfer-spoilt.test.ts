/** Pieces that are spoilt on the way are asked for again, alone. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Pipe } from "../src/engine/memory-pipe.ts";
import { blake3, paths, peers, random, smallTables, transfer } from "./peers.ts";

const tuning = smallTables;
const options = { alice: { tuning }, bob: { tuning } };

for (const profile of ["ultra", "standard"] as const) {
  test(`S6: a piece of ${profile} that is spoilt on the way is asked for again alone`, async (t) => {
    const { alice, bob } = await peers(t, options);
    const content = random(200_000);
    await alice.write("large.bin", content);
    const wire = spoilPieces(t, { pieceBytes: 4096, isSpoilt: (n) => n === 7 });

    const { sent, received } = await transfer({ alice, bob }, ["large.bin"], {
      send: { profile },
    });

    assert.equal(wire.pieces, 48 + 1);
    assert.equal([...received.files][0]?.blake3, blake3(content));
    assert.deepEqual([...sent.files], [...received.files]);
    assert.deepEqual(await bob.read("inbox/large.bin"), content);
  });
}

test("several spoilt pieces are each asked for again", async (t) => {
  const { alice, bob } = await peers(t, options);
  await alice.write("large.bin", random(200_000));
  const wire = spoilPieces(t, { pieceBytes: 4096, isSpoilt: (n) => n % 10 === 3 });

  await transfer({ alice, bob }, ["large.bin"]);

  assert.ok(wire.pieces > 48 + 5, String(wire.pieces));
  assert.deepEqual(await bob.read("inbox/large.bin"), await alice.read("large.bin"));
});

test("a small file that is spoilt on the way is asked for again alone", async (t) => {
  const { alice, bob } = await peers(t, options);
  for (let n = 0; n < 20; n += 1) await alice.write(`many/${n}`, random(700));
  const wire = spoilPieces(t, { pieceBytes: 700, isSpoilt: (n) => n === 5 });

  await transfer({ alice, bob }, ["many"]);

  assert.equal(wire.pieces, 21);
  assert.equal((await paths(bob)).length, 21);
  assert.deepEqual(await bob.read("inbox/many/4"), await alice.read("many/4"));
});

test("a piece that is always spoilt fails its file alone", async (t) => {
  const { alice, bob } = await peers(t, options);
  await alice.write("folder/large.bin", random(200_000));
  await alice.write("folder/other.bin", random(700));
  spoilPieces(t, { pieceBytes: 4096, isSpoilt: () => true });

  const { sent, received } = await transfer({ alice, bob }, ["folder"]);

  assert.deepEqual(
    [...received.files].map(({ path, status, code }) => [path, status, code]),
    [
      ["folder/large.bin", "failed", "CONTENT_MISMATCH"],
      ["folder/other.bin", "received", undefined],
    ],
  );
  assert.deepEqual([...sent.files], [...received.files]);
  assert.deepEqual(await paths(bob), ["folder", "folder/other.bin"]);
});

/** Flips a bit in pieces of a size while they are on the wire; `isSpoilt` gets the piece's number. */
function spoilPieces(
  t: TestContext,
  { pieceBytes, isSpoilt }: { pieceBytes: number; isSpoilt: (n: number) => boolean },
): { pieces: number } {
  const wire = { pieces: 0 };
  const { write } = Pipe.prototype;
  t.mock.method(Pipe.prototype, "write", async function (this: Pipe, bytes: Uint8Array) {
    // Codec and length before the bytes, the value after them.
    if (bytes.length === 5 + pieceBytes + 32) {
      wire.pieces += 1;
      bytes[100] = (bytes[100] ?? 0) ^ (isSpoilt(wire.pieces) ? 1 : 0);
    }
    await write.call(this, bytes);
  });
  return wire;
}
