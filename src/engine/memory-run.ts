/** Runs of pieces between a stream and a file, both in memory. */

import type { PartialFile, PieceRun, ReceivedRun, SentRun, SourceFile } from "./engine.ts";
import { MemoryPartialFile, MemorySourceFile } from "./memory-files.ts";
import { VALUE_BYTES } from "./memory-hash.ts";
import { piecesOf, readPiece, writeAbsentPiece, writePiece } from "./memory-piece.ts";
import type { Pipe } from "./memory-pipe.ts";

/** See `SendStream.sendRun`. */
export async function sendRun(pipe: Pipe, source: SourceFile, run: PieceRun): Promise<SentRun> {
  if (!(source instanceof MemorySourceFile)) throw new TypeError("a file of another engine");
  const values: Uint8Array[] = [];
  for (const piece of piecesOf(run)) {
    const bytes = source.read(piece.offset, piece.bytes);
    if (bytes instanceof Error) {
      await writeAbsentPiece(pipe);
      return { values: Buffer.concat(values), failure: bytes };
    }
    values.push(await writePiece(pipe, bytes, piece));
  }
  return { values: Buffer.concat(values), failure: null };
}

/** See `ReceiveStream.receiveRun`. */
export async function receiveRun(
  pipe: Pipe,
  partial: PartialFile,
  run: PieceRun,
): Promise<ReceivedRun> {
  if (!(partial instanceof MemoryPartialFile)) throw new TypeError("a file of another engine");
  const pieces = [...piecesOf(run)];
  const values = new Uint8Array(pieces.length * VALUE_BYTES);
  const bad: number[] = [];
  for (const [position, place] of pieces.entries()) {
    const piece = await readPiece(pipe, place.bytes, place);
    if (!piece) return { values, bad, absentFrom: position };
    values.set(piece.value, position * VALUE_BYTES);
    if (piece.isProven) partial.write(place.offset, piece.bytes);
    else bad.push(position);
  }
  return { values, bad, absentFrom: pieces.length };
}
