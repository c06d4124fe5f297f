/** A file whose size is known at its end: it grows with what comes. */

import type { PieceRun } from "../engine/engine.ts";
import { TransferError } from "../errors.ts";
import { invalid } from "../protocol/fields.ts";
import { maxPieces, maxStreamAhead } from "../protocol/limits.ts";
import { ArrivingFile } from "./arriving-file.ts";
import { piecesIn } from "./plan.ts";

/** See the file's head. */
export class ArrivingStream extends ArrivingFile {
  /** Where the last of the runs ends that came or are on their way. */
  #reach = 0;
  /** Where the file ends, once a run or the sender has said so. */
  #end: number | null = null;

  /** See {@link StreamArrivals.knownEnd}. */
  get knownEnd(): number | null {
    return this.#end;
  }

  protected override get firstBytes(): null {
    return null;
  }

  /** See {@link ArrivingFile.claim}. A run that ends within a piece is the last one. */
  override claim(offset: number, length: number | null): PieceRun {
    const { pieceBytes, bytesInOrder } = this.table;
    if (length === null) throw invalid("a stream in this format");
    const end = offset + length;
    if (end > bytesInOrder + maxStreamAhead) throw invalid("a run far ahead");
    if (length === 0 && offset > 0) throw invalid("run");
    if (end > maxPieces * pieceBytes) throw tooLong;
    if (end > (this.#end ?? end)) throw invalid("a run behind the end");
    // A file of one piece has its hash for a value; a longer one begins with two pieces.
    const isWhole = offset === 0 && length <= pieceBytes && this.#reach <= pieceBytes;
    const isLast = isWhole || length % pieceBytes !== 0;
    if (isLast) this.#endAt(end);
    this.#reach = Math.max(this.#reach, end);
    const pieces = piecesIn(length, pieceBytes);
    this.table.grow(offset / pieceBytes + pieces);
    this.table.claim(offset / pieceBytes, pieces);
    return { offset, length, pieceBytes, fileBytes: isLast ? end : Number.MAX_SAFE_INTEGER };
  }

  /** Takes the sender's word for its size. `INVALID_FRAME` if what came says otherwise. */
  end(bytes: number): void {
    this.#endAt(bytes);
    const { pieceBytes, bytesInOrder } = this.table;
    if (bytes > bytesInOrder + maxStreamAhead) throw invalid("an end far ahead");
    if (bytes > maxPieces * pieceBytes) throw tooLong;
    this.table.end(bytes);
  }

  #endAt(end: number): void {
    if (end < this.#reach || end !== (this.#end ?? end)) throw invalid("the end of a stream");
    this.#end = end;
  }
}

const tooLong = new TransferError(
  "LIMIT_EXCEEDED",
  `the stream has more than ${maxPieces} pieces; send it in parts`,
);
