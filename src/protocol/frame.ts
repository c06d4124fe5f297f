/**
 * Frames of the control and progress streams: a length and one CBOR value.
 *
 * The CBOR is RFC 8949 with the shortest form of each integer and length, definite lengths only,
 * valid UTF-8, no tags, no duplicate keys, no undefined, NaN or infinity.
 */

import { decode, encode, type Token, Tokenizer, Type } from "cborg";
import { displayText } from "../display-text.ts";
import { exactly, invalid } from "./fields.ts";
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

/** The length of a frame's body, from its header. `INVALID_FRAME` when it is 0 or over `most`. */
export function frameBodyBytes(header: Uint8Array, most = maxFrameBytes): number {
  const length = exactly(header, frameHeaderBytes, "a frame header").getUint32(0);
  if (length === 0 || length > most) throw invalid(`a frame of ${length} bytes`);
  return length;
}

/** The value of a frame's body. */
export function decodeFrameBody(body: Uint8Array): unknown {
  return decodeCbor(body);
}

/** One CBOR value and nothing after it. */
export function decodeCbor(body: Uint8Array): unknown {
  // Of a plain array, byte strings come as copies: a short one does not hold on to a long message.
  const plain = new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  try {
    return decode(plain, { ...options, tokenizer: exactTokens(plain) });
  } catch (error) {
    // The library's words can have the peer's in them.
    throw invalid(error instanceof Error ? displayText(error.message, 100) : "CBOR");
  }
}

/**
 * cborg's tokens with the very text that was sent.
 *
 * Its own reading of text drops a leading U+FEFF and mends broken UTF-8: two names would become one.
 */
function exactTokens(data: Uint8Array) {
  const tokens = new Tokenizer(data, options);
  return {
    done: () => tokens.done(),
    pos: () => tokens.pos(),
    next: () => exactText(tokens.next()),
  };
}

function exactText(token: Token): Token {
  const { byteValue } = token;
  if (token.type !== Type.string || byteValue === undefined) return token;
  const isAscii = token.value.length === byteValue.length && !token.value.includes("\ufffd");
  if (!isAscii) token.value = strictUtf8.decode(byteValue);
  return token;
}

const options = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
  rejectDuplicateMapKeys: true,
  retainStringBytes: true,
  useMaps: false,
};
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
