/** The contract of encoded pieces: what arrives is what was sent, and a piece never grows past its size. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { Codec, Coding } from "../src/codec.ts";
import { encodeLz4 } from "../src/engine/memory-lz4.ts";
import { atEnd } from "./ending.ts";
import type { MakeMachines } from "./engine-contract.ts";
import { patterned } from "./engine-contract.ts";
import { PIECE, startTransfer, type Transfer, wholeRun } from "./engine-contract-runs.ts";
import { lane } from "./engine-contract-streams.ts";
import { random } from "./peers.ts";
import { piece, pieceHead } from "./raw-peer.ts";

const codings: readonly Coding[] = [
  { codec: "lz4", level: 0 },
  { codec: "zstd", level: 1 },
  { codec: "zstd", level: 19 },
];

/** Declares the tests for one engine. */
export function codecContract(engine: string, make: MakeMachines): void {
  for (const coding of codings) {
    const name = `${coding.codec} of level ${coding.level}`;

    test(`${engine}: a run in ${name} arrives in fewer bytes, and is counted`, async (t) => {
      const content = Buffer.alloc(3 * PIECE + 9, "to and fro, ");
      const transfer = await startTransfer(t, make, content);

      const { sent, received, send } = await passEncoded(transfer, coding);

      assert.deepEqual([received.absentFrom, received.bad, received.failure], [4, [], null]);
      assert.ok(Buffer.from(sent.values).equals(received.values));
      assert.deepEqual(Buffer.from(await transfer.arrived()), content);
      const { rawBytes, sentBytes, encodeMs } = send.encoded;
      assert.equal(rawBytes, content.length);
      assert.equal(send.sentBytes, 1 + sentBytes + 4 * overhead);
      assert.ok(sentBytes < content.length / 2, `${sentBytes} bytes`);
      assert.ok(encodeMs > 0);
    });

    test(`${engine}: pieces that ${name} cannot make smaller travel as they are`, async (t) => {
      const content = random(2 * PIECE);
      const transfer = await startTransfer(t, make, content);

      const { received, send } = await passEncoded(transfer, coding);

      assert.equal(received.absentFrom, 2);
      assert.deepEqual(Buffer.from(await transfer.arrived()), content);
      assert.equal(send.encoded.sentBytes, content.length);
    });

    test(`${engine}: an empty file and one of a byte travel in ${name}`, async (t) => {
      for (const bytes of [0, 1]) {
        const transfer = await startTransfer(t, make, patterned(bytes));

        const { received } = await passEncoded(transfer, coding);

        assert.deepEqual([received.absentFrom, received.bad], [1, []]);
      }
    });

    test(`${engine}: a file that shrank is sent in ${name} up to there`, async (t) => {
      const content = Buffer.alloc(4 * PIECE, "to and fro, ");
      const transfer = await startTransfer(t, make, content);
      await transfer.alice.disk.put(transfer.path, content.subarray(0, 2 * PIECE + 1));

      const { sent, received } = await passEncoded(transfer, coding);

      assert.ok(sent.failure);
      assert.deepEqual([received.absentFrom, received.bad], [2, []]);
    });

    test(`${engine}: small files travel in ${name}, each by itself`, async (t) => {
      const { near, far, alice, inbox } = await startTransfer(t, make, patterned(1));
      const from = await alice.disk.makeFolder();
      const contents = [Buffer.alloc(5000, "small, "), random(300), Buffer.alloc(0)];
      for (const [at, bytes] of contents.entries()) {
        await alice.disk.put(`${from}/${at}`, bytes, 1000);
      }
      const folder = await alice.engine.openFolder(from);
      atEnd(t, () => folder.close());
      const files = contents.map((bytes, at) => {
        return { path: String(at), bytes: bytes.length, mtimeMs: 1000, mode: 0o600 };
      });
      const { send, receive } = await lane(near, far, Uint8Array.of(1));
      send.setCoding(coding);
      receive.takeCodecs([coding.codec]);
      await receive.read(1);

      const sending = send.sendBundle(Uint8Array.of(), folder, files);
      const received = await receive.receiveBundle(inbox, files);
      await sending;

      assert.deepEqual(
        received.map(({ status }) => status),
        ["ok", "ok", "ok"],
      );
      assert.ok(send.sentBytes < 1 + 5300 + 3 * overhead);
    });

    test(`${engine}: a piece in ${name} that was not agreed on is malformed`, async (t) => {
      const content = Buffer.alloc(PIECE, 7);
      const other: Codec = coding.codec === "lz4" ? "zstd" : "lz4";

      for (const taken of [[], ["none"], [other]] as const) {
        const receiving = receiveRaw(t, make, { bytes: rawPiece(content, coding.codec), taken });
        await assert.rejects(receiving, { code: "INVALID_FRAME" });
      }
    });
  }

  for (const codec of ["lz4", "zstd"] as const) {
    for (const { bytes, why } of malformedIn(codec)) {
      test(`${engine}: S14: a ${codec} piece is refused that is ${why}`, async (t) => {
        const receiving = receiveRaw(t, make, { bytes, taken: [codec] });

        await assert.rejects(receiving, { code: "INVALID_FRAME" });
      });
    }

    test(`${engine}: a ${codec} piece of other bytes than its value says is bad`, async (t) => {
      const content = Buffer.alloc(PIECE, 7);
      const bytes = rawPiece(content, codec);
      bytes.set([(bytes.at(-1) ?? 0) ^ 1], bytes.length - 1);

      const received = await receiveRaw(t, make, { bytes, taken: [codec] });

      assert.deepEqual([received.absentFrom, received.bad], [1, [0]]);
    });
  }

  test(`${engine}: a zstd piece is one frame that any reader of zstd can read`, async (t) => {
    const content = Buffer.alloc(PIECE, "to and fro, ");
    const { near, far, source } = await startTransfer(t, make, content);
    const { send, receive } = await lane(near, far, Uint8Array.of(1));
    await receive.read(1);
    send.setCoding({ codec: "zstd", level: 3 });

    const sending = send.sendRun(Uint8Array.of(), source, wholeRun(PIECE));
    const header = Buffer.from((await receive.read(5)) ?? []);
    const frame = await receive.read(header.readUInt32BE(1));
    await sending;

    assert.equal(header[0], 2);
    assert.deepEqual(zstdDecompressSync(frame ?? Buffer.of()), content);
  });

  for (const codec of ["lz4", "zstd"] as const) {
    test(`${engine}: the ${codec} piece of docs/protocol.md is read`, async (t) => {
      const { near, far, partial, arrived } = await startTransfer(t, make, Buffer.alloc(30));
      const { send, receive } = await lane(near, far, Uint8Array.of(1));
      await receive.read(1);
      receive.takeCodecs([codec]);
      await send.write(documented(codec));

      const { bad, absentFrom } = await receive.receiveRun(partial, wholeRun(30));

      assert.deepEqual([absentFrom, bad], [1, []]);
      assert.equal(Buffer.from(await arrived()).toString(), "a".repeat(30));
    });
  }

  for (const level of [0.5, Number.NaN, 1e9]) {
    test(`${engine}: the level ${level} is refused`, async (t) => {
      const { near } = await startTransfer(t, make, patterned(1));
      const send = await near.openUnidirectional();

      assert.throws(() => send.setCoding({ codec: "zstd", level }), { code: "INVALID_ARGUMENT" });
    });
  }
}

/** The bytes of a hex block of the document. */
function documented(codec: Codec): Uint8Array {
  const text = readFileSync(new URL("../docs/protocol.md", import.meta.url), "utf8");
  const block = text.split(`\`\`\`hex ${codec} piece\n`)[1]?.split("```")[0] ?? "";
  return Buffer.from(block.replace(/#.*$/gm, "").replace(/\s+/g, ""), "hex");
}

/** What claims to be a piece of {@link PIECE} bytes in a codec, and is none. */
function malformedIn(codec: "lz4" | "zstd"): { bytes: Uint8Array; why: string }[] {
  const number = numbers[codec];
  const encoded = (bytes: Uint8Array) => encode(codec, bytes);
  const around = (bytes: Uint8Array) =>
    Buffer.concat([pieceHead(number, bytes.length), bytes, Buffer.alloc(32)]);
  const good = encoded(Buffer.alloc(PIECE, 7));
  return [
    { bytes: around(encoded(Buffer.alloc(PIECE + 1, 7))), why: "one byte too long" },
    { bytes: around(encoded(Buffer.alloc(500 * PIECE, 7)).subarray(0, PIECE - 1)), why: "a bomb" },
    { bytes: around(encoded(Buffer.alloc(PIECE - 1, 7))), why: "one byte too short" },
    { bytes: around(Buffer.alloc(20, 0xee)), why: "garbage" },
    { bytes: around(good.subarray(0, -1)), why: "cut" },
    { bytes: around(Buffer.concat([good, good])), why: "there twice" },
    { bytes: pieceHead(number, 0), why: "empty" },
    { bytes: pieceHead(number, PIECE), why: "announced as no smaller" },
    { bytes: pieceHead(number, 2 ** 32 - 1), why: "announced as 4 GiB" },
    { bytes: around(good).subarray(0, 12), why: "cut off by the stream's end" },
  ];
}

/** A file of one piece in a codec, truthfully. */
function rawPiece(content: Uint8Array, codec: Codec): Buffer {
  const encoded = encode(codec, content);
  const value = piece(content).subarray(-32);
  return Buffer.concat([pieceHead(numbers[codec], encoded.length), encoded, value]);
}

function encode(codec: Codec, bytes: Uint8Array): Uint8Array {
  return codec === "lz4" ? encodeLz4(bytes) : zstdCompressSync(bytes);
}

/** Receives a file of one piece of {@link PIECE} bytes that a test wrote by hand. */
async function receiveRaw(
  t: TestContext,
  make: MakeMachines,
  { bytes, taken }: { bytes: Uint8Array; taken: readonly Codec[] },
) {
  const { near, far, partial } = await startTransfer(t, make, Buffer.alloc(PIECE));
  const { send, receive } = await lane(near, far, Uint8Array.of(1));
  await receive.read(1);
  receive.takeCodecs(taken);
  await send.write(bytes);
  await send.finish();
  return receive.receiveRun(partial, wholeRun(PIECE));
}

/** Sends the whole file in a coding, to a receiver that takes it. */
async function passEncoded({ near, far, source, partial, content }: Transfer, coding: Coding) {
  const { send, receive } = await lane(near, far, Uint8Array.of(1));
  await receive.read(1);
  send.setCoding(coding);
  receive.takeCodecs([coding.codec]);
  const run = wholeRun(content.length);
  const sending = send.sendRun(Uint8Array.of(), source, run);
  const received = await receive.receiveRun(partial, run);
  return { sent: await sending, received, send };
}

const numbers: Readonly<Record<Codec, number>> = { none: 0, lz4: 1, zstd: 2 };
/** Codec, length and value around each piece. */
const overhead = 37;
