/** The contract of runs of pieces: what arrives is what was sent, proven. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type {
  Folder,
  PartialFile,
  PieceRun,
  ReceivedRun,
  ReceiveStream,
  SendStream,
  SentRun,
  SourceFile,
} from "../src/engine/engine.ts";
import { pieceValue } from "../src/engine/memory-hash.ts";
import { errorCodes, TransferError } from "../src/errors.ts";
import { atEnd } from "./ending.ts";
import {
  connectedPair,
  type MakeMachines,
  type Pair,
  patterned,
  until,
} from "./engine-contract.ts";
import { lane } from "./engine-contract-streams.ts";

/** Declares the tests for one engine. */
export function runContract(engine: string, make: MakeMachines): void {
  for (const { bytes, why } of sizes) {
    test(`${engine}: a file of ${bytes} bytes arrives in pieces of 4,096: ${why}`, async (t) => {
      const transfer = await startTransfer(t, make, patterned(bytes));

      const { sent, received } = await passRun(transfer, wholeRun(bytes));

      const pieces = Math.max(1, Math.ceil(bytes / PIECE));
      const { absentFrom, bad } = received;
      assert.deepEqual(
        { failure: sent.failure, absentFrom, bad },
        {
          failure: null,
          absentFrom: pieces,
          bad: [],
        },
      );
      assert.deepEqual(hex(received.values), hex(sent.values));
      const merged = transfer.bob.engine.mergePieces(received.values, bytes, PIECE);
      assert.equal(hex(merged), hex(blake3(transfer.content)));
      assert.equal(hex(await transfer.arrived()), hex(transfer.content));
    });
  }

  for (const memoryMap of [false, true]) {
    test(`${engine}: large pieces arrive, memoryMap ${memoryMap}`, async (t) => {
      const content = patterned(1_300_000);
      const transfer = await startTransfer(t, make, content, memoryMap);
      const run = { ...wholeRun(content.length), pieceBytes: 524_288 };

      const { received } = await passRun(transfer, run);

      const { bob } = transfer;
      const merged = bob.engine.mergePieces(received.values, run.fileBytes, run.pieceBytes);
      assert.equal(hex(merged), hex(blake3(content)));
      assert.ok(Buffer.from(await transfer.arrived()).equals(content));
    });
  }

  test(`${engine}: a run from the middle lands in the middle`, async (t) => {
    const content = patterned(5 * PIECE);
    const transfer = await startTransfer(t, make, content);
    const run = { offset: PIECE, length: 2 * PIECE, pieceBytes: PIECE, fileBytes: content.length };

    const { received } = await passRun(transfer, run);

    const expected = new Uint8Array(content.length);
    expected.set(content.subarray(PIECE, 3 * PIECE), PIECE);
    assert.equal(received.absentFrom, 2);
    assert.ok(Buffer.from(await transfer.arrived()).equals(expected));
  });

  test(`${engine}: runs on several lanes in any order make one file`, async (t) => {
    const content = patterned(9 * PIECE + 5);
    const transfer = await startTransfer(t, make, content);
    const runs = [6, 0, 3].map((piece) => ({
      ...wholeRun(content.length),
      offset: piece * PIECE,
      length: Math.min(3 * PIECE, content.length - piece * PIECE),
    }));
    const tail = { ...wholeRun(content.length), offset: 9 * PIECE, length: 5 };

    const passing: Promise<PassedRun>[] = [];
    for (const run of [...runs, tail]) {
      // One lane after the other is opened, so that both ends mean the same one; then all run.
      passing.push(passRunOn(await openLane(transfer), transfer, run));
    }
    const results = await Promise.all(passing);

    const [third, first, second, fourth] = results.map(({ received }) => received.values);
    const values = Buffer.concat([first, second, third, fourth].map((part) => part ?? empty));
    const merged = transfer.bob.engine.mergePieces(values, content.length, PIECE);
    assert.equal(hex(merged), hex(blake3(content)));
    assert.ok(Buffer.from(await transfer.arrived()).equals(content));
  });

  test(`${engine}: one lane carries runs one after the other, each after its header`, async (t) => {
    const content = patterned(4 * PIECE);
    const transfer = await startTransfer(t, make, content);
    const { near, far, source, partial } = transfer;
    const half = { ...wholeRun(content.length), length: 2 * PIECE };
    const runs = [half, { ...half, offset: 2 * PIECE }];
    const { send, receive } = await lane(near, far, Uint8Array.of(255));
    await receive.read(1);

    const sending = (async () => {
      for (const [at, run] of runs.entries()) await send.sendRun(Uint8Array.of(at), source, run);
      await send.finish();
    })();
    for (const [at, run] of runs.entries()) {
      assert.deepEqual([...((await receive.read(1)) ?? [])], [at]);
      await receive.receiveRun(partial, run);
    }
    await sending;

    assert.equal(await receive.read(1), null);
    assert.ok(Buffer.from(await transfer.arrived()).equals(content));
  });

  test(`${engine}: bytes that are held in memory are sent as those of a file`, async (t) => {
    const content = patterned(3 * PIECE + 7);
    const { alice, near, far, partial, arrived } = await startTransfer(t, make, content);
    const given = Buffer.from(content.subarray(PIECE));
    const held = alice.engine.holdBytes(given, PIECE);
    given.fill(0);
    const whole = wholeRun(content.length);
    const run = { ...whole, offset: PIECE, length: 2 * PIECE + 7 };
    const send = await near.openUnidirectional();

    const sending = send.sendRun(empty, held, run);
    const receive = await far.acceptUnidirectional();
    const received = await receive.receiveRun(partial, run);
    const { values } = await sending;

    assert.equal(hex(received.values), hex(values));
    assert.equal(hex(await held.hashRun(run)), hex(values));
    assert.ok(
      Buffer.from(await arrived())
        .subarray(PIECE)
        .equals(content.subarray(PIECE)),
    );
    assert.deepEqual([held.opened.kind, held.opened.bytes], ["file", content.length]);
    await assert.rejects(held.hashRun({ ...run, offset: 0, length: PIECE }), {
      code: "SOURCE_CHANGED",
    });
    await held.close();
  });

  test(`${engine}: a lane counts its bytes while a run is under way, and exactly at its end`, async (t) => {
    const content = patterned(2_097_152);
    const transfer = await startTransfer(t, make, content);
    const run = { ...wholeRun(content.length), pieceBytes: 65_536 };
    const send = await transfer.near.openUnidirectional();

    const sending = send.sendRun(empty, transfer.source, run);
    await until(() => send.sentBytes > 0);
    const early = send.sentBytes;
    const receive = await transfer.far.acceptUnidirectional();
    await receive.receiveRun(transfer.partial, run);
    await sending;

    const total = content.length + 32 * (5 + 32);
    assert.ok(early <= total);
    assert.equal(send.sentBytes, total);
    assert.equal(receive.receivedBytes, total);
  });

  test(`${engine}: a piece whose bytes are not what its value says is reported, alone`, async (t) => {
    const content = patterned(3 * PIECE);
    const transfer = await startTransfer(t, make, content);
    const pieces = [0, 1, 2].map((at) => plainPiece(content, at, at === 1 ? 1 : 0));

    const received = await receiveRaw(transfer, Buffer.concat(pieces), wholeRun(content.length));

    assert.deepEqual(received.bad, [1]);
    assert.equal(received.absentFrom, 3);
    const arrived = Buffer.from(await transfer.arrived());
    assert.ok(arrived.subarray(0, PIECE).equals(content.subarray(0, PIECE)));
    assert.ok(arrived.subarray(2 * PIECE).equals(content.subarray(2 * PIECE)));
  });

  test(`${engine}: pieces have the wire form of docs/protocol.md`, async (t) => {
    const content = patterned(PIECE + 3);
    const { near, far, source } = await startTransfer(t, make, content);
    const header = Uint8Array.of(1, 2, 3);
    const send = await near.openUnidirectional();

    const sending = send.sendRun(header, source, wholeRun(content.length));
    const receive = await far.acceptUnidirectional();
    const expected = Buffer.concat([header, plainPiece(content, 0), plainPiece(content, 1)]);
    const raw = await receive.read(expected.length);
    await sending;

    assert.equal(hex(raw ?? empty), hex(expected));
  });

  const malformed = [
    { bytes: [7, 0, 0, 16, 0], why: "an unknown codec" },
    { bytes: [0, 0, 0, 15, 255], why: "one byte too few" },
    { bytes: [0, 0, 0, 16, 1], why: "one byte too many" },
    { bytes: [0, 255, 255, 255, 255], why: "far too many" },
    { bytes: [255, 0, 0, 16, 0], why: "an absent piece with bytes" },
    { bytes: [0, 0, 0], why: "an end within the header" },
    { bytes: [0, 0, 0, 16, 0, 1, 2], why: "an end within the bytes" },
    { bytes: [], why: "an end before the piece" },
  ];
  for (const { bytes, why } of malformed) {
    test(`${engine}: a malformed piece is refused: ${why}`, async (t) => {
      const transfer = await startTransfer(t, make, patterned(PIECE));

      const receiving = receiveRaw(transfer, Uint8Array.from(bytes), wholeRun(PIECE));

      await assert.rejects(receiving, { code: "INVALID_FRAME" });
    });
  }

  for (const memoryMap of [false, true]) {
    test(`${engine}: a file that shrank is sent up to there, memoryMap ${memoryMap}`, async (t) => {
      const content = patterned(5 * PIECE);
      const transfer = await startTransfer(t, make, content, memoryMap);
      await transfer.alice.disk.put(transfer.path, content.subarray(0, 2 * PIECE + 7));

      const { sent, received } = await passRun(transfer, wholeRun(content.length));

      assert.ok(sent.failure instanceof TransferError);
      assert.equal(sent.failure.code, "SOURCE_CHANGED");
      assert.equal(sent.values.length, received.absentFrom * 32);
      assert.equal(received.absentFrom, 2);
      assert.deepEqual(received.bad, []);
    });
  }

  test(`${engine}: an absent first piece leaves the run empty and the lane usable`, async (t) => {
    const transfer = await startTransfer(t, make, patterned(PIECE));
    const { near, far, partial } = transfer;
    const { receive } = await lane(near, far, Uint8Array.of(255, 0, 0, 0, 0, 42));

    const received = await receive.receiveRun(partial, wholeRun(PIECE));

    assert.equal(received.absentFrom, 0);
    assert.deepEqual([...((await receive.read(1)) ?? [])], [42]);
  });

  const badRuns = [
    { run: { offset: 1 }, why: "it begins within a piece" },
    { run: { length: PIECE + 1 }, why: "it ends within a piece" },
    { run: { length: 4 * PIECE }, why: "it ends after the file" },
    { run: { pieceBytes: 3_000 }, why: "pieces are powers of two" },
    { run: { pieceBytes: 512 }, why: "pieces are no smaller than BLAKE3's chunks" },
    { run: { length: 0 }, why: "only an empty file has an empty run" },
  ];
  for (const { run, why } of badRuns) {
    test(`${engine}: a bad run is refused: ${why}`, async (t) => {
      const { near, source } = await startTransfer(t, make, patterned(3 * PIECE));
      const send = await near.openUnidirectional();

      const sending = send.sendRun(empty, source, { ...wholeRun(3 * PIECE), ...run });

      await assert.rejects(sending, { code: "INVALID_ARGUMENT" });
    });
  }

  test(`${engine}: a reset ends a run at both ends`, async (t) => {
    const content = patterned(4_194_304);
    const { near, far, source, partial } = await startTransfer(t, make, content);
    const run = { ...wholeRun(content.length), pieceBytes: 65_536 };
    const send = await near.openUnidirectional();
    const sending = send.sendRun(Uint8Array.of(1), source, run);
    sending.catch(() => {});
    const receive = await far.acceptUnidirectional();
    await receive.read(1);

    send.reset(errorCodes.CANCELLED.wire);

    await assert.rejects(sending, { code: "CANCELLED" });
    // Pieces that came before the reset are reported, if there were any.
    const receiving = receive.receiveRun(partial, run);
    const ended = await receiving.then(({ failure }) => failure).catch((error) => error);
    assert.equal(ended.code, "CANCELLED");
  });

  test(`${engine}: a stop ends a run at both ends`, async (t) => {
    const content = patterned(4_194_304);
    const { near, far, source, partial } = await startTransfer(t, make, content);
    const run = { ...wholeRun(content.length), pieceBytes: 65_536 };
    const { send, receive } = await lane(near, far, plainPiece(content, 0));
    const receiving = receive.receiveRun(partial, { ...run, pieceBytes: PIECE });
    receiving.catch(() => {});
    await until(() => receive.receivedBytes > 0);

    receive.stop(errorCodes.DISK_FULL.wire);

    await assert.rejects(receiving, { code: "CANCELLED" });
    await assert.rejects(send.sendRun(empty, source, run), { code: "DISK_FULL" });
  });
}

/** A file on alice's disk, and a partial file for it on bob's. */
export interface Transfer extends Pair {
  path: string;
  content: Uint8Array;
  source: SourceFile;
  partial: PartialFile;
  /** The folder of the partial file, whose name is `partial`. */
  inbox: Folder;
  /** The bytes that are on bob's disk. */
  arrived: () => Promise<Uint8Array>;
}

/** Opens a {@link Transfer} of one file. */
export async function startTransfer(
  t: TestContext,
  make: MakeMachines,
  content: Uint8Array,
  memoryMap = false,
): Promise<Transfer> {
  const pair = await connectedPair(t, make);
  const { alice, bob } = pair;
  const from = await alice.disk.makeFolder();
  const to = await bob.disk.makeFolder();
  await alice.disk.put(`${from}/source`, content);
  const sources = await alice.engine.openFolder(from);
  const inbox = await bob.engine.openFolder(to);
  const source = await sources.openSource("source", { memoryMap });
  const partial = await inbox.createPartial("partial", content.length, 0o600);
  atEnd(t, async () => {
    await source.close();
    await partial.close();
    await sources.close();
    await inbox.close();
  });
  const arrived = () => bob.disk.read(`${to}/partial`);
  return { ...pair, path: `${from}/source`, content, source, partial, inbox, arrived };
}

interface PassedRun {
  sent: SentRun;
  received: ReceivedRun;
}

interface Lane {
  send: SendStream;
  receive: ReceiveStream;
}

/** Sends a run on a lane of its own. */
export async function passRun(transfer: Transfer, run: PieceRun): Promise<PassedRun> {
  return passRunOn(await openLane(transfer), transfer, run);
}

async function openLane({ near, far }: Transfer): Promise<Lane> {
  const opened = await lane(near, far, Uint8Array.of(1));
  await opened.receive.read(1);
  return opened;
}

async function passRunOn(
  { send, receive }: Lane,
  { source, partial }: Transfer,
  run: PieceRun,
): Promise<PassedRun> {
  const sending = send.sendRun(Uint8Array.of(2), source, run);
  await receive.read(1);
  const received = await receive.receiveRun(partial, run);
  const sent = await sending;
  await send.finish();
  return { sent, received };
}

/** Receives a run whose pieces a test wrote by hand. */
async function receiveRaw(
  { near, far, partial }: Transfer,
  bytes: Uint8Array,
  run: PieceRun,
): Promise<ReceivedRun> {
  const { send, receive } = await lane(near, far, Uint8Array.of(1));
  await receive.read(1);
  await send.write(bytes);
  await send.finish();
  return receive.receiveRun(partial, run);
}

/** A piece of 4,096 bytes in its wire form; `damage` is added to the first byte of its value. */
function plainPiece(content: Uint8Array, position: number, damage = 0): Uint8Array {
  const offset = position * PIECE;
  const bytes = content.subarray(offset, offset + PIECE);
  const value = pieceValue(bytes, { offset, isWholeFile: content.length <= PIECE });
  value[0] = (value[0] ?? 0) + damage;
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes, value]);
}

/** A run of all pieces of a file, each of {@link PIECE} bytes. */
export function wholeRun(bytes: number): PieceRun {
  return { offset: 0, length: bytes, pieceBytes: PIECE, fileBytes: bytes };
}

function blake3(bytes: Uint8Array): Uint8Array {
  return pieceValue(bytes, { offset: 0, isWholeFile: true });
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

const empty = new Uint8Array(0);
/** Bytes of a piece in most tests. */
export const PIECE = 4_096;
/** Sizes of files that matter, with pieces of {@link PIECE} bytes. */
export const sizes = [
  { bytes: 0, why: "an empty file is one empty piece" },
  { bytes: 1, why: "the smallest" },
  { bytes: 1_023, why: "less than a chunk of BLAKE3" },
  { bytes: 1_024, why: "a chunk" },
  { bytes: 1_025, why: "a chunk and a byte" },
  { bytes: PIECE - 1, why: "less than a piece" },
  { bytes: PIECE, why: "a piece: the value is the hash" },
  { bytes: PIECE + 1, why: "a piece and a byte" },
  { bytes: 2 * PIECE, why: "two full pieces" },
  { bytes: 3 * PIECE, why: "a tree that is not full" },
  { bytes: 7 * PIECE + 1_025, why: "several, and a part of two chunks" },
];
