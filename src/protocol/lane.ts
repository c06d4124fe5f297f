/** The headers of data streams: a lane's own, and those of the runs and bundles in it. */

import { TransferError } from "../errors.ts";
import { exactly, invalid } from "./fields.ts";
import { maxBundleFiles, maxLanes, maxPieceLog, minPieceLog } from "./limits.ts";

/** Number of each data format, as the lane header and the documents say it. */
export const laneFormats = { standard: 1, ultra: 2 } as const;

/** Name of a data format. */
export type LaneFormat = keyof typeof laneFormats;

/** The formats from the best on. */
export const formatsByPreference: readonly LaneFormat[] = ["ultra", "standard"];

/** First bytes of every unidirectional stream: what it is. */
export const streamTagBytes = 4;

/** What a unidirectional stream is, by its first bytes. */
export type StreamTag = { kind: "progress" } | { kind: "lane"; format: number };

/** What a lane says of itself after its tag. */
export interface LaneHeader {
  transferId: string;
  /** Its number among the transfer's lanes. */
  lane: number;
}

/** One job in a lane. */
export type Unit =
  | { kind: "run"; entry: number; offset: number; length: number; pieceBytes: number }
  | { kind: "bundle"; entries: number[] };

/** Bytes of a value: the BLAKE3 hash of a piece or of a file. */
export const valueBytes = 32;

/** Bytes of a lane header after the tag. */
export const laneHeaderBytes = 18;

/** Tag and header of a lane. `format` is a number, so that tests can speak of formats not yet made. */
export function encodeLaneHeader(format: number, header: LaneHeader): Uint8Array {
  const bytes = new Uint8Array(streamTagBytes + laneHeaderBytes);
  bytes.set(laneMagic);
  bytes[3] = format;
  bytes.set(Buffer.from(header.transferId, "hex"), streamTagBytes);
  new DataView(bytes.buffer).setUint16(20, header.lane);
  return bytes;
}

/** Tag and transfer of a progress stream. */
export function encodeProgressHeader(transferId: string): Uint8Array {
  return Buffer.concat([progressTag, Buffer.from(transferId, "hex")]);
}

/** What a stream is, from its first four bytes. `INVALID_FRAME` for what is neither lane nor progress. */
export function decodeStreamTag(bytes: Uint8Array): StreamTag {
  const format = exactly(bytes, streamTagBytes, "a stream tag").getUint8(3);
  if (progressTag.equals(bytes)) return { kind: "progress" };
  if (!laneMagic.equals(bytes.subarray(0, 3))) throw invalid("a stream of no known kind");
  return { kind: "lane", format };
}

/** The format of a number; `UNSUPPORTED_FORMAT` for one that this version does not speak. */
export function laneFormatOf(number: number): LaneFormat {
  for (const format of formatsByPreference) if (laneFormats[format] === number) return format;
  throw new TransferError(
    "UNSUPPORTED_FORMAT",
    `data format ${number} is not known here; the other side goes on in one that is`,
  );
}

/** The header after a lane's tag. */
export function decodeLaneHeader(bytes: Uint8Array): LaneHeader {
  const lane = exactly(bytes, laneHeaderBytes, "a lane header").getUint16(16);
  if (lane >= maxLanes) throw invalid("lane number");
  return { transferId: Buffer.from(bytes.subarray(0, 16)).toString("hex"), lane };
}

/** Bytes of a unit header that are always there: ultra has a kind before, standard only runs. */
export function unitHeaderBytes(format: LaneFormat): number {
  return format === "ultra" ? 1 + ultraRunBytes : standardRunBytes;
}

/** A unit's header. The standard format has no bundles, and its runs are one piece. */
export function encodeUnit(format: LaneFormat, unit: Unit): Uint8Array {
  if (unit.kind === "bundle") {
    if (format !== "ultra") throw new TypeError("the standard format has no bundles");
    const bytes = new Uint8Array(1 + ultraRunBytes + 4 * unit.entries.length);
    const out = view(bytes);
    out.setUint8(0, bundleKind);
    out.setUint16(1, unit.entries.length);
    unit.entries.forEach((entry, at) => {
      out.setUint32(1 + ultraRunBytes + 4 * at, entry);
    });
    return bytes;
  }
  const bytes = new Uint8Array(unitHeaderBytes(format));
  const out = view(bytes);
  const start = format === "ultra" ? 1 : 0;
  if (format === "ultra") out.setUint8(0, runKind);
  out.setUint32(start, unit.entry);
  out.setUint8(start + 4, Math.log2(unit.pieceBytes));
  out.setBigUint64(start + 5, BigInt(unit.offset));
  if (format === "ultra") out.setBigUint64(start + 13, BigInt(unit.length));
  return bytes;
}

/** A run's header without what only the receiver knows: a standard run's length is that of its piece. */
export type UnitHeader =
  | { kind: "run"; entry: number; offset: number; length: number | null; pieceBytes: number }
  | { kind: "bundle"; files: number };

/** The fixed part of a unit's header. */
export function decodeUnitHeader(format: LaneFormat, bytes: Uint8Array): UnitHeader {
  const input = exactly(bytes, unitHeaderBytes(format), "a unit header");
  if (format === "standard") return decodeRun(input, 0, null);
  const kind = input.getUint8(0);
  if (kind === runKind) return decodeRun(input, 1, safe(input.getBigUint64(14)));
  if (kind !== bundleKind) throw invalid(`unit of kind ${kind}`);
  const files = input.getUint16(1);
  if (files === 0 || files > maxBundleFiles) throw invalid("files in a bundle");
  return { kind: "bundle", files };
}

/** The entries of a bundle, which follow its header: four bytes each. */
export function decodeBundleEntries(bytes: Uint8Array): number[] {
  const files = Math.floor(bytes.length / 4);
  const input = exactly(bytes, 4 * files, "a bundle's list");
  return Array.from({ length: files }, (_, at) => input.getUint32(4 * at));
}

function decodeRun(input: DataView, start: number, length: number | null): UnitHeader {
  const pieceLog = input.getUint8(start + 4);
  if (pieceLog < minPieceLog || pieceLog > maxPieceLog) throw invalid("piece size");
  const pieceBytes = 2 ** pieceLog;
  const offset = safe(input.getBigUint64(start + 5));
  if (offset % pieceBytes !== 0) throw invalid("offset of a run");
  return { kind: "run", entry: input.getUint32(start), offset, length, pieceBytes };
}

function safe(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw invalid("a number over 2^53");
  return Number(value);
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const laneMagic = Buffer.from("QVR");
const progressTag = Buffer.from("QVP\x01");
const runKind = 1;
const bundleKind = 2;
/** entry 4, piece size 1, offset 8, length 8; a bundle's count stands in the first two. */
const ultraRunBytes = 21;
const standardRunBytes = 13;
