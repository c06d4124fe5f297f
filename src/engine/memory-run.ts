/** Runs of pieces between a stream and a file, both in memory. */

import { TransferError } from "../errors.ts";
import type { PartialFile, PieceRun, ReceivedRun, SentRun, SourceFile } from "./engine.ts";
import { MemoryPartialFile, MemorySourceFile } from "./memory-files.ts";
import { VALUE_BYTES } from "./memory-hash.ts";
import {
  type PieceReader,
  type PieceWriter,
  piecesOf,
  readPiece,
  writeAbsentPiece,
  writePiece,
} from "./memory-piece.ts";

/** See `SendStream.sendRun`. */
export async function sendRun(
  writer: PieceWriter,
  source: SourceFile,
  run: PieceRun,
): Promise<SentRun> {
  if (!(source instanceof MemorySourceFile)) throw new TypeError("a file of another engine");
  const values: Uint8Array[] = [];
  for (const piece of piecesOf(run)) {
    const leave = writer.pipe.spent.write.enter("disk");
    const bytes = readOf(source, piece);
    leave();
    if (bytes instanceof Error) {
      await writeAbsentPiece(writer);
      return { values: Buffer.concat(values), failure: bytes };
    }
    values.push(await writePiece(writer, bytes, piece));
  }
  return { values: Buffer.concat(values), failure: null };
}

/** See `ReceiveStream.receiveRun`. */
export async function receiveRun(
  reader: PieceReader,
  partial: PartialFile,
  run: PieceRun,
): Promise<ReceivedRun> {
  if (!(partial instanceof MemoryPartialFile)) throw new TypeError("a file of another engine");
  const pieces = [...piecesOf(run)];
  const values = new Uint8Array(pieces.length * VALUE_BYTES);
  const bad: number[] = [];
  let absentFrom = 0;
  try {
    for (const [position, place] of pieces.entries()) {
      const piece = await readPiece(reader, place.bytes, place);
      if (!piece) break;
      values.set(piece.value, position * VALUE_BYTES);
      const leave = reader.pipe.spent.read.enter("disk");
      try {
        if (piece.isProven) partial.write(place.offset, piece.bytes);
        else bad.push(position);
      } finally {
        leave();
      }
      absentFrom = position + 1;
    }
  } catch (error) {
    if (absentFrom === 0 || !(error instanceof TransferError)) throw error;
    return { values, bad, absentFrom, failure: error };
  }
  return { values, bad, absentFrom, failure: null };
}

/** The bytes of a piece, or why they cannot be had. */
function readOf(
  source: MemorySourceFile,
  piece: { offset: number; bytes: number },
): Uint8Array | TransferError {
  try {
    return source.read(piece.offset, piece.bytes);
  } catch (error) {
    if (error instanceof TransferError) return error;
    throw error;
  }
}
