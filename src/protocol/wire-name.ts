/** Names and paths in messages: Unicode travels as text, any other name as its bytes. */

import { decodeName, encodeName, isUnicode } from "../lossless-name.ts";
import { bytes, invalid } from "./fields.ts";

/** A lossless name as a CBOR value. */
export function nameToWire(name: string): string | Uint8Array {
  return isUnicode(name) ? name : encodeName(name);
}

/** The lossless name of a CBOR value, at most `most` bytes long. */
export function nameFromWire(value: unknown, what: string, most: number): string {
  if (typeof value === "string") {
    if (!isUnicode(value) || Buffer.byteLength(value) > most) throw invalid(what);
    return value;
  }
  const raw = bytes(value, what);
  if (raw.length > most) throw invalid(what);
  const name = decodeName(raw);
  // One name has one form: bytes only where text cannot say it.
  if (isUnicode(name)) throw invalid(what);
  return name;
}
