/**
 * Frames of the control and progress streams: a length and one CBOR value.
 *
 * The CBOR is RFC 8949 with definite lengths only, no tags, no duplicate keys, no NaN or infinity.
 */

import { decode, encode } from "cborg";
import { invalid } from "./fields.ts";
import { maxFrameBytes } from "./limits.ts";

/** Bytes before each frame's body: its length, big-endian. */
export const frameHeaderBytes = 4;

/** A value as a frame. */
export function encodeFrame(value: unknown): Uint8Array {
  const body = encode(value);
  if (body.length > maxFrameBytes) {
    throw new RangeError(`a message of ${body.length} bytes is over the limit of ${maxFrameBytes}`);
  }
  const frame = new Uint8Array(frameHeaderBytes + body.length);
  new DataView(frame.buffer).setUint32(0, body.length);
  frame.set(body, frameHeaderBytes);
  return frame;
}

/** The length of a frame's body, from its header. `INVALID_FRAME` when it is 0 or over the limit. */
export function frameBodyBytes(header: Uint8Array): number {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const length = view.getUint32(0);
  if (length === 0 || length > maxFrameBytes) throw invalid(`a frame of ${length} bytes`);
  return length;
}

/** The value of a frame's body. */
export function decodeFrameBody(body: Uint8Array): unknown {
  return decodeCbor(body);
}

/** One CBOR value and nothing after it. */
export function decodeCbor(body: Uint8Array): unknown {
  try {
    return decode(body, {
      allowIndefinite: false,
      allowUndefined: false,
      allowInfinity: false,
      allowNaN: false,
      allowBigInt: false,
      rejectDuplicateMapKeys: true,
      useMaps: false,
    });
  } catch (error) {
    throw invalid(error instanceof Error ? error.message : "CBOR");
  }
}
