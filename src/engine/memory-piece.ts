/** One piece on a stream in memory, in the wire form of docs/protocol.md. */

import type { Codec, Coding } from "../codec.ts";
import { TransferError } from "../errors.ts";
import type { EncodedBytes, PieceRun } from "./engine.ts";
import { codecNumbers, decodePiece, encodePiece } from "./memory-codec.ts";
import { type PiecePlace, pieceValue, VALUE_BYTES } from "./memory-hash.ts";
import type { Pipe } from "./memory-pipe.ts";

/** A piece as it came, and the value that its bytes really have. */
export interface ReceivedPiece {
  bytes: Uint8Array;
  value: Uint8Array;
  /** Whether the value that came with it is the real one. */
  isProven: boolean;
}

/** Where pieces are written, how they are encoded, and what that has taken. */
export interface PieceWriter {
  readonly pipe: Pipe;
  readonly coding: Coding;
  readonly encoded: EncodedBytes;
}

/** Where pieces are read, and the codecs that are taken. */
export interface PieceReader {
  readonly pipe: Pipe;
  readonly codecs: readonly Codec[];
}

/** Writes a piece, and returns its value. */
export async function writePiece(
  { pipe, coding, encoded: counts }: PieceWriter,
  bytes: Uint8Array,
  place: PiecePlace,
): Promise<Uint8Array> {
  const value = pieceValue(bytes, place);
  const encoded = encodePiece(bytes, coding);
  const sent = encoded ?? bytes;
  const codec = codecNumbers[encoded ? coding.codec : "none"];
  await pipe.write(Buffer.concat([head(codec, sent.length), sent, value]));
  if (coding.codec === "none") return value;
  counts.rawBytes += bytes.length;
  counts.sentBytes += sent.length;
  counts.encodeMs += bytes.length / BYTES_PER_MS;
  return value;
}

/** Writes that a piece cannot be read. */
export async function writeAbsentPiece({ pipe }: PieceWriter): Promise<void> {
  await pipe.write(head(ABSENT, 0));
}

/** Reads a piece of `pieceBytes`; null if the sender could not read it. */
export async function readPiece(
  { pipe, codecs }: PieceReader,
  pieceBytes: number,
  place: PiecePlace,
): Promise<ReceivedPiece | null> {
  const start = Buffer.from(await readExactly(pipe, HEAD_BYTES));
  const number = start.readUInt8(0);
  const length = start.readUInt32BE(1);
  if (number === ABSENT && length === 0) return null;
  const codec = codecs.find((one) => codecNumbers[one] === number) ?? "none";
  const isEncoded = codec !== "none" && length > 0 && length < pieceBytes;
  const isPlain = number === codecNumbers.none && length === pieceBytes;
  if (!isEncoded && !isPlain) {
    throw new TransferError(
      "INVALID_FRAME",
      `a piece of ${pieceBytes} bytes came as codec ${number} with ${length} bytes`,
    );
  }
  const sent = await readExactly(pipe, length);
  const bytes = isEncoded ? decodePiece(codec, sent, pieceBytes) : sent;
  const promised = await readExactly(pipe, VALUE_BYTES);
  const value = pieceValue(bytes, place);
  return { bytes, value, isProven: Buffer.from(promised).equals(value) };
}

/** A run's pieces in order: where each is, and how long. */
export function* piecesOf(run: PieceRun): Generator<PiecePlace & { bytes: number }> {
  checkRun(run);
  const isWholeFile = run.fileBytes <= run.pieceBytes;
  const end = run.offset + run.length;
  let offset = run.offset;
  do {
    const bytes = Math.min(run.pieceBytes, end - offset);
    yield { offset, bytes, isWholeFile };
    offset += run.pieceBytes;
  } while (offset < end);
}

function checkRun({ offset, length, pieceBytes, fileBytes }: PieceRun): void {
  const isPower = pieceBytes >= 1_024 && Number.isInteger(Math.log2(pieceBytes));
  const end = offset + length;
  const isAligned = offset % pieceBytes === 0 && (length % pieceBytes === 0 || end === fileBytes);
  const isInside = offset >= 0 && length >= 0 && end <= fileBytes;
  const isSome = length > 0 || fileBytes === 0;
  if (isPower && isAligned && isInside && isSome) return;
  throw new TransferError(
    "INVALID_ARGUMENT",
    `${length} bytes from ${offset} are not a run of pieces of ${pieceBytes} in ${fileBytes} bytes`,
  );
}

async function readExactly(pipe: Pipe, length: number): Promise<Uint8Array> {
  const bytes = await pipe.read(length);
  if (bytes) return bytes;
  throw new TransferError("INVALID_FRAME", "the stream ended where a piece goes on");
}

function head(codec: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(HEAD_BYTES);
  bytes.writeUInt8(codec, 0);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

const HEAD_BYTES = 5;
const ABSENT = 255;
/** The speed of each codec in this engine, where nothing else takes time. */
const BYTES_PER_MS = 250_000;
