/** The journal of a receiver: bytes that a power cut, a broken disk or another program wrote. */

import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import {
  encodeRecord,
  type JournalRecord,
  readJournal,
} from "../../src/transfer/journal-records.ts";
import { bodyOf } from "./document.ts";
import type { Target } from "./target.ts";

const records: readonly JournalRecord[] = [
  { kind: "header", version: 1 },
  { kind: "batch", batch: bodyOf("entries").subarray(22, 22 + 78) },
  { kind: "sealed", entries: 4 },
  { kind: "proven", run: { entry: 1, pieceBytes: 65_536, first: 0, values: new Uint8Array(64) } },
  { kind: "neighbours", first: 1, pieceBytes: 2 ** 20, values: new Uint8Array(64) },
  { kind: "void", entry: 1 },
  { kind: "landing", intent: { entry: 0, path: "trip (2)/caf\udce9", identity: "8:15" } },
];
const whole = Buffer.concat(records.map(encodeRecord));

/** Reads a journal; what it says is the same when it is written again and read again. */
function check(bytes: Uint8Array): string {
  const read = [...readJournal(bytes)];
  let last = 0;
  for (const { end } of read) {
    assert.ok(end > last && end <= bytes.length);
    last = end;
  }
  const found = read.map(({ record }) => record);
  const again = [...readJournal(Buffer.concat(found.map(encodeRecord)))];
  assert.deepEqual(
    again.map(({ record }) => record),
    found,
  );
  return found.map(({ kind }) => kind).join();
}

const cut: Target = {
  name: "journal",
  seeds: [whole],
  run: check,
};

/** Whole records of any content: what a checksum does not find. */
const summed: Target = {
  name: "journal-records",
  seeds: [withoutSums(whole)],
  run: (input) => check(withSums(Buffer.from(input))),
};

function withoutSums(journal: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < journal.length; ) {
    const end = at + 5 + journal.readUInt32BE(at + 1);
    parts.push(journal.subarray(at, end));
    at = end + 4;
  }
  return Buffer.concat(parts);
}

function withSums(input: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at + 5 <= input.length; ) {
    const record = input.subarray(at, at + 5 + input.readUInt32BE(at + 1));
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(record));
    parts.push(record, sum);
    at += record.length;
  }
  return Buffer.concat(parts);
}

/** Every target that is about journals. */
export const journalTargets: readonly Target[] = [cut, summed];
