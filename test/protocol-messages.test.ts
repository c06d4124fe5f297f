/** What decoders of control and progress messages do with bytes that are not as promised. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "cborg";
import fc from "fast-check";
import { errorCodes, isErrorCode, TransferError } from "../src/errors.ts";
import {
  decodeFrameBody,
  encodeFrame,
  frameBodyBytes,
  frameHeaderBytes,
} from "../src/protocol/frame.ts";
import { maxFrameBytes } from "../src/protocol/limits.ts";
import { decodeMessage, encodeMessage } from "../src/protocol/message-codec.ts";
import type { ControlMessage } from "../src/protocol/messages.ts";
import { decodeProgress, encodeProgress } from "../src/protocol/progress-message.ts";

const id = new Uint8Array(16).fill(7);
const transfer = "07".repeat(16);
const hash = new Uint8Array(32);
const failure = { code: 5, reason: "" };
const result = [0, 0, hash, "", 0, ""];

/** A correct message of each type, as the map that travels. */
const correct = {
  hello: {
    type: "hello",
    version: 1,
    name: "desk",
    features: [],
    profiles: ["ultra"],
    codecs: ["none"],
    maxLanes: 8,
    proof: new Uint8Array(),
  },
  offer: { type: "offer", transfer: id, targetDir: "", profile: "ultra" },
  entries: { type: "entries", transfer: id, batch: new Uint8Array(1) },
  offered: { type: "offered", transfer: id, entries: 1, bytes: 1, skipped: [["a", "b"]] },
  skip: { type: "skip", transfer: id, runs: [[0, 1]] },
  have: { type: "have", transfer: id, files: [[0, 1]], pieces: [[1, 16, 0, 1]] },
  compare: { type: "compare", transfer: id, files: [[1, 16, 0, hash]] },
  equal: { type: "equal", transfer: id, entry: 0, runs: [[0, 1]] },
  accept: { type: "accept", transfer: id },
  reject: { type: "reject", transfer: id, ...failure },
  cancel: { type: "cancel", transfer: id, ...failure },
  pace: { type: "pace", transfer: id, state: "moving", limit: 0 },
  bound: { type: "bound", transfer: id, by: "path" },
  want: { type: "want", transfer: id, entry: 0, offset: 0, length: 0 },
  absent: { type: "absent", transfer: id, failures: [[0, 5, ""]] },
  done: { type: "done", transfer: id, lanes: 1 },
  refuse: { type: "refuse", transfer: id, lane: 0, ...failure },
  results: { type: "results", transfer: id, files: [result] },
  arrived: { type: "arrived", transfer: id, runs: [[0, hash]] },
  receipt: { type: "receipt", transfer: id, bytes: 0, seconds: 0 },
  settled: { type: "settled", transfer: id },
  widen: { type: "widen", peerId: hash, port: 50_000 },
  error: { type: "error", ...failure },
  list: { type: "list", request: id, path: "a/b", after: "c" },
  listing: { type: "listing", request: id, entries: [[0, "a", 1, 2]], more: 1 },
  get: { type: "get", request: id, paths: ["a/b"] },
  granted: { type: "granted", request: id, transfer: id },
  denied: { type: "denied", request: id, ...failure },
};

const messages = Object.values(correct);

for (const message of messages) {
  test(`a correct ${message.type} is read`, () => {
    assert.equal(decodeMessage(encode(message))?.type, message.type);
  });

  test(`${message.type} with a field that nobody knows is read as without it`, () => {
    const plain = decodeMessage(encode(message));

    assert.deepEqual(decodeMessage(encode({ ...message, zz: [{ deep: "x" }], "": null })), plain);
  });

  test(`${message.type} without one of its fields is refused`, () => {
    for (const field of Object.keys(message).slice(1)) {
      const { [field]: _, ...rest } = message as Record<string, unknown>;
      assert.throws(() => decodeMessage(encode(rest)), malformed, field);
    }
  });

  test(`${message.type} with a field of a wrong type is refused`, () => {
    for (const field of Object.keys(message).slice(1)) {
      for (const wrong of [null, true, -1, 0.5, 2 ** 53 - 1, "x".repeat(9000), [[]], {}, [0]]) {
        if (isRight(message.type, field, wrong)) continue;
        const bytes = encode({ ...message, [field]: wrong });
        assert.throws(() => decodeMessage(bytes), malformed, `${field}: ${typeof wrong}`);
      }
    }
  });

  test(`${message.type} cut anywhere is refused`, () => {
    const bytes = encode(message);
    for (let length = 0; length < bytes.length; length += 1) {
      assert.throws(() => decodeMessage(bytes.subarray(0, length)), malformed, `${length} bytes`);
    }
  });
}

/** What the table of wrong values holds by chance for some fields. */
function isRight(type: string, field: string, value: unknown): boolean {
  const most = value === 2 ** 53 - 1;
  if (field === "seconds") return value === 0.5 || most;
  if (field === "limit") return most;
  return (
    most && (field === "bytes" || field === "offset" || (field === "length" && type === "want"))
  );
}

const have = (pieces: number[]) => ({ ...correct.have, pieces: [pieces] });
const compare = (values: Uint8Array) => ({ ...correct.compare, files: [[0, 16, 0, values]] });
const listing = (entries: unknown[]) => ({ ...correct.listing, entries });
const items = (count: number, item: unknown) => Array.from({ length: count }, () => item);

const edges: { what: string; message: Record<string, unknown>; isFine: boolean }[] = [
  { what: "version 65,535", message: { ...correct.hello, version: 65_535 }, isFine: true },
  { what: "version 65,536", message: { ...correct.hello, version: 65_536 }, isFine: false },
  {
    what: "a text of 65,536 characters",
    message: { ...correct.offer, text: "x".repeat(65_536) },
    isFine: true,
  },
  {
    what: "a text of 65,537 characters",
    message: { ...correct.offer, text: "x".repeat(65_537) },
    isFine: false,
  },
  { what: "a text that is a number", message: { ...correct.offer, text: 1 }, isFine: false },
  { what: "a text that is null", message: { ...correct.offer, text: null }, isFine: false },
  { what: "128 letters", message: { ...correct.hello, name: "x".repeat(128) }, isFine: true },
  { what: "129 letters", message: { ...correct.hello, name: "x".repeat(129) }, isFine: false },
  { what: "64 words", message: { ...correct.hello, codecs: items(64, "a") }, isFine: true },
  { what: "65 words", message: { ...correct.hello, codecs: items(65, "a") }, isFine: false },
  { what: "a long word", message: { ...correct.hello, codecs: ["x".repeat(33)] }, isFine: false },
  { what: "a word that is none", message: { ...correct.hello, features: [1] }, isFine: false },
  { what: "no lanes", message: { ...correct.hello, maxLanes: 0 }, isFine: false },
  { what: "a whole proof", message: { ...correct.hello, proof: hash }, isFine: true },
  { what: "half a proof", message: { ...correct.hello, proof: id }, isFine: false },
  { what: "a short id", message: { ...correct.accept, transfer: id.subarray(1) }, isFine: false },
  { what: "a long id", message: { ...correct.accept, transfer: hash }, isFine: false },
  { what: "an id as text", message: { ...correct.accept, transfer }, isFine: false },
  { what: "largest pieces", message: have([0, 24, 0, 1]), isFine: true },
  { what: "larger pieces", message: have([0, 25, 0, 1]), isFine: false },
  { what: "smaller pieces", message: have([0, 9, 0, 1]), isFine: false },
  { what: "the last piece", message: have([0, 16, 2 ** 24 - 1, 1]), isFine: true },
  { what: "a piece behind it", message: have([0, 16, 2 ** 24, 1]), isFine: false },
  { what: "no pieces", message: have([0, 16, 0, 0]), isFine: false },
  { what: "the state queued", message: { ...correct.pace, state: "queued" }, isFine: true },
  { what: "nothing that holds", message: { ...correct.bound, by: "" }, isFine: true },
  { what: "a limit of later", message: { ...correct.bound, by: "moon" }, isFine: true },
  {
    what: "a limit of many words",
    message: { ...correct.bound, by: "x".repeat(33) },
    isFine: false,
  },
  { what: "a limit as a number", message: { ...correct.bound, by: 1 }, isFine: false },
  {
    what: "settled by something of later",
    message: { ...correct.settled, bounds: [["moon", 1]] },
    isFine: true,
  },
  {
    what: "more than the whole time",
    message: { ...correct.settled, bounds: [["path", 1001]] },
    isFine: false,
  },
  { what: "a state of later", message: { ...correct.pace, state: "resting" }, isFine: false },
  { what: "no values", message: compare(new Uint8Array()), isFine: false },
  { what: "a value and a half", message: compare(new Uint8Array(48)), isFine: false },
  { what: "no equal pieces", message: { ...correct.equal, runs: [[0, 0]] }, isFine: false },
  { what: "another profile", message: { ...correct.offer, profile: "turbo" }, isFine: false },
  {
    what: "a folder of 4,096 bytes",
    message: { ...correct.offer, targetDir: "é".repeat(2048) },
    isFine: true,
  },
  {
    what: "a folder of 4,097 bytes",
    message: { ...correct.offer, targetDir: `${"é".repeat(2048)}a` },
    isFine: false,
  },
  {
    what: "a batch of 256 KiB",
    message: { ...correct.entries, batch: new Uint8Array(262_144) },
    isFine: true,
  },
  {
    what: "a byte more",
    message: { ...correct.entries, batch: new Uint8Array(262_145) },
    isFine: false,
  },
  { what: "10,000,000 entries", message: { ...correct.offered, entries: 1e7 }, isFine: true },
  { what: "10,000,001 entries", message: { ...correct.offered, entries: 1e7 + 1 }, isFine: false },
  {
    what: "4,096 items",
    message: { ...correct.offered, skipped: items(4096, ["a", "b"]) },
    isFine: true,
  },
  {
    what: "4,097 items",
    message: { ...correct.offered, skipped: items(4097, ["a", "b"]) },
    isFine: false,
  },
  {
    what: "65,536 bytes of content",
    message: { ...correct.offered, content: Buffer.alloc(65_536), hash },
    isFine: true,
  },
  {
    what: "65,537 bytes of content",
    message: { ...correct.offered, content: Buffer.alloc(65_537), hash },
    isFine: false,
  },
  { what: "content as text", message: { ...correct.offered, content: "a", hash }, isFine: false },
  {
    what: "content without its hash",
    message: { ...correct.offered, content: Buffer.alloc(1) },
    isFine: false,
  },
  { what: "yes with the content", message: { ...correct.accept, content: 1 }, isFine: true },
  { what: "yes with two of it", message: { ...correct.accept, content: 2 }, isFine: false },
  { what: "half an item", message: { ...correct.offered, skipped: [["a"]] }, isFine: false },
  {
    what: "an item that later versions made longer",
    message: { ...correct.offered, skipped: [["a", "b", "c"]] },
    isFine: true,
  },
  {
    what: "an item that is longer than any version's",
    message: { ...correct.offered, skipped: [["a", "b", ...items(17, 0)]] },
    isFine: false,
  },
  {
    what: "a name that is UTF-8 as bytes",
    message: { ...correct.offered, skipped: [[Buffer.from("a"), "b"]] },
    isFine: false,
  },
  { what: "an empty run", message: { ...correct.skip, runs: [[0, 0]] }, isFine: false },
  { what: "entry 9,999,999", message: { ...correct.want, entry: 1e7 - 1 }, isFine: true },
  { what: "entry 10,000,000", message: { ...correct.want, entry: 1e7 }, isFine: false },
  {
    what: "a reason of 1,000",
    message: { ...correct.error, reason: "x".repeat(1000) },
    isFine: true,
  },
  {
    what: "a reason of 1,001",
    message: { ...correct.error, reason: "x".repeat(1001) },
    isFine: false,
  },
  { what: "1,024 lanes", message: { ...correct.done, lanes: 1024 }, isFine: true },
  { what: "1,025 lanes", message: { ...correct.done, lanes: 1025 }, isFine: false },
  { what: "lane 1,024", message: { ...correct.refuse, lane: 1024 }, isFine: false },
  {
    what: "status 3",
    message: { ...correct.results, files: [[0, 3, hash, "", 0, ""]] },
    isFine: false,
  },
  {
    what: "half a hash",
    message: { ...correct.results, files: [[0, 0, id, "", 0, ""]] },
    isFine: false,
  },
  {
    what: "a run of two files",
    message: { ...correct.arrived, runs: [[0, Buffer.concat([hash, hash])]] },
    isFine: true,
  },
  {
    what: "a run of no file",
    message: { ...correct.arrived, runs: [[0, new Uint8Array()]] },
    isFine: false,
  },
  {
    what: "a run of one file and a half",
    message: { ...correct.arrived, runs: [[0, Buffer.concat([hash, id])]] },
    isFine: false,
  },
  {
    what: "4,097 runs",
    message: { ...correct.arrived, runs: items(4097, [0, hash]) },
    isFine: false,
  },
  {
    what: "no hash",
    message: { ...correct.results, files: [[0, 2, new Uint8Array(), "", 8, "full"]] },
    isFine: true,
  },
  { what: "1,024 entries", message: listing(items(1024, [1, "a", 0, 0])), isFine: true },
  { what: "1,025 entries", message: listing(items(1025, [1, "a", 0, 0])), isFine: false },
  { what: "a device", message: listing([[3, "a", 0, 0]]), isFine: false },
  { what: "a time that no calendar has", message: listing([[0, "a", 0, 8.65e15]]), isFine: false },
  { what: "a longer entry", message: listing([[0, "a", 0, 0, "later"]]), isFine: true },
  { what: "2 for more", message: { ...correct.listing, more: 2 }, isFine: false },
  { what: "no paths", message: { ...correct.get, paths: [] }, isFine: false },
  { what: "256 paths", message: { ...correct.get, paths: items(256, "a") }, isFine: true },
  { what: "257 paths", message: { ...correct.get, paths: items(257, "a") }, isFine: false },
  { what: "a path of 4,096", message: { ...correct.get, paths: ["x".repeat(4096)] }, isFine: true },
  { what: "a longer path", message: { ...correct.get, paths: ["x".repeat(4097)] }, isFine: false },
  { what: "a longer path", message: { ...correct.list, path: "x".repeat(4097) }, isFine: false },
  { what: "a short id", message: { ...correct.list, request: id.subarray(1) }, isFine: false },
  { what: "less than no time", message: { ...correct.receipt, seconds: -0.1 }, isFine: false },
];

for (const { what, message, isFine } of edges) {
  test(`${message["type"]} with ${what} is ${isFine ? "read" : "refused"}`, () => {
    const read = () => decodeMessage(encode(message));
    if (isFine) assert.equal(read()?.type, message["type"]);
    else assert.throws(read, malformed);
  });
}

const noMessages = [
  { hex: "", why: "nothing" },
  { hex: "f6", why: "null" },
  { hex: "01", why: "a number" },
  { hex: "80", why: "a list" },
  { hex: "43010203", why: "bytes" },
  { hex: "a0", why: "no type" },
  { hex: "a1647479706501", why: "a type that is no text" },
  { hex: `a164747970657821${"61".repeat(33)}`, why: "a type of 33 letters" },
  { hex: "a2647479706567736574746c6564647479706567736574746c6564", why: "a key twice" },
  { hex: "bf647479706567736574746c6564ff", why: "an indefinite map" },
  { hex: "a164747970657f67736574746c6564ff", why: "an indefinite text" },
  { hex: "a16474797065c067736574746c6564", why: "a tag" },
  { hex: "a164747970656461626364f6", why: "a byte after the end" },
  { hex: "a1647479706562c328", why: "text that is no UTF-8" },
  { hex: "a16474797065780461626364", why: "a length in more bytes than it needs" },
  { hex: "a26474797065646162636461781801", why: "an integer in more bytes than it needs" },
  { hex: "a264747970656461626364617af97e00", why: "NaN, even where nobody looks" },
  { hex: "a264747970656461626364617af97c00", why: "infinity" },
  { hex: "a264747970656461626364617af7", why: "undefined" },
  { hex: "a264747970656461626364617a1bffffffffffffffff", why: "an integer over 2^53" },
  { hex: "a26474797065646162636401f6", why: "a key that is a number" },
  { hex: "81".repeat(100_000), why: "lists in lists in lists" },
  { hex: "9affffffff", why: "a list of 4 billion" },
  { hex: "5affffffff", why: "bytes of 4 GiB" },
];

for (const { hex, why } of noMessages) {
  test(`no message: ${why}`, () => {
    assert.throws(() => decodeMessage(Buffer.from(hex, "hex")), malformed);
  });
}

for (const type of ["", "pause", "constructor", "toString", "__proto__", "hasOwnProperty"]) {
  test(`a message of the type ${JSON.stringify(type)} is unknown, not wrong`, () => {
    assert.equal(decodeMessage(encode({ type, transfer: "anything" })), null);
  });
}

test("a name that begins with a byte order mark keeps it", () => {
  const offer = { type: "offer", transfer, targetDir: "\ufeffphotos", profile: "ultra" } as const;

  assert.deepEqual(decodeMessage(bodyOf(encodeMessage(offer))), offer);
});

test("a name with a replacement character keeps it", () => {
  const offer = { type: "offer", transfer, targetDir: "a\ufffdb", profile: "ultra" } as const;

  assert.deepEqual(decodeMessage(bodyOf(encodeMessage(offer))), offer);
});

test("a reason that is too long is cut, and not within a character", () => {
  const reason = `${"x".repeat(999)}🏹`;

  const read = decodeMessage(bodyOf(encodeMessage({ type: "error", code: "DISK_FULL", reason })));

  assert.deepEqual(read, { type: "error", code: "DISK_FULL", reason: `${"x".repeat(999)}\ufffd` });
});

test("long reasons in lists are cut too", () => {
  const reason = "x".repeat(2000);
  const cut = "x".repeat(1000);
  const lists: ControlMessage[] = [
    { type: "offered", transfer, entries: 0, bytes: 0, skipped: [{ path: "a", reason }] },
    { type: "absent", transfer, failures: [{ entry: 0, code: "DISK_FULL", reason }] },
    {
      type: "results",
      transfer,
      files: [{ entry: 0, status: "failed", hash, savedAs: "", code: "DISK_FULL", reason }],
    },
  ];

  for (const message of lists) {
    const read = JSON.stringify(decodeMessage(bodyOf(encodeMessage(message))));
    assert.ok(read.includes(`"${cut}"`), message.type);
  }
});

test("a device's name of more than 128 letters is cut", () => {
  const { transfer: _, ...hello } = { ...correct.hello, transfer: "", name: "x".repeat(200) };

  const read = decodeMessage(bodyOf(encodeMessage({ ...hello, type: "hello" })));

  assert.ok(read?.type === "hello");
  assert.equal(read.name.length, 128);
});

test("an error number that nobody knows is a malformed message", () => {
  const read = decodeMessage(encode({ ...correct.error, code: 999 }));

  assert.deepEqual(read, { type: "error", code: "INVALID_FRAME", reason: "" });
});

const progress = { bytes: 1, files: 1, lanes: [1], current: [[0, 1]] };

test("a progress message with a field that nobody knows is read", () => {
  assert.deepEqual(decodeProgress(encode({ ...progress, more: 1 })), progress);
});

const wrongProgress = [
  { bytes: -1 },
  { bytes: 0.5 },
  { bytes: null },
  { files: "1" },
  { files: 1e7 + 1 },
  { lanes: 1 },
  { lanes: [-1] },
  { lanes: items(1025, 0) },
  { current: [[0]] },
  { current: [0] },
  { current: [[1e7, 0]] },
  { current: items(1025, [0, 0]) },
  { times: 1 },
  { times: [1, 2, 3, 4, 5] },
  { times: [1, 2, 3, 4, 5, -1] },
  { times: [1, 2, 3, 4, 5, 0.5] },
  { times: null },
];

for (const wrong of wrongProgress) {
  test(`a progress message with ${JSON.stringify(wrong).slice(0, 40)} is refused`, () => {
    assert.throws(() => decodeProgress(encode({ ...progress, ...wrong })), malformed);
  });
}

test("a progress message that is cut, longer or of another kind is refused", () => {
  const bytes = encode(progress);

  assert.throws(() => decodeProgress(bytes.subarray(1)), malformed);
  assert.throws(() => decodeProgress(bytes.subarray(0, -1)), malformed);
  assert.throws(() => decodeProgress(Buffer.concat([bytes, Buffer.of(0)])), malformed);
  assert.throws(() => decodeProgress(encode([progress])), malformed);
});

const frameHeaders = [
  { hex: "", why: "nothing" },
  { hex: "000001", why: "three bytes" },
  { hex: "0000000001", why: "five bytes" },
  { hex: "00000000", why: "an empty frame" },
  { hex: "00100001", why: "a byte over 1 MiB" },
  { hex: "ffffffff", why: "4 GiB" },
];

for (const { hex, why } of frameHeaders) {
  test(`no frame header: ${why}`, () => {
    assert.throws(() => frameBodyBytes(Buffer.from(hex, "hex")), malformed);
  });
}

test("a frame of 1 MiB is the largest", () => {
  const most = encodeFrame(new Uint8Array(maxFrameBytes - 5));

  assert.equal(frameBodyBytes(most.subarray(0, frameHeaderBytes)), maxFrameBytes);
  assert.throws(() => encodeFrame(new Uint8Array(maxFrameBytes - 4)), RangeError);
});

test("a byte string of a message is a copy, so that it does not hold on to the message", () => {
  const body = Buffer.from(encode({ ...correct.entries, junk: new Uint8Array(100_000) }));

  const read = decodeMessage(body);

  assert.ok(read?.type === "entries");
  assert.equal(read.batch.buffer.byteLength, 1);
});

test("whatever the bytes, a decoder returns or throws INVALID_FRAME", () => {
  const decoders = [decodeMessage, decodeProgress, decodeFrameBody, frameBodyBytes];
  fc.assert(
    fc.property(hostileBytes, fc.constantFrom(...decoders), (bytes, decoder) => {
      try {
        decoder(bytes);
      } catch (error) {
        assert.ok(error instanceof TransferError && error.code === "INVALID_FRAME", String(error));
      }
    }),
    { numRuns: 5000 },
  );
});

test("whatever its fields hold, a message is read or refused", () => {
  const types = fc.constantFrom(...messages);
  fc.assert(
    fc.property(types, fc.dictionary(fieldName, cborValue), (message, fields) => {
      try {
        decodeMessage(encode({ ...message, ...fields }));
      } catch (error) {
        assert.ok(error instanceof TransferError && error.code === "INVALID_FRAME", String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

test("what is said is what is read, whatever the values", () => {
  const code = fc.constantFrom(...Object.keys(errorCodes).filter(isErrorCode));
  const text = fc.string({ unit: "grapheme", maxLength: 100 });
  const entry = fc.nat(1e7 - 1);
  const size = fc.nat(Number.MAX_SAFE_INTEGER);
  const anyFailure = fc.record({ entry, code, reason: text }).map((values) => ({ ...values }));
  const message = fc.oneof(
    fc.record({ type: fc.constant("error" as const), code, reason: text }),
    fc.record({
      type: fc.constant("want" as const),
      transfer: fc.constant(transfer),
      entry,
      offset: size,
      length: size,
    }),
    fc.record({
      type: fc.constant("absent" as const),
      transfer: fc.constant(transfer),
      failures: fc.array(anyFailure),
    }),
    fc.record({
      type: fc.constant("receipt" as const),
      transfer: fc.constant(transfer),
      bytes: size,
      seconds: fc.double({ min: 0, noDefaultInfinity: true, noNaN: true }).map((x) => x + 0),
    }),
  );
  fc.assert(
    fc.property(message, (values) => {
      const said: ControlMessage = { ...values };
      assert.deepEqual(decodeMessage(bodyOf(encodeMessage(said))), said);
    }),
  );
});

test("a progress message of any numbers is what is read", () => {
  const ms = 2 ** 53 - 1;
  const times = { elapsedMs: ms, diskMs: 0, limitMs: 1, streamMs: ms, workMs: 2, busyMs: 3 };
  const said = { bytes: ms, files: 1e7, lanes: [0, 2 ** 40], current: [], times };

  assert.deepEqual(decodeProgress(bodyOf(encodeProgress(said))), said);
});

function bodyOf(frame: Uint8Array): Uint8Array {
  return frame.subarray(frameHeaderBytes);
}

const malformed = { name: "TransferError", code: "INVALID_FRAME" };

const cborValue = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.string(),
  fc.uint8Array({ maxLength: 40 }),
  fc.constantFrom(null, true, [], {}, [[0, 1, 2]], [[0, 0, id, "", 0, ""]]),
);

const fieldName = fc.constantFrom(
  ...new Set(messages.flatMap((message) => Object.keys(message))),
  "__proto__",
  "constructor",
);

/** Noise, and correct messages with a byte changed, which come further. */
const hostileBytes = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc
    .tuple(fc.constantFrom(...messages, progress), fc.nat(), fc.nat(255))
    .map(([message, at, byte]) => {
      const bytes = encode(message);
      bytes[at % bytes.length] = byte;
      return bytes;
    }),
);
