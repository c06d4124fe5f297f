/** The contract of single files: partial files that are opened again, hashes, and copies. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Folder, PartialFile, SourceFile } from "../src/engine/engine.ts";
import { pieceValue } from "../src/engine/memory-hash.ts";
import { atEnd } from "./ending.ts";
import { type MakeMachines, patterned } from "./engine-contract.ts";
import { noRoom, openTestFolder } from "./engine-contract-folders.ts";
import { PIECE, passRun, sizes, startTransfer, wholeRun } from "./engine-contract-runs.ts";

/** Declares the tests for one engine. */
export function fileContract(engine: string, make: MakeMachines): void {
  partialContract(engine, make);
  hashContract(engine, make);
  copyContract(engine, make);
  smallFileContract(engine, make);
}

function smallFileContract(engine: string, make: MakeMachines): void {
  test(`${engine}: a small file is read by its path`, async (t) => {
    const { alice } = await make(t);
    const path = await alice.disk.makeFolder();
    await alice.disk.put(`${path}/n\udcffte`, patterned(10));

    const bytes = await alice.engine.readFile(`${path}/n\udcffte`, 10);

    assert.deepEqual([...bytes], [...patterned(10)]);
  });

  const refused = [
    { name: "long", code: "LIMIT_EXCEEDED", why: "one byte too long" },
    { name: "link", code: "DISK_FAILED", why: "a link to a file" },
    { name: "", code: "DISK_FAILED", why: "a folder" },
    { name: "none", code: "DISK_MISSING", why: "not there" },
  ];
  for (const { name, code, why } of refused) {
    test(`${engine}: what is to be read as a small file is refused: ${why}`, async (t) => {
      const { alice } = await make(t);
      const path = await alice.disk.makeFolder();
      await alice.disk.put(`${path}/short`, patterned(1));
      await alice.disk.put(`${path}/long`, patterned(11));
      await alice.disk.link(`${path}/link`, "short");

      const reading = alice.engine.readFile(name === "" ? path : `${path}/${name}`, 10);

      await assert.rejects(reading, { code });
    });
  }
}

function partialContract(engine: string, make: MakeMachines): void {
  const resizes = [
    { from: 5_000, to: 5_000, why: "the same size" },
    { from: 5_000, to: 1_234, why: "cut" },
    { from: 5_000, to: 9_000, why: "extended, with zeros" },
    { from: 5_000, to: 0, why: "emptied" },
    { from: 0, to: 5_000, why: "extended from nothing" },
  ];
  for (const { from, to, why } of resizes) {
    test(`${engine}: a partial file of ${from} bytes is opened again with ${to}: ${why}`, async (t) => {
      const { folder, path, disk } = await openTestFolder(t, make);
      const content = patterned(from);
      await disk.put(`${path}/partial`, content);
      await folder.setMetadata("partial", { mode: 0o640, mtimeMs: 1_000 });
      const before = await folder.stat("partial");

      await openPartial(t, folder, { path: "partial", bytes: to });

      const expected = Buffer.alloc(to);
      expected.set(content.subarray(0, to));
      assert.ok(expected.equals(await disk.read(`${path}/partial`)));
      const after = await folder.stat("partial");
      assert.deepEqual([after?.mode, after?.identity], [0o640, before?.identity]);
    });
  }

  test(`${engine}: a partial file that is opened again takes the pieces it lacks`, async (t) => {
    const content = patterned(5 * PIECE + 7);
    const transfer = await startTransfer(t, make, content);
    const whole = wholeRun(content.length);
    const first = { ...whole, length: 2 * PIECE };
    const rest = { ...whole, offset: first.length, length: content.length - first.length };
    const early = await passRun(transfer, first);
    await transfer.partial.close();

    const bytes = content.length;
    const partial = await openPartial(t, transfer.inbox, { path: "partial", bytes });
    const late = await passRun({ ...transfer, partial }, rest);
    await partial.sync();

    const values = Buffer.concat([early.received.values, late.received.values]);
    const merged = transfer.bob.engine.mergePieces(values, content.length, PIECE);
    assert.equal(hex(merged), hex(blake3(content)));
    assert.ok(Buffer.from(await transfer.arrived()).equals(content));
  });

  test(`${engine}: only an ordinary file that is there is opened again`, async (t) => {
    const { folder, path, disk } = await openTestFolder(t, make);
    await disk.put(`${path}/file`, patterned(3));
    await disk.link(`${path}/link`, "file");
    await disk.link(`${path}/dangling`, "nowhere");
    await folder.createFolder("folder");

    for (const name of ["link", "dangling", "folder"]) {
      await assert.rejects(folder.openPartial(name, 9), { code: "DISK_DENIED" });
    }
    await assert.rejects(folder.openPartial("no", 9), { code: "DISK_MISSING" });
    await assert.rejects(folder.openPartial("no/such", 9), { code: "DISK_MISSING" });

    assert.equal((await folder.stat("file"))?.bytes, 3);
    assert.equal(await folder.stat("nowhere"), null);
  });

  test(`${engine}: a partial file is not extended beyond what the disk has`, async (t) => {
    const { folder, path, disk } = await openTestFolder(t, make);
    await disk.put(`${path}/partial`, patterned(3));

    await assert.rejects(folder.openPartial("partial", 2 ** 52), noRoom);

    assert.deepEqual([...(await disk.read(`${path}/partial`))], [...patterned(3)]);
  });

  test(`${engine}: a partial file says what it is, under any name`, async (t) => {
    const { folder } = await openTestFolder(t, make);
    const partial = await folder.createPartial("partial", 5_000, 0o600);
    atEnd(t, () => partial.close());

    const early = await partial.stat();
    await folder.rename("partial", folder, "moved", { replace: false });
    const late = await partial.stat();

    assert.deepEqual([early.kind, early.bytes, early.mode], ["file", 5_000, 0o600]);
    assert.deepEqual(late, early);
    assert.deepEqual(await folder.stat("moved"), early);
  });
}

function hashContract(engine: string, make: MakeMachines): void {
  for (const { bytes, why } of sizes) {
    test(`${engine}: ${bytes} bytes hash to the values that they are sent with: ${why}`, async (t) => {
      const transfer = await startTransfer(t, make, patterned(bytes));
      const run = wholeRun(bytes);
      const { sent, received } = await passRun(transfer, run);

      const values = await transfer.source.hashRun(run);

      assert.equal(hex(values), hex(sent.values));
      assert.equal(hex(values), hex(received.values));
    });
  }

  for (const memoryMap of [false, true]) {
    test(`${engine}: a run from the middle hashes to its part of the values, memoryMap ${memoryMap}`, async (t) => {
      const content = patterned(7 * PIECE + 1_025);
      const { source } = await openSource(t, make, { content, memoryMap });
      const whole = wholeRun(content.length);
      const all = await source.hashRun(whole);

      const middle = await source.hashRun({ ...whole, offset: 2 * PIECE, length: 3 * PIECE });
      const end = await source.hashRun({ ...whole, offset: 5 * PIECE, length: 2 * PIECE + 1_025 });

      assert.equal(hex(middle), hex(all.subarray(2 * 32, 5 * 32)));
      assert.equal(hex(end), hex(all.subarray(5 * 32)));
    });

    test(`${engine}: large pieces hash to the file's hash, memoryMap ${memoryMap}`, async (t) => {
      const content = patterned(1_300_000);
      const { source, mergePieces } = await openSource(t, make, { content, memoryMap });
      const run = { ...wholeRun(content.length), pieceBytes: 524_288 };

      const values = await source.hashRun(run);

      assert.equal(values.length, 3 * 32);
      const merged = mergePieces(values, content.length, run.pieceBytes);
      assert.equal(hex(merged), hex(blake3(content)));
    });

    test(`${engine}: a range of a file is read, and one beyond its end is refused, memoryMap ${memoryMap}`, async (t) => {
      const { source } = await openSource(t, make, { content: patterned(10), memoryMap });

      const bytes = await source.readRange({ offset: 2, length: 8 });
      const beyond = source.readRange({ offset: 3, length: 8 });

      assert.deepEqual([...bytes], [...patterned(10).subarray(2)]);
      await assert.rejects(beyond, { code: "SOURCE_CHANGED" });
    });

    test(`${engine}: a file that became too short has no hash, memoryMap ${memoryMap}`, async (t) => {
      const content = patterned(5 * PIECE);
      const { source, put } = await openSource(t, make, { content, memoryMap });
      await put(content.subarray(0, 2 * PIECE + 7));
      const whole = wholeRun(content.length);

      await assert.rejects(source.hashRun(whole), { code: "SOURCE_CHANGED" });
      const values = await source.hashRun({ ...whole, length: 2 * PIECE });

      assert.equal(values.length, 2 * 32);
    });
  }

  test(`${engine}: a file that was too short from the start has no hash`, async (t) => {
    const { source } = await openSource(t, make, { content: patterned(PIECE - 1) });
    await assert.rejects(source.hashRun(wholeRun(PIECE)), { code: "SOURCE_CHANGED" });
  });

  test(`${engine}: a bad run has no hash`, async (t) => {
    const { source } = await openSource(t, make, { content: patterned(3 * PIECE) });
    const run = wholeRun(3 * PIECE);

    for (const bad of [{ offset: 1 }, { length: 5 }, { pieceBytes: 3_000 }, { length: 0 }]) {
      await assert.rejects(source.hashRun({ ...run, ...bad }), { code: "INVALID_ARGUMENT" });
    }
  });
}

function copyContract(engine: string, make: MakeMachines): void {
  const ranges = [
    { offset: 0, length: 10_000, why: "all" },
    { offset: 0, length: 1, why: "the first byte" },
    { offset: 4_095, length: 4_098, why: "across blocks" },
    { offset: 9_999, length: 1, why: "the last byte" },
    { offset: 5_000, length: 0, why: "nothing" },
  ];
  for (const { offset, length, why } of ranges) {
    for (const memoryMap of [false, true]) {
      test(`${engine}: ${length} bytes are copied from ${offset}: ${why}, memoryMap ${memoryMap}`, async (t) => {
        const content = patterned(10_000);
        const { folder, read, source } = await openSource(t, make, { content, memoryMap });
        const partial = await folder.createPartial("partial", content.length, 0o600);
        atEnd(t, () => partial.close());

        await partial.copyFrom(source, { offset, length });
        await partial.sync();

        const expected = Buffer.alloc(content.length);
        expected.set(content.subarray(offset, offset + length), offset);
        assert.ok(expected.equals(await read("partial")));
      });
    }
  }

  test(`${engine}: a copy of several megabytes is whole, and leaves the rest`, async (t) => {
    const content = patterned(5_000_000);
    const { folder, read, put, source } = await openSource(t, make, { content });
    const partial = await folder.createPartial("partial", content.length, 0o600);
    atEnd(t, () => partial.close());
    await partial.copyFrom(source, { offset: 0, length: content.length });
    const newer = patterned(content.length, 9);
    await put(newer);

    await partial.copyFrom(source, { offset: 1_000_001, length: 3_000_000 });

    const expected = Buffer.from(content);
    expected.set(newer.subarray(1_000_001, 4_000_001), 1_000_001);
    assert.ok(expected.equals(await read("partial")));
  });

  for (const memoryMap of [false, true]) {
    test(`${engine}: a copy from a file that is too short is refused, memoryMap ${memoryMap}`, async (t) => {
      const content = patterned(10_000);
      const { folder, put, source } = await openSource(t, make, { content, memoryMap });
      const partial = await folder.createPartial("partial", 20_000, 0o600);
      atEnd(t, () => partial.close());

      const beyond = partial.copyFrom(source, { offset: 9_000, length: 1_001 });
      await assert.rejects(beyond, { code: "SOURCE_CHANGED" });
      await put(content.subarray(0, 5_000));
      const shrunk = partial.copyFrom(source, { offset: 4_000, length: 4_000 });
      await assert.rejects(shrunk, { code: "SOURCE_CHANGED" });

      assert.equal((await partial.stat()).bytes, 20_000);
    });
  }
}

interface OpenSource {
  folder: Folder;
  source: SourceFile;
  mergePieces: (values: Uint8Array, fileBytes: number, pieceBytes: number) => Uint8Array;
  /** Gives the source other contents. */
  put: (content: Uint8Array) => Promise<void>;
  /** The bytes of a file beside it. */
  read: (name: string) => Promise<Uint8Array>;
}

async function openSource(
  t: TestContext,
  make: MakeMachines,
  { content, memoryMap = false }: { content: Uint8Array; memoryMap?: boolean },
): Promise<OpenSource> {
  const { folder, path, disk, machine } = await openTestFolder(t, make);
  await disk.put(`${path}/source`, content);
  const source = await folder.openSource("source", { memoryMap });
  atEnd(t, () => source.close());
  return {
    folder,
    source,
    mergePieces: (...args) => machine.engine.mergePieces(...args),
    put: (bytes) => disk.put(`${path}/source`, bytes),
    read: (name) => disk.read(`${path}/${name}`),
  };
}

async function openPartial(
  t: TestContext,
  folder: Folder,
  { path, bytes }: { path: string; bytes: number },
): Promise<PartialFile> {
  const partial = await folder.openPartial(path, bytes);
  atEnd(t, () => partial.close());
  return partial;
}

function blake3(bytes: Uint8Array): Uint8Array {
  return pieceValue(bytes, { offset: 0, isWholeFile: true });
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
