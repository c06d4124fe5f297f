/** The codecs of pieces, for the memory engine: Zstandard is Node's own. */

import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { Codec, Coding } from "../codec.ts";
import { TransferError } from "../errors.ts";
import { decodeLz4, encodeLz4 } from "./memory-lz4.ts";

/** Number of each codec on the wire. */
export const codecNumbers: Readonly<Record<Codec, number>> = { none: 0, lz4: 1, zstd: 2 };

/** Checks a coding as `SendStream.setCoding` promises. */
export function checkCoding({ codec, level }: Coding): Coding {
  if (Number.isInteger(level) && Math.abs(level) <= highestLevel) return { codec, level };
  throw new TransferError("INVALID_ARGUMENT", `level: ${level} is none of ${codec}`);
}

/** The bytes as a codec makes them; null where that is not fewer. */
export function encodePiece(bytes: Uint8Array, { codec, level }: Coding): Uint8Array | null {
  if (codec === "none" || bytes.length === 0) return null;
  const params = { [constants.ZSTD_c_compressionLevel]: level };
  const encoded = codec === "lz4" ? encodeLz4(bytes) : zstdCompressSync(bytes, { params });
  return encoded.length < bytes.length ? encoded : null;
}

/** A piece of exactly `size` bytes; `INVALID_FRAME` for anything else. */
export function decodePiece(codec: Codec, encoded: Uint8Array, size: number): Uint8Array {
  const bytes = codec === "lz4" ? decodeLz4(encoded, size) : decodeZstd(encoded, size);
  if (bytes?.length === size) return bytes;
  const message = `a piece of ${size} bytes was encoded as something else`;
  throw new TransferError("INVALID_FRAME", message);
}

/** One frame and nothing behind it, which Node would not mind: without its last byte it must be none. */
function decodeZstd(encoded: Uint8Array, size: number): Uint8Array | null {
  const isCut = inflate(encoded.subarray(0, -1), size) === null;
  return isCut ? inflate(encoded, size) : null;
}

function inflate(encoded: Uint8Array, size: number): Uint8Array | null {
  try {
    return zstdDecompressSync(encoded, { maxOutputLength: size });
  } catch {
    // Whatever it says: these bytes are no frame of that size.
    return null;
  }
}

const highestLevel = 22;
