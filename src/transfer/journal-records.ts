/**
 * The records of a journal as bytes: what a receiver has proven and brought to disk.
 *
 * Pure. A record is its kind (1 byte), the length of its body (4 bytes), the body, and the CRC-32 of
 * all that (4 bytes), big-endian. Reading ends at the first record that is cut or damaged: a journal
 * only ever grows at its end, so that everything before it was written earlier.
 */

import { crc32 } from "node:zlib";
import { decodeName, encodeName } from "../lossless-name.ts";
import { valueBytes } from "../protocol/lane.ts";

/** A run of proven pieces of one file. */
export interface ProvenRun {
  /** Position in the journal's manifest. */
  entry: number;
  /** Bytes of a piece. */
  pieceBytes: number;
  /** Position of the run's first piece. */
  first: number;
  /** 32 bytes a piece. */
  values: Uint8Array;
}

/** A thing that is about to get its final name. */
export interface LandingIntent {
  entry: number;
  /** Path below the target folder. */
  path: string;
  /** The engine's identity of what moves there. */
  identity: string;
}

/** One record of a journal. */
export type JournalRecord =
  /** The format; the first record. */
  | { kind: "header"; version: number }
  /** A batch of the manifest, as it travelled. */
  | { kind: "batch"; batch: Uint8Array }
  /** The manifest is whole. */
  | { kind: "sealed"; entries: number }
  /** Pieces that are proven and on disk. */
  | { kind: "proven"; run: ProvenRun }
  /** The same of the first pieces of files that follow each other, a value each. */
  | { kind: "neighbours"; first: number; pieceBytes: number; values: Uint8Array }
  /** Whatever was said of a file before holds no more. */
  | { kind: "void"; entry: number }
  /** Things that move to their final names from here on. */
  | { kind: "landing"; intent: LandingIntent };

/** The version of the format that is written here. */
export const journalVersion = 1;

/** A record as bytes. */
export function encodeRecord(record: JournalRecord): Uint8Array {
  const body = bodyOf(record);
  const sumAt = headBytes + body.length;
  const bytes = Buffer.allocUnsafe(sumAt + sumBytes);
  bytes.writeUInt8(kinds.indexOf(record.kind), 0);
  bytes.writeUInt32BE(body.length, 1);
  bytes.set(body, headBytes);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, sumAt)), sumAt);
  return bytes;
}

/**
 * Yields each whole record with the position behind it; ends at the first that is not whole.
 *
 * @param from - The place in the journal where the bytes begin.
 */
export function* readJournal(
  bytes: Uint8Array,
  from = 0,
): Generator<{ record: JournalRecord; end: number }> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at + headBytes + sumBytes <= buffer.length) {
    const length = buffer.readUInt32BE(at + 1);
    const sumAt = at + headBytes + length;
    if (sumAt + sumBytes > buffer.length) return;
    if (crc32(buffer.subarray(at, sumAt)) !== buffer.readUInt32BE(sumAt)) return;
    const record = recordOf(kinds[buffer.readUInt8(at)], buffer.subarray(at + headBytes, sumAt));
    const isFirst = from + at === 0;
    if (!record || (record.kind === "header") !== isFirst) return;
    if (record.kind === "header" && record.version !== journalVersion) return;
    at = sumAt + sumBytes;
    yield { record, end: from + at };
  }
}

/** Bytes that a record takes by its head; of one that is cut in its head, those of a head. */
export function recordBytes(bytes: Uint8Array): number {
  if (bytes.length < headBytes) return headBytes;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return headBytes + buffer.readUInt32BE(1) + sumBytes;
}

function bodyOf(record: JournalRecord): Uint8Array {
  if (record.kind === "header") return numbers([magic, record.version]);
  if (record.kind === "batch") return record.batch;
  if (record.kind === "sealed") return numbers([record.entries]);
  if (record.kind === "void") return numbers([record.entry]);
  if (record.kind === "landing") {
    const { entry, path, identity } = record.intent;
    const name = encodeName(path);
    return numbers([entry, name.length], Buffer.concat([name, Buffer.from(identity)]));
  }
  if (record.kind === "neighbours")
    return numbers([record.first, record.pieceBytes], record.values);
  const { entry, pieceBytes, first, values } = record.run;
  return numbers([entry, pieceBytes, first], values);
}

function recordOf(kind: JournalRecord["kind"] | undefined, body: Buffer): JournalRecord | null {
  if (kind === undefined) return null;
  if (kind === "batch") return { kind, batch: new Uint8Array(body) };
  if (body.length < leastBytes[kind]) return null;
  const first = body.readUInt32BE(0);
  if (kind === "header") {
    return first === magic ? { kind, version: body.readUInt32BE(4) } : null;
  }
  if (kind === "sealed") return { kind, entries: first };
  if (kind === "void") return { kind, entry: first };
  if (kind === "landing") {
    const nameEnd = 8 + body.readUInt32BE(4);
    if (nameEnd > body.length) return null;
    const path = decodeName(body.subarray(8, nameEnd));
    return {
      kind,
      intent: { entry: first, path, identity: body.subarray(nameEnd).toString() },
    };
  }
  const values = new Uint8Array(body.subarray(leastBytes[kind]));
  const pieceBytes = body.readUInt32BE(4);
  const isRun = values.length > 0 && values.length % valueBytes === 0 && isPowerOfTwo(pieceBytes);
  if (!isRun) return null;
  if (kind === "neighbours") return { kind, first, pieceBytes, values };
  return { kind, run: { entry: first, pieceBytes, first: body.readUInt32BE(8), values } };
}

function isPowerOfTwo(bytes: number): boolean {
  return bytes > 0 && Number.isInteger(Math.log2(bytes));
}

/** Numbers of 4 bytes and what follows them. */
function numbers(values: readonly number[], rest: Uint8Array = nothing): Buffer {
  const bytes = Buffer.allocUnsafe(4 * values.length + rest.length);
  values.forEach((value, at) => {
    bytes.writeUInt32BE(value, 4 * at);
  });
  bytes.set(rest, 4 * values.length);
  return bytes;
}

const kinds: readonly JournalRecord["kind"][] = [
  "header",
  "batch",
  "sealed",
  "proven",
  "void",
  "landing",
  "neighbours",
];
const nothing = new Uint8Array();
/** Bytes that a body must have to be read. */
const leastBytes = { header: 8, sealed: 4, proven: 12, void: 4, landing: 8, neighbours: 8 };
/** `QVRJ`. */
const magic = 0x51_56_52_4a;
const headBytes = 5;
const sumBytes = 4;
