/** What a journal tells, read a part at a time. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogFile } from "../src/engine/engine.ts";
import { Manifest } from "../src/protocol/manifest.ts";
import { encodeRecord, type JournalRecord, readJournal } from "../src/transfer/journal-records.ts";
import { Leftover } from "../src/transfer/leftover.ts";
import { journalOn, leftoverOf } from "./journals.ts";

const MiB = 2 ** 20;

/** One file of 2^18 pieces of 1 KiB: the hashes of all of them are a record of 8 MiB. */
const pieces = 2 ** 18;
const manifest = new Manifest();
manifest.add({
  kind: "file",
  depth: 0,
  name: "file",
  target: "",
  mode: 0o644,
  mtimeMs: 0,
  bytes: pieces * 1024,
});
const batch = manifest.seal() ?? new Uint8Array();
const begin: readonly JournalRecord[] = [
  { kind: "header", version: 1 },
  { kind: "batch", batch },
  { kind: "sealed", entries: 1 },
];

for (const { title, runs } of [
  { title: "no record of a piece", runs: [] },
  { title: "records that end somewhere in the parts", runs: Array<number>(1000).fill(250) },
  { title: "a record longer than a part", runs: [1, pieces - 10, 9] },
  { title: "records longer than a part, one after another", runs: [pieces / 2, pieces / 2] },
]) {
  test(`a journal is read in parts: ${title}`, async () => {
    const journal = Buffer.concat([...begin, ...proven(runs)].map(encodeRecord));
    const asked: number[] = [];

    const leftover = await Leftover.read(logOf(journal, asked));

    assert.equal(leftover?.bytes, journal.length);
    assert.equal(leftover.provenBytes, 1024 * runs.reduce((sum, run) => sum + run, 0));
    const longest = Math.max(256 * 1024, ...runs.map((run) => 32 * run + 100));
    assert.ok(Math.max(...asked) <= longest, `${Math.max(...asked)} bytes at once`);
  });

  test(`a torn journal tells the same in parts as whole: ${title}`, async () => {
    const journal = Buffer.concat([...begin, ...proven(runs)].map(encodeRecord));

    for (const share of [0, 0.1, 0.49, 0.5, 0.9, 0.999999]) {
      const torn = journal.subarray(0, Math.floor(share * journal.length));
      const leftover = await Leftover.read(logOf(torn));
      const whole = leftoverOf(torn);
      assert.equal(leftover?.bytes, whole?.bytes, `at ${share}`);
      assert.equal(leftover?.provenBytes, whole?.provenBytes, `at ${share}`);
    }
  });
}

test("a record whose length is damaged ends the journal before it", async () => {
  const good = Buffer.concat([...begin, ...proven([7])].map(encodeRecord));
  const bad = Buffer.from(encodeRecord({ kind: "void", entry: 0 }));
  bad.writeUInt32BE(2 ** 32 - 1, 1);

  const leftover = await Leftover.read(logOf(Buffer.concat([good, bad, Buffer.alloc(9 * MiB)])));

  assert.equal(leftover?.bytes, good.length);
});

test("files that follow each other are told by one record, and read as one each", async () => {
  const { offered, header } = threeFiles();
  const filled = (entry: number) => new Uint8Array(32).fill(entry);
  const about = { manifest: offered, isBegun: true };
  const { journal, written } = journalOn(async () => {}, about);

  const note = (entry: number) => {
    journal.note({ entry, pieceBytes: 1024, first: 0, values: filled(entry) }, 10);
  };
  for (const entry of [0, 2, 1]) note(entry);
  journal.void(1);
  for (const entry of [1, 2]) note(entry);
  await journal.commit();

  const leftover = await Leftover.read(logOf(Buffer.concat([...header, written()])));
  const values = [0, 1, 2].map((entry) => leftover?.kept(entry)?.values);
  assert.deepEqual(values, [0, 1, 2].map(filled));
  const kinds = [...readJournal(written(), 1)].map(({ record }) => record.kind);
  assert.deepEqual(kinds, ["neighbours", "neighbours", "neighbours", "void", "neighbours"]);
});

test("a record of neighbours that were not offered ends the journal before it", async () => {
  const { header } = threeFiles();
  const values = new Uint8Array(64);
  const bad = encodeRecord({ kind: "neighbours", first: 2, pieceBytes: 1024, values });

  const leftover = await Leftover.read(logOf(Buffer.concat([...header, bad])));

  assert.equal(leftover?.bytes, Buffer.concat(header).length);
});

/** A manifest of three files of 10 bytes, and a journal's first records for it. */
function threeFiles(): { offered: Manifest; header: Uint8Array[] } {
  const offered = new Manifest();
  for (const name of ["a", "b", "c"]) {
    const file = { kind: "file", depth: 0, name, target: "", mode: 0o644, mtimeMs: 0 } as const;
    offered.add({ ...file, bytes: 10 });
  }
  const batch = offered.seal() ?? new Uint8Array();
  const records: JournalRecord[] = [
    { kind: "header", version: 1 },
    { kind: "batch", batch },
    { kind: "sealed", entries: 3 },
  ];
  return { offered, header: records.map(encodeRecord) };
}

/** Records of runs of pieces, one after another. */
function proven(runs: readonly number[]): JournalRecord[] {
  let first = 0;
  return runs.map((count) => {
    const run = { entry: 0, pieceBytes: 1024, first, values: new Uint8Array(32 * count) };
    first += count;
    return { kind: "proven", run };
  });
}

function logOf(journal: Uint8Array, asked: number[] = []): Pick<LogFile, "read"> {
  return {
    async read({ offset, length }) {
      asked.push(Math.min(length, journal.length - offset));
      return journal.subarray(offset, offset + length);
    },
  };
}
