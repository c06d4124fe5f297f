/**
 * BLAKE3 with its tree in sight, for the memory engine only: slow and small.
 *
 * Section numbers are those of the BLAKE3 paper. Only the plain hash of 32 bytes is here. Hash
 * libraries for JavaScript give the root alone; pieces need the values of subtrees.
 */

import { TransferError } from "../errors.ts";

/** A piece's place in its file. */
export interface PiecePlace {
  /** First byte in the file; a multiple of the piece size. */
  offset: number;
  /** Whether the piece is the whole file: then its value is the file's hash. */
  isWholeFile: boolean;
}

/** The value of a piece: its subtree's chaining value, or the file's hash if it is the whole file. */
export function pieceValue(bytes: Uint8Array, place: PiecePlace): Uint8Array {
  const rootFlag = place.isWholeFile ? ROOT : 0;
  return toBytes(subtree(bytes, place.offset / CHUNK_BYTES, rootFlag));
}

/** The file's BLAKE3 hash, made of the values of all its pieces; see `Engine.mergePieces`. */
export function mergePieces(values: Uint8Array, fileBytes: number, pieceBytes: number): Uint8Array {
  const pieces = Math.max(1, Math.ceil(fileBytes / pieceBytes));
  if (values.length !== pieces * VALUE_BYTES) {
    throw new TransferError(
      "INVALID_ARGUMENT",
      `a file of ${pieces} pieces has ${pieces * VALUE_BYTES} bytes of values, not ${values.length}`,
    );
  }
  if (pieces === 1) return values.slice();
  return toBytes(merge(values, pieces, ROOT));
}

function merge(values: Uint8Array, pieces: number, rootFlag: number): Words {
  if (pieces === 1) return toWords(values, 8);
  const left = largestPowerBelow(pieces);
  return parent(
    merge(values.subarray(0, left * VALUE_BYTES), left, 0),
    merge(values.subarray(left * VALUE_BYTES), pieces - left, 0),
    rootFlag,
  );
}

/** Section 2.1: the left subtree is full, and is the largest that leaves something to the right. */
function subtree(bytes: Uint8Array, firstChunk: number, rootFlag: number): Words {
  if (bytes.length <= CHUNK_BYTES) return chunk(bytes, firstChunk, rootFlag);
  const left = largestPowerBelow(Math.ceil(bytes.length / CHUNK_BYTES));
  return parent(
    subtree(bytes.subarray(0, left * CHUNK_BYTES), firstChunk, 0),
    subtree(bytes.subarray(left * CHUNK_BYTES), firstChunk + left, 0),
    rootFlag,
  );
}

/** Section 2.4: a chunk is a chain of blocks; an empty chunk has one empty block. */
function chunk(bytes: Uint8Array, index: number, rootFlag: number): Words {
  let value: Words = IV;
  let at = 0;
  do {
    const block = bytes.subarray(at, at + BLOCK_BYTES);
    const isLast = at + BLOCK_BYTES >= bytes.length;
    const flags = (at === 0 ? CHUNK_START : 0) | (isLast ? CHUNK_END | rootFlag : 0);
    const input = { words: toWords(block, 16), counter: index, bytes: block.length, flags };
    value = compress(value, input);
    at += BLOCK_BYTES;
  } while (at < bytes.length);
  return value;
}

/** Section 2.5. */
function parent(left: Words, right: Words, rootFlag: number): Words {
  const words = new Uint32Array(16);
  words.set(left);
  words.set(right, 8);
  return compress(IV, { words, counter: 0, bytes: BLOCK_BYTES, flags: PARENT | rootFlag });
}

interface Block {
  words: Words;
  counter: number;
  bytes: number;
  flags: number;
}

/** Section 2.2: seven rounds over a state of 16 words; the first half of the result. */
function compress(value: Words, block: Block): Words {
  const state = new Uint32Array(16);
  state.set(value);
  state.set(IV.subarray(0, 4), 8);
  state[12] = block.counter % 2 ** 32;
  state[13] = Math.floor(block.counter / 2 ** 32);
  state[14] = block.bytes;
  state[15] = block.flags;
  for (const order of wordOrders) round(state, block.words, order);
  const result = new Uint32Array(8);
  for (let i = 0; i < 8; i += 1) result[i] = at(state, i) ^ at(state, i + 8);
  return result;
}

function round(state: Words, words: Words, order: Uint8Array): void {
  for (let i = 0; i < 8; i += 1) {
    const [a, b, c, d] = mixed[i] ?? [0, 0, 0, 0];
    const x = at(words, at(order, 2 * i));
    const y = at(words, at(order, 2 * i + 1));
    let first = (at(state, a) + at(state, b) + x) | 0;
    let fourth = rotate(at(state, d) ^ first, 16);
    let third = (at(state, c) + fourth) | 0;
    let second = rotate(at(state, b) ^ third, 12);
    first = (first + second + y) | 0;
    fourth = rotate(fourth ^ first, 8);
    third = (third + fourth) | 0;
    second = rotate(second ^ third, 7);
    state[a] = first;
    state[b] = second;
    state[c] = third;
    state[d] = fourth;
  }
}

function rotate(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

function at(words: Words | Uint8Array, index: number): number {
  return words[index] ?? 0;
}

function largestPowerBelow(count: number): number {
  return 2 ** Math.floor(Math.log2(count - 1));
}

/** Little-endian words; what is missing is zero. */
function toWords(bytes: Uint8Array, count: number): Words {
  const words = new Uint32Array(count);
  for (let i = 0; i < bytes.length && i < count * 4; i += 1) {
    words[i >> 2] = at(words, i >> 2) | (at(bytes, i) << (8 * (i & 3)));
  }
  return words;
}

function toBytes(words: Words): Uint8Array {
  const bytes = new Uint8Array(words.length * 4);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = at(words, i >> 2) >>> (8 * (i & 3));
  return bytes;
}

type Words = Uint32Array;

/** Bytes of a value. */
export const VALUE_BYTES = 32;
const CHUNK_BYTES = 1_024;
const BLOCK_BYTES = 64;

const CHUNK_START = 1;
const CHUNK_END = 2;
const PARENT = 4;
const ROOT = 8;

const IV = Uint32Array.of(
  0x6a09e667,
  0xbb67ae85,
  0x3c6ef372,
  0xa54ff53a,
  0x510e527f,
  0x9b05688c,
  0x1f83d9ab,
  0x5be0cd19,
);

/** The words of the state that each of a round's eight steps mixes: columns, then diagonals. */
const mixed = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
] as const;

/** The order of the message's words in each round: the permutation of table 2, applied again and again. */
const wordOrders = (() => {
  const permutation = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];
  let order = Uint8Array.from({ length: 16 }, (_, i) => i);
  return Array.from({ length: 7 }, () => {
    const used = order;
    order = Uint8Array.from(permutation, (from) => at(used, from));
    return used;
  });
})();
