/** Pieces that are there, and pieces that are to be compared, as they travel. */

import { bytes, entryNumber, integer, invalid, tuple } from "./fields.ts";
import { valueBytes } from "./lane.ts";
import { maxPieceLog, maxPieces, minPieceLog } from "./limits.ts";
import type { ComparedPieces, HeldPieces } from "./messages.ts";

/** The size of a piece, of its exponent. */
export function pieceBytesOf(log: unknown): number {
  return 2 ** integer(log, "piece size", minPieceLog, maxPieceLog);
}

/** Pieces that are there. */
export function heldOf(value: unknown): HeldPieces {
  const { last, ...place } = placeOf(value);
  return { ...place, count: integer(last, "count", 1, maxPieces) };
}

/** The same as they travel. */
export function heldToWire({ count, ...place }: HeldPieces): unknown[] {
  return placeToWire(place, count);
}

/** Pieces that are to be compared. */
export function comparedOf(value: unknown): ComparedPieces {
  const { last, ...place } = placeOf(value);
  const values = bytes(last, "values");
  if (values.length === 0 || values.length % valueBytes !== 0) throw invalid("values");
  return { ...place, values };
}

/** The same as they travel. */
export function comparedToWire({ values, ...place }: ComparedPieces): unknown[] {
  return placeToWire(place, values);
}

/** Where pieces begin. */
type Place = Omit<HeldPieces, "count">;

function placeOf(value: unknown): Place & { last: unknown } {
  const [entry, log, first, last] = tuple(value, "pieces", 4);
  return {
    entry: entryNumber(entry),
    pieceBytes: pieceBytesOf(log),
    first: integer(first, "first piece", 0, maxPieces - 1),
    last,
  };
}

function placeToWire({ entry, pieceBytes, first }: Place, last: unknown): unknown[] {
  return [entry, Math.log2(pieceBytes), first, last];
}
