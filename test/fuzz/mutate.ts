/** Changes valid inputs in the ways in which parsers break. */

import type { Random } from "./random.ts";

/** An input with one to four changes. `others` are inputs to take parts from. */
export function mutate(
  input: Uint8Array,
  others: readonly Uint8Array[],
  random: Random,
): Uint8Array {
  let bytes: Buffer = Buffer.from(input);
  for (let changes = 1 + random.below(4); changes > 0; changes -= 1) {
    bytes = random.pick(mutations)(bytes, random, others);
  }
  return new Uint8Array(bytes.subarray(0, mostBytes));
}

type Mutation = (bytes: Buffer, random: Random, others: readonly Uint8Array[]) => Buffer;

const flipBit: Mutation = (bytes, random) => {
  const at = random.below(bytes.length);
  return set(bytes, at, Buffer.of((bytes[at] ?? 0) ^ (1 << random.below(8))));
};

const setByte: Mutation = (bytes, random) =>
  set(bytes, random.below(bytes.length), Buffer.of(random.pick(edgeBytes)));

const setInteger: Mutation = (bytes, random) => {
  const integer = integerBytes(random.pick(edges), random.pick([2, 4, 8]));
  return set(bytes, random.below(bytes.length), integer);
};

const insertInteger: Mutation = (bytes, random) => {
  const width = random.pick([1, 2, 4, 8]);
  // With the first byte of CBOR that announces it, of any kind.
  const head = Buffer.of((random.below(8) << 5) | (24 + Math.log2(width)));
  return insert(bytes, random, Buffer.concat([head, integerBytes(random.pick(edges), width)]));
};

const nudge: Mutation = (bytes, random) => {
  const at = random.below(bytes.length);
  return set(bytes, at, Buffer.of(((bytes[at] ?? 0) + random.below(33) - 16) & 255));
};

const truncate: Mutation = (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1));

const remove: Mutation = (bytes, random) => {
  const { from, to } = slice(bytes, random);
  return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
};

const repeat: Mutation = (bytes, random) => {
  const { from, to } = slice(bytes, random);
  const times = random.pick([1, 1, 1, 2, 17, 300]);
  const part = bytes.subarray(from, Math.min(to, from + mostBytes / times));
  return Buffer.concat([bytes.subarray(0, to), ...Array(times).fill(part), bytes.subarray(to)]);
};

const insertRandom: Mutation = (bytes, random) =>
  insert(bytes, random, random.bytes(1 + random.below(8)));

const insertToken: Mutation = (bytes, random) => insert(bytes, random, random.pick(tokens));

const splice: Mutation = (bytes, random, others) => {
  const other = Buffer.from(random.pick([bytes, ...others]));
  const { from, to } = slice(other, random);
  const hole = slice(bytes, random);
  const end = random.pick([hole.from, hole.to]);
  return Buffer.concat([
    bytes.subarray(0, hole.from),
    other.subarray(from, to),
    bytes.subarray(end),
  ]);
};

const mutations: readonly Mutation[] = [
  flipBit,
  setByte,
  setInteger,
  insertInteger,
  nudge,
  truncate,
  remove,
  repeat,
  insertRandom,
  insertToken,
  splice,
];

function set(bytes: Buffer, at: number, part: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at + part.length)]);
}

function insert(bytes: Buffer, random: Random, part: Uint8Array): Buffer {
  const at = random.below(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)]);
}

function slice(bytes: Uint8Array, random: Random): { from: number; to: number } {
  const from = random.below(bytes.length + 1);
  return { from, to: from + random.below(Math.min(256, bytes.length - from) + 1) };
}

function integerBytes(value: bigint, width: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt.asUintN(64, value));
  return bytes.subarray(8 - width);
}

/** Where types and limits end, and one to either side. */
const edges = [
  ...[0n, 16n, 24n, 32n, 64n, 128n, 255n, 256n, 511n, 512n, 1000n, 1024n, 4096n, 8192n],
  ...[65_535n, 262_144n, 1_048_576n, 10_000_000n, 2n ** 24n, 2n ** 31n, 2n ** 32n],
  ...[2n ** 53n, 8_640_000_000_000_000n, 2n ** 63n, 2n ** 64n],
].flatMap((edge) => [edge - 1n, edge, edge + 1n]);

const edgeBytes = [
  0, 1, 9, 10, 24, 31, 32, 46, 47, 92, 127, 128, 159, 160, 192, 224, 240, 254, 255,
];

/** Parts that mean something to a parser of ours, or to the system behind it. */
const tokens: readonly Uint8Array[] = [
  ...["", "..", ".", "/", "\\", "\0", ":", " ", ".quiver-", "CON", "nul.", "__proto__", "type"],
  ...[
    "\ufeff",
    "\u202e",
    "\u200d",
    "e\u0301",
    "é",
    "ß",
    "İ",
    "🏹",
    "\x1b[2J",
    "\n",
    "%",
    "a".repeat(300),
  ],
]
  .map((text) => Buffer.from(text))
  .concat([
    Buffer.of(0xed, 0xa0, 0x80), // half a surrogate pair in UTF-8
    Buffer.of(0xc0, 0xaf), // an overlong slash
    Buffer.of(0xf4, 0x90, 0x80, 0x80), // beyond U+10FFFF
    Buffer.of(0xe9), // Latin-1
    Buffer.of(0xf9, 0x7e, 0x00), // NaN
    Buffer.of(0xf9, 0x7c, 0x00), // infinity
    Buffer.of(0xf9, 0x80, 0x00), // -0
    Buffer.of(0xfb, 0x43, 0x40, 0, 0, 0, 0, 0, 0), // 2^53 as a float
    Buffer.of(0xf7), // undefined
    Buffer.of(0x9f, 0xff), // a list without a length
    Buffer.of(0xc1, 0x00), // a tag
    Buffer.alloc(500, 0x81), // lists in lists
  ]);

/** Longer ones are made by hand where they matter: they only make the fuzzer slow. */
const mostBytes = 16 * 1024;
