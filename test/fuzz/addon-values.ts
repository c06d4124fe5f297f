/** Arguments for the addon: what its methods expect, and anything else that JavaScript has. */

import { defaultTuning } from "../../src/index.ts";

/** Gives the bytes of an input one after the other; zeros behind its end. */
export class Choices {
  readonly #input: Uint8Array;
  #at = 0;

  /** Begins at the first byte. */
  constructor(input: Uint8Array) {
    this.#input = input;
  }

  /** Whether all bytes were given. */
  get isOver(): boolean {
    return this.#at >= this.#input.length;
  }

  /** A number from 0 to below `limit`, which is at most 256. */
  below(limit: number): number {
    const byte = this.#input[this.#at] ?? 0;
    this.#at += 1;
    return byte % limit;
  }

  /** One of a list. */
  pick(items: readonly unknown[]): unknown {
    return items[this.below(items.length)];
  }
}

/** Numbers at which conversions break. None asks the disk for more than it has and gets it. */
const numbers = [
  ...[
    0,
    -0,
    1,
    -1,
    0.5,
    1023,
    1024,
    65_536,
    16_777_216,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    2 ** 53 - 1,
  ],
  ...[
    2 ** 53,
    2 ** 63,
    1e15,
    1e300,
    -1e300,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.MIN_VALUE,
  ],
];

const texts = [
  ...[
    "",
    "a",
    "sub/b",
    "sub",
    "..",
    "../a",
    ".",
    "/etc/passwd",
    "a/",
    "a\0b",
    "link",
    "log",
    "x".repeat(5000),
  ],
  ...[
    "127.0.0.1:0",
    "[::1]:0",
    "127.0.0.1:99999",
    "localhost:0",
    "1:1:1",
    "bbr",
    "lz4",
    "zstd",
    "\ud800",
    "0".repeat(64),
  ],
];

const bytes = [
  ...texts.map((text) => Buffer.from(text)),
  ...[new Uint8Array(), new Uint8Array(32), new Uint8Array(33), new Uint8Array(5000)],
  Buffer.from("0300a401000000000000144000000000000000000", "hex"),
];

/** Values of any kind; made anew, so that no call spoils them for the next. */
function strange(): unknown[] {
  const detached = new Uint8Array(8);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  const throwing = {
    get offset(): never {
      throw new Error("a getter");
    },
    get listen(): never {
      throw new Error("a getter");
    },
  };
  return [
    ...[undefined, null, true, false, 10n, -(2n ** 70n), Symbol("s"), {}, [], [1], [[]], () => 1],
    ...[
      new Date(Number.NaN),
      /a/,
      new Map(),
      new Error("e"),
      Promise.resolve(1),
      throwing,
      detached,
    ],
    ...[new Float64Array(4), new DataView(new ArrayBuffer(8)), new ArrayBuffer(8)],
    ...[new Uint8Array(new SharedArrayBuffer(8)), new BigUint64Array(2), new Uint8ClampedArray(3)],
    new Uint8Array(new ArrayBuffer(8, { maxByteLength: 64 })),
    new Proxy({}, { get: () => Number.NaN }),
    new Proxy(new Uint8Array(4), {}),
    Object.create(null),
    // As long as it says, and with nothing in it.
    { length: 2 ** 32 - 1 },
    Array(1000),
  ];
}

/** A run with any numbers in it. */
function run(choices: Choices): unknown {
  const usual = { offset: 0, length: 2058, pieceBytes: 1024, fileBytes: 2058 };
  const field = choices.pick(["offset", "length", "pieceBytes", "fileBytes", "none"]);
  return { ...usual, [String(field)]: choices.pick(numbers) };
}

function endpointOptions(choices: Choices): unknown {
  const usual = { ...defaultTuning, listen: ["127.0.0.1:0"], alpn: "quiver-fuzz/1" };
  const options = { ...usual, secretKey: new Uint8Array(32).fill(7) };
  const field = choices.pick(Object.keys(options));
  return { ...options, [String(field)]: anything(choices, []) };
}

/** What a kind of argument is made of. */
const kinds: {
  readonly [kind: string]: (choices: Choices, handles: readonly unknown[]) => unknown;
} = {
  strange: (choices) => choices.pick(strange()),
  handle: (choices, handles) => choices.pick(handles),
  text: (choices) => choices.pick(texts),
  texts: (choices) => [choices.pick(texts), choices.pick(texts)],
  bytes: (choices) => choices.pick(bytes),
  number: (choices) => choices.pick(numbers),
  boolean: (choices) => choices.below(2) === 0,
  run,
  options: endpointOptions,
  limits: (choices) => ({
    receiveWindowBytes: choices.pick(numbers),
    maxStreams: choices.pick(numbers),
  }),
};

/** The kinds of arguments that functions and methods take; those of others are any. */
const expected: { readonly [name: string]: string } = {
  bindEndpoint: "options",
  mergePieces: "bytes number number",
  connect: "text texts number",
  admit: "limits",
  exportKeyingMaterial: "text bytes",
  close: "number text",
  write: "bytes",
  setCoding: "text number",
  takeCodecs: "texts",
  sendRun: "bytes handle run",
  sendBundle: "bytes handle bytes",
  reset: "number",
  read: "number",
  receiveRun: "handle run",
  receiveBundle: "handle bytes",
  stop: "number",
  openFolder: "bytes",
  listEach: "bytes",
  stat: "bytes",
  readLink: "bytes",
  openSource: "bytes boolean",
  createPartial: "bytes number number",
  openPartial: "bytes number",
  openLog: "bytes",
  createFolders: "bytes",
  createLink: "bytes bytes",
  rename: "bytes handle bytes boolean",
  remove: "bytes",
  setMetadata: "bytes number number",
  restrictEach: "bytes",
  hashRun: "run",
  copyFrom: "handle number number",
  append: "bytes",
  truncate: "number",
};

/** Arguments for a function: mostly of the right kinds, sometimes of any, sometimes too few. */
export function argumentsOf(
  name: string,
  choices: Choices,
  handles: readonly unknown[],
): unknown[] {
  const right = Object.hasOwn(expected, name) ? (expected[name]?.split(" ") ?? []) : [];
  const count = choices.below(4) === 0 ? choices.below(6) : right.length;
  return Array.from({ length: count }, (_, at) => {
    const kind = choices.below(4) === 0 ? undefined : right[at];
    return kind === undefined ? anything(choices, handles) : kinds[kind]?.(choices, handles);
  });
}

/** Any value; `handles` are those of the addon. */
function anything(choices: Choices, handles: readonly unknown[]): unknown {
  const kind = String(choices.pick(Object.keys(kinds)));
  return kinds[kind]?.(choices, handles);
}
