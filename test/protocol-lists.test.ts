/** Lists of lists, read and written without a library: the same as with one, or not at all. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "cborg";
import fc from "fast-check";
import { decodeCbor } from "../src/protocol/frame.ts";
import { decodeLists, encodeLists, type PlainValue } from "../src/protocol/plain-lists.ts";

const whole = [0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER];
const value = fc.oneof(
  fc.maxSafeInteger(),
  fc.constantFrom(...whole, ...whole.map((number) => -1 - number).filter(Number.isSafeInteger)),
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.constantFrom("", "a.txt", "\ufeffa", "\ufffd", "x".repeat(70_000)),
  fc.uint8Array({ maxLength: 300 }),
);
const listsOf = (most: number) =>
  fc.array(fc.array(value, { maxLength: most }), { maxLength: most });
const lists = fc.oneof(listsOf(3), listsOf(3), listsOf(30));

test("what is written is what the library writes", () => {
  fc.assert(
    fc.property(lists, (some) => {
      assert.deepEqual(Buffer.from(encodeLists(some)), Buffer.from(encode(some)));
    }),
  );
});

test("what is written is read, but for a text that could be a broken one", () => {
  fc.assert(
    fc.property(lists, (some) => {
      const isBroken = (one: PlainValue) => typeof one === "string" && one.includes("\ufffd");
      assert.deepEqual(decodeLists(encodeLists(some)), some.flat().some(isBroken) ? null : some);
    }),
  );
});

test("what is read is what the library reads, whatever it is", () => {
  const byte = fc.tuple(fc.nat(), fc.nat(255));
  const ends = fc.constantFrom(0, 0, 0, 1, -1, -9);
  let read = 0;
  fc.assert(
    fc.property(lists, fc.array(byte, { maxLength: 2 }), ends, (some, changes, more) => {
      const cbor = Buffer.concat([encodeLists(some), Buffer.of(0)]);
      for (const [at, byte] of changes) cbor[at % cbor.length] = byte;
      const cut = cbor.subarray(0, Math.max(0, cbor.length - 1 + more));

      const found = decodeLists(cut);

      if (found === null) return;
      read += 1;
      assert.deepEqual(found, decodeCbor(cut));
    }),
    { numRuns: 2000 },
  );
  assert.ok(read > 200, `${read} were read`);
});

const other: { hex: string; why: string }[] = [
  { hex: "", why: "nothing" },
  { hex: "82 80", why: "a list short" },
  { hex: "81 82 00", why: "a number short" },
  { hex: "80 00", why: "something behind it" },
  { hex: "81 81 18", why: "a number without its digits" },
  { hex: "81 81 18 17", why: "23 in two bytes" },
  { hex: "81 81 19 00 ff", why: "255 in three" },
  { hex: "81 81 1a 00 00 ff ff", why: "65,535 in five" },
  { hex: "81 81 1b 00 00 00 00 ff ff ff ff", why: "2^32 - 1 in nine" },
  { hex: "81 81 1b 00 20 00 00 00 00 00 00", why: "2^53" },
  { hex: "81 81 1c", why: "a head that CBOR does not have" },
  { hex: "9f ff", why: "a list without a length" },
  { hex: "81 9f ff", why: "one in it" },
  { hex: "81 81 7f 61 61 ff", why: "a text in parts" },
  { hex: "81 81 62 61", why: "half a text" },
  { hex: "81 81 61 ff", why: "no UTF-8" },
  { hex: "81 81 63 ed a0 80", why: "half a character" },
  { hex: "81 81 62 c1 81", why: "a letter in two bytes" },
  { hex: "81 81 80", why: "a list in a list in a list" },
  { hex: "81 81 a0", why: "a map" },
  { hex: "81 81 c0 00", why: "a tag" },
  { hex: "81 81 f4", why: "false" },
  { hex: "81 81 fb 3f f8 00 00 00 00 00 00", why: "one and a half" },
  { hex: "81 00", why: "a number in place of a list" },
  { hex: "a0", why: "no list" },
  { hex: "9b 00 1f ff ff ff ff ff ff", why: "a list of 2^53 - 1, empty" },
  { hex: "81 9b 00 1f ff ff ff ff ff ff", why: "one in it" },
  { hex: "81 81 5b 00 1f ff ff ff ff ff ff", why: "bytes beyond the end" },
];

for (const { hex, why } of other) {
  test(`left to the library: ${hex || "nothing"}: ${why}`, () => {
    assert.equal(decodeLists(Buffer.from(hex.replaceAll(" ", ""), "hex")), null);
  });
}

test("a byte string does not hold on to the message", () => {
  const message = encodeLists([[Uint8Array.of(1, 2, 3)]]);

  const [[bytes] = []] = decodeLists(message) ?? [];

  assert.ok(bytes instanceof Uint8Array && bytes.buffer !== message.buffer);
  assert.equal(bytes.buffer.byteLength, 3);
});
