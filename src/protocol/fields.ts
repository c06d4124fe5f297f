/** Reads the fields of a decoded message; whatever is not as promised is an `INVALID_FRAME`. */

import { codeOfWire, TransferError } from "../errors.ts";
import { maxEntries, maxReason, maxWord } from "./limits.ts";
import type { WireFailure } from "./messages.ts";

/** A decoded CBOR map. */
export type Fields = Readonly<Record<string, unknown>>;

/** The failure of a message that is not as docs/protocol.md says. */
export function invalid(what: string): TransferError {
  return new TransferError(
    "INVALID_FRAME",
    `the peer sent a malformed message (${what}); are both sides of one version?`,
  );
}

/** A map. */
export function fieldsOf(value: unknown, what: string): Fields {
  if (!isMap(value)) throw invalid(what);
  return value;
}

function isMap(value: unknown): value is Fields {
  if (typeof value !== "object" || value === null) return false;
  return !Array.isArray(value) && !ArrayBuffer.isView(value);
}

/** A whole number in a range, ends included. */
export function integer(value: unknown, what: string, least: number, most: number): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw invalid(what);
  if (value < least || value > most) throw invalid(what);
  // A float can say -0.
  return value === 0 ? 0 : value;
}

/** A finite number of at least 0. */
export function quantity(value: unknown, what: string): number {
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0) throw invalid(what);
  return Math.abs(value);
}

/** A number of bytes, or a place in a file. */
export function byteCount(value: unknown, what: string): number {
  return integer(value, what, 0, Number.MAX_SAFE_INTEGER);
}

/** The position of an entry in the manifest. */
export function entryNumber(value: unknown): number {
  return integer(value, "entry", 0, maxEntries - 1);
}

/** A text of at most `most` UTF-16 units. */
export function text(value: unknown, what: string, most: number): string {
  if (typeof value !== "string" || value.length > most) throw invalid(what);
  return value;
}

/** A byte string; of exactly `length` bytes if given. */
export function bytes(value: unknown, what: string, length?: number): Uint8Array {
  if (!(value instanceof Uint8Array)) throw invalid(what);
  if (length !== undefined && value.length !== length) throw invalid(what);
  return value;
}

/** A byte string of so many bytes at most. */
export function bytesUpTo(value: unknown, what: string, most: number): Uint8Array {
  const some = bytes(value, what);
  if (some.length > most) throw invalid(what);
  return some;
}

/** The id of a transfer or a request, 16 bytes, as hex digits. */
export function hexId(value: unknown, what: string): string {
  return Buffer.from(bytes(value, what, 16)).toString("hex");
}

/** The failure that the fields of a message or of an item tell. */
export function failureOf(fields: Fields): WireFailure {
  return {
    code: codeOfWire(integer(fields["code"], "code", 0, maxWire)),
    reason: text(fields["reason"], "reason", maxReason),
  };
}

/** A list of at most `most` items, each read by `item`. */
export function list<T>(
  value: unknown,
  what: string,
  most: number,
  item: (value: unknown) => T,
): T[] {
  if (!Array.isArray(value) || value.length > most) throw invalid(what);
  return value.map(item);
}

/** One of a closed set of words. */
export function word<T extends string>(value: unknown, what: string, words: readonly T[]): T {
  const found = words.find((candidate) => candidate === value);
  if (found === undefined) throw invalid(what);
  return found;
}

/** One of a set of words that may grow; null for one that this version does not know. */
export function knownWord<T extends string>(
  value: unknown,
  what: string,
  words: readonly T[],
): T | null {
  const named = text(value, what, maxWord);
  return words.find((candidate) => candidate === named) ?? null;
}

/** A tuple: a list of at least `least` items; more are left for later versions. */
export function tuple(value: unknown, what: string, least: number): unknown[] {
  if (!Array.isArray(value) || value.length < least || value.length > least + 16) {
    throw invalid(what);
  }
  return value;
}

/** A view of a binary header of exactly `length` bytes. */
export function exactly(header: Uint8Array, length: number, what: string): DataView {
  if (header.length !== length) throw invalid(`${what} of ${header.length} bytes`);
  return new DataView(header.buffer, header.byteOffset, header.byteLength);
}

/** The largest error number that can be told. */
export const maxWire = 0xffff;
