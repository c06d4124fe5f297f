/** One piece on a stream in memory, in the wire form of docs/protocol.md. */

import { TransferError } from "../errors.ts";
import type { PieceRun } from "./engine.ts";
import { type PiecePlace, pieceValue, VALUE_BYTES } from "./memory-hash.ts";
import type { Pipe } from "./memory-pipe.ts";

/** A piece as it came, and the value that its bytes really have. */
export interface ReceivedPiece {
  bytes: Uint8Array;
  value: Uint8Array;
  /** Whether the value that came with it is the real one. */
  isProven: boolean;
}

/** Writes a piece, and returns its value. */
export async function writePiece(
  pipe: Pipe,
  bytes: Uint8Array,
  place: PiecePlace,
): Promise<Uint8Array> {
  const value = pieceValue(bytes, place);
  await pipe.write(Buffer.concat([head(PLAIN, bytes.length), bytes, value]));
  return value;
}

/** Writes that a piece cannot be read. */
export async function writeAbsentPiece(pipe: Pipe): Promise<void> {
  await pipe.write(head(ABSENT, 0));
}

/** Reads a piece of `pieceBytes`; null if the sender could not read it. */
export async function readPiece(
  pipe: Pipe,
  pieceBytes: number,
  place: PiecePlace,
): Promise<ReceivedPiece | null> {
  const start = Buffer.from(await readExactly(pipe, HEAD_BYTES));
  const codec = start.readUInt8(0);
  const length = start.readUInt32BE(1);
  if (codec === ABSENT && length === 0) return null;
  if (codec !== PLAIN || length !== pieceBytes) {
    throw new TransferError(
      "INVALID_FRAME",
      `a piece of ${pieceBytes} bytes came as codec ${codec} with ${length} bytes`,
    );
  }
  const bytes = await readExactly(pipe, pieceBytes);
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
const PLAIN = 0;
const ABSENT = 255;
