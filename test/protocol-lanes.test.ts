/** Lane and unit headers that are not as promised. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { TransferError } from "../src/errors.ts";
import {
  decodeBundleEntries,
  decodeLaneHeader,
  decodeStreamTag,
  decodeUnitHeader,
  encodeLaneHeader,
  encodeUnit,
  laneFormatOf,
  laneHeaderBytes,
  streamTagBytes,
  unitHeaderBytes,
} from "../src/protocol/lane.ts";

const tags = [
  { hex: "", why: "nothing" },
  { hex: "515652", why: "no format" },
  { hex: "5156520102", why: "too long" },
  { hex: "00000000", why: "zeros" },
  { hex: "51565002", why: "a progress stream of another version" },
  { hex: "51565a01", why: "another kind" },
];

for (const { hex, why } of tags) {
  test(`no stream tag: ${why}`, () => {
    assert.throws(() => decodeStreamTag(bytesOf(hex)), malformed);
  });
}

test("a lane of a format that nobody knows is a lane, of a format that is refused", () => {
  const bytes = encodeLaneHeader(9, { transferId: "00".repeat(16), lane: 0 });

  assert.deepEqual(decodeStreamTag(bytes.subarray(0, streamTagBytes)), { kind: "lane", format: 9 });
  assert.throws(() => laneFormatOf(9), { code: "UNSUPPORTED_FORMAT" });
  assert.throws(() => laneFormatOf(0), { code: "UNSUPPORTED_FORMAT" });
});

test("the formats have the numbers of the document", () => {
  assert.equal(laneFormatOf(1), "standard");
  assert.equal(laneFormatOf(2), "ultra");
});

test("lane 1,023 is the last", () => {
  const header = (lane: number) =>
    encodeLaneHeader(2, { transferId: "ab".repeat(16), lane }).subarray(streamTagBytes);

  assert.deepEqual(decodeLaneHeader(header(1023)), { transferId: "ab".repeat(16), lane: 1023 });
  assert.throws(() => decodeLaneHeader(header(1024)), malformed);
});

test("a lane header that is short or long is refused", () => {
  assert.throws(() => decodeLaneHeader(new Uint8Array(laneHeaderBytes - 1)), malformed);
  assert.throws(() => decodeLaneHeader(new Uint8Array(laneHeaderBytes + 1)), malformed);
  assert.throws(() => decodeLaneHeader(new Uint8Array()), malformed);
});

const zeros = "00".repeat(19);
const ultraUnits = [
  { hex: "01", why: "only a kind" },
  { hex: `00${"00".repeat(21)}`, why: "kind 0" },
  { hex: `03${"00".repeat(21)}`, why: "kind 3" },
  { hex: `ff${"ff".repeat(21)}`, why: "all ones" },
  { hex: `020000${zeros}`, why: "a bundle of no files" },
  { hex: `021001${zeros}`, why: "a bundle of 4,097 files" },
  { hex: `0100000001090000000000000000${"00".repeat(8)}`, why: "pieces of 512 bytes" },
  { hex: `0100000001190000000000000000${"00".repeat(8)}`, why: "pieces of 32 MiB" },
  { hex: `0100000001100000000000000001${"00".repeat(8)}`, why: "an offset within a piece" },
  { hex: `0100000001100020000000000000${"00".repeat(8)}`, why: "an offset of 2^53" },
  { hex: "010000000110000000000000000000200000000000" + "00", why: "a length of 2^53" },
  { hex: `01000000011000000000000000000000000000010000${"00"}`, why: "a byte too many" },
];

for (const { hex, why } of ultraUnits) {
  test(`no ultra unit: ${why}`, () => {
    assert.throws(() => decodeUnitHeader("ultra", bytesOf(hex)), malformed);
  });
}

const standardUnits = [
  { hex: "", why: "nothing" },
  { hex: "000000011000000000000000", why: "a byte too few" },
  { hex: "0000000110000000000000000000", why: "a byte too many" },
  { hex: "00000001090000000000000000", why: "pieces of 512 bytes" },
  { hex: "00000001ff0000000000000000", why: "pieces of 2^255 bytes" },
  { hex: "00000001100000000000000001", why: "an offset within a piece" },
  { hex: "0000000110ffffffffffff0000", why: "an offset over 2^53" },
];

for (const { hex, why } of standardUnits) {
  test(`no standard unit: ${why}`, () => {
    assert.throws(() => decodeUnitHeader("standard", bytesOf(hex)), malformed);
  });
}

test("what stands in a bundle's unused bytes is ignored", () => {
  const bytes = bytesOf(`020001${"ff".repeat(19)}`);

  assert.deepEqual(decodeUnitHeader("ultra", bytes), { kind: "bundle", files: 1 });
});

test("a bundle's list that ends within an entry is refused", () => {
  assert.throws(() => decodeBundleEntries(new Uint8Array(7)), malformed);
});

test("the standard format has no bundles", () => {
  assert.throws(() => encodeUnit("standard", { kind: "bundle", entries: [1] }), TypeError);
});

test("a run is read back, whatever its numbers", () => {
  const run = fc
    .record({
      entry: fc.nat(0xffff_ffff),
      log: fc.integer({ min: 10, max: 24 }),
      piece: fc.nat(2 ** 29 - 1),
      length: fc.nat(Number.MAX_SAFE_INTEGER),
    })
    .map(({ entry, log, piece, length }) => {
      const pieceBytes = 2 ** log;
      return { kind: "run" as const, entry, offset: piece * pieceBytes, length, pieceBytes };
    });
  fc.assert(
    fc.property(run, (unit) => {
      assert.deepEqual(decodeUnitHeader("ultra", encodeUnit("ultra", unit)), unit);
      const standard = decodeUnitHeader("standard", encodeUnit("standard", unit));
      assert.deepEqual(standard, { ...unit, length: null });
    }),
  );
});

test("a bundle is read back, whatever its entries", () => {
  const list = fc.array(fc.nat(0xffff_ffff), { minLength: 1, maxLength: 4096 });
  fc.assert(
    fc.property(list, (entries) => {
      const bytes = encodeUnit("ultra", { kind: "bundle", entries });
      const fixed = unitHeaderBytes("ultra");

      const header = decodeUnitHeader("ultra", bytes.subarray(0, fixed));

      assert.deepEqual(header, { kind: "bundle", files: entries.length });
      assert.deepEqual(decodeBundleEntries(bytes.subarray(fixed)), entries);
    }),
  );
});

test("whatever the bytes, a header is read or refused", () => {
  const decoders = [
    decodeStreamTag,
    decodeLaneHeader,
    decodeBundleEntries,
    (bytes: Uint8Array) => decodeUnitHeader("ultra", bytes),
    (bytes: Uint8Array) => decodeUnitHeader("standard", bytes),
  ];
  const lengths = [
    0,
    streamTagBytes,
    laneHeaderBytes,
    ...(["ultra", "standard"] as const).map(unitHeaderBytes),
  ];
  const anyBytes = fc
    .oneof(fc.constantFrom(...lengths), fc.nat(40))
    .chain((length) => fc.uint8Array({ minLength: length, maxLength: length }));
  fc.assert(
    fc.property(anyBytes, fc.constantFrom(...decoders), (bytes, decoder) => {
      try {
        decoder(bytes);
      } catch (error) {
        assert.ok(error instanceof TransferError && error.code === "INVALID_FRAME", String(error));
      }
    }),
    { numRuns: 5000 },
  );
});

function bytesOf(hex: string): Uint8Array {
  return Buffer.from(hex, "hex");
}

const malformed = { name: "TransferError", code: "INVALID_FRAME" };
