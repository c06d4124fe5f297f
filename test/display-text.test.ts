/** Hostile text is shown so that nothing in it acts or hides. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { displayText } from "../src/display-text.ts";
import { decodeName } from "../src/lossless-name.ts";

const cases = [
  { text: "holiday 2026.jpg", shown: "holiday 2026.jpg", why: "plain text stays" },
  { text: "Grüße 你好 🏹 e\u0301", shown: "Grüße 你好 🏹 e\u0301", why: "so does any script" },
  { text: "❤\ufe0f", shown: "❤\ufe0f", why: "a variation selector only chooses a drawing" },
  { text: "a\nb\rc\td", shown: "a\\nb\\rc\\td", why: "a name stays on its line" },
  { text: "\x1b[2J\x07\0", shown: "\\x1b[2J\\x07\\x00", why: "a terminal obeys ESC" },
  { text: "a\x7f", shown: "a\\x7f", why: "DEL" },
  { text: "\x9b2J", shown: "\\u009b2J", why: "C1 has an ESC [ of its own" },
  { text: "bill\u202efdp.exe", shown: "bill\\u202efdp.exe", why: "an override turns a name round" },
  {
    text: "\u2066\u2069\u200e\u200f\u061c",
    shown: "\\u2066\\u2069\\u200e\\u200f\\u061c",
    why: "bidi",
  },
  { text: "a\u200bb\ufeff", shown: "a\\u200bb\\ufeff", why: "zero width makes twins" },
  { text: "a\u2028b\u2029", shown: "a\\u2028b\\u2029", why: "line separators" },
  { text: "\u{e0041}", shown: "\\u{e0041}", why: "tags are invisible text" },
  { text: "\u3164", shown: "\\u3164", why: "a filler is drawn as nothing" },
  { text: "\ud800", shown: "\\ud800", why: "half a character" },
  { text: decodeName(Uint8Array.of(0x61, 0xe9)), shown: "a\\xe9", why: "a byte that is not UTF-8" },
  { text: "a\\x1b", shown: "a\\\\x1b", why: "a text that only looks like an escape" },
];

for (const { text, shown, why } of cases) {
  test(`${JSON.stringify(text)} is shown as ${shown}: ${why}`, () => {
    assert.equal(displayText(text), shown);
  });
}

const cuts = [
  { text: "abcdef", maxLength: 6, shown: "abcdef", why: "it fits" },
  { text: "abcdef", maxLength: 5, shown: "abcd…", why: "the ellipsis takes a place" },
  { text: "abc\u202ed", maxLength: 6, shown: "abc…", why: "an escape is not cut in two" },
  { text: "🏹🏹🏹", maxLength: 2, shown: "🏹…", why: "nor is a character" },
  { text: "ab", maxLength: 1, shown: "…", why: "one place" },
  { text: "ab", maxLength: 0, shown: "", why: "no place" },
  { text: "", maxLength: 0, shown: "", why: "nothing needs none" },
];

for (const { text, maxLength, shown, why } of cuts) {
  test(`${JSON.stringify(text)} within ${maxLength} is ${JSON.stringify(shown)}: ${why}`, () => {
    assert.equal(displayText(text, maxLength), shown);
  });
}

test("nothing that acts or hides is left, whatever the text", () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      assert.doesNotMatch(displayText(text), /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
    }),
  );
});

test("two texts that are shown alike are the same", () => {
  fc.assert(
    fc.property(hostileText, hostileText, (one, two) => {
      assert.equal(displayText(one) === displayText(two), one === two);
    }),
  );
});

test("a shown text is never longer than it may be", () => {
  fc.assert(
    fc.property(hostileText, fc.nat(12), (text, maxLength) => {
      assert.ok([...displayText(text, maxLength)].length <= maxLength);
    }),
  );
});

const hostileText = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("\\", "x", "u", "1b", "n", "\n", "\x1b", "\x85", "\u202e", "{", "}"),
      fc.integer({ min: 0xd800, max: 0xdfff }).map((code) => String.fromCharCode(code)),
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(""));
