/** What a receiver must make of the bytes of pieces, by docs/protocol.md and nothing else. */

import { zstdCompressSync } from "node:zlib";
import { decodePiece } from "../../src/engine/memory-codec.ts";
import { pieceValue } from "../../src/engine/memory-hash.ts";
import { encodeLz4 } from "../../src/engine/memory-lz4.ts";
import { bundleHeader, piece, pieceHead, runHeader } from "../raw-peer.ts";

/** What is to be received: a run of one file, or the files of a bundle. */
export type Shape =
  | { kind: "run"; offset: number; length: number; pieceBytes: number; fileBytes: number }
  | { kind: "bundle"; sizes: readonly number[] };

/** What comes of a stream of pieces. Contents are those of good pieces; null where nothing good came. */
export type Outcome =
  | { kind: "malformed" }
  | { kind: "run"; pieces: readonly PieceOutcome[] }
  | { kind: "bundle"; pieces: readonly PieceOutcome[] };

/** One piece that was announced; behind a malformed one the run ends. */
export type PieceOutcome =
  | { kind: "good"; bytes: Buffer }
  | { kind: "bad" | "absent" | "malformed" };

/** The shapes that are tried; the first byte of an input says which. */
export const shapes: readonly Shape[] = [
  { kind: "run", offset: 0, length: 2058, pieceBytes: 1024, fileBytes: 2058 },
  { kind: "run", offset: 2048, length: 2048, pieceBytes: 2048, fileBytes: 10_000 },
  { kind: "run", offset: 0, length: 0, pieceBytes: 1024, fileBytes: 0 },
  { kind: "bundle", sizes: [3, 0, 700] },
];

/** A truthful stream for each shape, after its number. */
export const pieceSeeds: readonly Uint8Array[] = shapes.flatMap((shape, number) => {
  const parts = piecesOf(shape).map(({ bytes, place }) => piece(Buffer.alloc(bytes, 7), place));
  const absent = [...parts.slice(0, -1), pieceHead(255, 0)];
  const encoded = ([1, 2] as const).map((codec) =>
    piecesOf(shape).map(({ bytes, place }) => encodedPiece(Buffer.alloc(bytes, 7), place, codec)),
  );
  return [parts, absent, ...encoded].map((stream) => Buffer.concat([Buffer.of(number), ...stream]));
});

/** A truthful piece in a codec, where that makes it smaller. */
function encodedPiece(bytes: Uint8Array, place: number | null, codec: 1 | 2): Uint8Array {
  const encoded = codec === 1 ? encodeLz4(bytes) : zstdCompressSync(bytes);
  const plain = piece(bytes, place);
  if (encoded.length >= bytes.length) return plain;
  return Buffer.concat([pieceHead(codec, encoded.length), encoded, plain.subarray(-32)]);
}

/** The bytes of a piece as they are in the file; null for a malformed one. */
function contentOf(codec: number, encoded: Buffer, bytes: number): Buffer | null {
  if (codec === 0) return encoded.length === bytes ? encoded : null;
  const name = codec === 1 ? "lz4" : codec === 2 ? "zstd" : null;
  if (!name || encoded.length === 0 || encoded.length >= bytes) return null;
  try {
    return Buffer.from(decodePiece(name, encoded, bytes));
  } catch {
    return null;
  }
}

/**
 * Reads a stream by the document; any of the outcomes is right.
 *
 * There are two where a stream ends behind a piece's value: a reader may take the value and the next
 * header at one go, and then it has not got the piece.
 */
export function outcomesOf(shape: Shape, stream: Uint8Array): Outcome[] {
  const outcome = outcomeOf(shape, stream);
  if (outcome.kind !== "run" || outcome.pieces.at(-1)?.kind !== "malformed") return [outcome];
  const before = outcome.pieces.slice(0, -2);
  if (before.length === 0) return [outcome, { kind: "malformed" }];
  return [outcome, { kind: "run", pieces: [...before, { kind: "malformed" }] }];
}

function outcomeOf(shape: Shape, stream: Uint8Array): Outcome {
  const input = Buffer.from(stream);
  const pieces: PieceOutcome[] = [];
  // What came before it in a run is proven all the same.
  const malformed = (): Outcome => {
    if (shape.kind === "bundle" || pieces.length === 0) return { kind: "malformed" };
    return { kind: "run", pieces: [...pieces, { kind: "malformed" }] };
  };
  let at = 0;
  for (const { bytes, place } of piecesOf(shape)) {
    if (at + 5 > input.length) return malformed();
    const codec = input.readUInt8(at);
    const length = input.readUInt32BE(at + 1);
    at += 5;
    if (codec === 255 && length === 0) {
      pieces.push({ kind: "absent" });
      if (shape.kind === "run") break;
      continue;
    }
    const end = at + length + 32;
    const content =
      end > input.length ? null : contentOf(codec, input.subarray(at, end - 32), bytes);
    if (!content) return malformed();
    const value = pieceValue(content, { offset: place ?? 0, isWholeFile: place === null });
    const isGood = input.subarray(at + length, end).equals(value);
    pieces.push(isGood ? { kind: "good", bytes: content } : { kind: "bad" });
    at = end;
  }
  return { kind: shape.kind, pieces };
}

/** The pieces of a shape: size, and place in the file; null for a file of one piece. */
export function piecesOf(shape: Shape): { bytes: number; place: number | null }[] {
  if (shape.kind === "bundle") return shape.sizes.map((bytes) => ({ bytes, place: null }));
  const { offset, length, pieceBytes, fileBytes } = shape;
  const count = Math.max(1, Math.ceil(length / pieceBytes));
  return Array.from({ length: count }, (_, position) => {
    const start = position * pieceBytes;
    const isWholeFile = fileBytes <= pieceBytes;
    return {
      bytes: Math.min(pieceBytes, length - start),
      place: isWholeFile ? null : offset + start,
    };
  });
}

/** The header of the unit that has a shape; entries are 1 for a run, and 1, 2, ... for a bundle. */
export function headerOf(shape: Shape): Uint8Array {
  if (shape.kind === "bundle") return bundleHeader(shape.sizes.map((_, at) => at + 1));
  const { offset, length, pieceBytes } = shape;
  return runHeader({ entry: 1, pieceLog: Math.log2(pieceBytes), offset, length });
}
