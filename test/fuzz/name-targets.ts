/** The rules for names, the writing of names as text, and the tree that an offer would make. */

import assert from "node:assert/strict";
import { displayText } from "../../src/display-text.ts";
import { decodeName, encodeName, isUnicode } from "../../src/lossless-name.ts";
import { Manifest } from "../../src/protocol/manifest.ts";
import { isInsideLink, nameRules } from "../../src/transfer/landing-name.ts";
import { LandingNames } from "../../src/transfer/landing-names.ts";
import { hostileNames } from "../names/name-corpus.ts";
import { assertLawful, assertLegal, platforms } from "../names/name-laws.ts";
import { bodyOf } from "./document.ts";
import { assertHarmless, reading, type Target } from "./target.ts";

const names = hostileNames.filter((name) => name.length < 300);

const losslessName: Target = {
  name: "lossless-name",
  seeds: names.map(encodeName),
  run(input) {
    const name = decodeName(input);
    assert.deepEqual(Buffer.from(encodeName(name)), Buffer.from(input));
    assert.equal(isUnicode(name), name.isWellFormed());
    // Any string, also one that stands for no bytes, has bytes that have a name.
    const text = textOf(input);
    const bytes = encodeName(text);
    assert.deepEqual(Buffer.from(encodeName(decodeName(bytes))), Buffer.from(bytes));
    return name.isWellFormed() ? "Unicode" : "bytes";
  },
};

const landing: Target = {
  name: "landing-name",
  seeds: names.map(encodeName),
  run(input) {
    const of = (name: string) =>
      platforms.map((platform) => {
        const landed = assertLawful(name, platform);
        return landed.kind === "refused" ? landed.reason : landed.kind;
      });
    return [...of(decodeName(input)), ...of(textOf(input))].join();
  },
};

const linkText: Target = {
  name: "link",
  seeds: ["a", "../a", "..", "./b/c", "/etc/passwd", "a/../b", "../../..//x"].map((text) =>
    Buffer.from(text),
  ),
  run(input) {
    const text = decodeName(input);
    const depths = [1, 2, 3, 5].map((depth) => {
      const at = Array.from({ length: depth }, (_, part) => `p${part}`);
      const inside = platforms.filter((platform) => isInsideLink(at, text, platform));
      if (inside.length > 0) assertStaysBelowTop(depth, text);
      return inside.length;
    });
    return depths.join();
  },
};

/** Walks a link's text from its folder: at no step is it above the top-level folder. */
function assertStaysBelowTop(depth: number, text: string): void {
  assert.ok(text !== "" && !text.startsWith("/") && !text.includes("\0"));
  let below = depth - 2;
  let hasName = false;
  for (const part of text.split("/")) {
    if (part === "" || part === ".") continue;
    below += part === ".." ? -1 : 1;
    assert.ok(below >= 0, "the link leads above its top-level folder");
    assert.ok(part !== ".." || !hasName, "the link climbs from where a name leads");
    hasName ||= part !== "..";
  }
}

const display: Target = {
  name: "display-text",
  seeds: names.map(encodeName),
  run(input) {
    for (const text of [decodeName(input), textOf(input)]) {
      const shown = displayText(text);
      assert.doesNotMatch(shown, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      assert.equal(unescaped(shown), text);
      const cut = displayText(text, 20);
      assert.ok([...cut].length <= 20);
      assert.ok(cut === shown || (cut.endsWith("…") && shown.startsWith(cut.slice(0, -1))));
    }
    return [...new Set(displayText(textOf(input)).match(/\\(u\{|.)/g))].sort().join("");
  },
};

/** The text that was shown, read back by rules written apart from the code under test. */
function unescaped(shown: string): string {
  return shown.replace(
    /\\(?:([nrt\\])|x([0-9a-f]{2})|u([0-9a-f]{4})|u\{([0-9a-f]+)\})/g,
    (_, short?: string, byte?: string, unit?: string, point?: string) => {
      if (short) return { n: "\n", r: "\r", t: "\t", "\\": "\\" }[short] ?? "";
      if (unit) return String.fromCharCode(Number.parseInt(unit, 16));
      if (point) return String.fromCodePoint(Number.parseInt(point, 16));
      const code = Number.parseInt(byte ?? "", 16);
      return String.fromCharCode(code < 0x80 ? code : 0xdc00 + code);
    },
  );
}

/** A batch of entries: where each would land on each system. */
const manifest: Target = {
  name: "manifest",
  seeds: [bodyOf("entries").subarray(22, 22 + 78)],
  run(input) {
    const result = reading(["INVALID_FRAME", "LIMIT_EXCEEDED"], () => {
      const manifest = new Manifest();
      return { manifest, entries: manifest.addBatch(input) };
    });
    if ("refusal" in result) return result.refusal;
    const { manifest, entries } = result.value;
    assert.equal(manifest.totals.entries, entries.length);
    return platforms.map((platform) => landedTree(manifest, platform)).join();
  },
};

function landedTree(manifest: Manifest, platform: (typeof platforms)[number]): string {
  const landings = new LandingNames(manifest, nameRules(platform));
  const result = reading(["NAME_REFUSED"], () => {
    for (const [position, entry] of manifest) landings.add(position, entry);
  });
  if ("refusal" in result) return result.refusal.replace(/""/, "");
  const paths = new Set<string>();
  for (const [position, { kind, depth }] of manifest) {
    const path = landings.path(position);
    const parts = path.split("/");
    assert.equal(parts.length, depth + 1);
    for (const part of parts) assertLegal(part, platform);
    assert.ok(!paths.has(path), "two entries land at one path");
    paths.add(path);
    const parent = manifest.parent(position);
    assert.ok(parent < position && (parent < 0 || manifest.entry(parent).kind === "folder"));
    if (kind === "link" && !landings.refusedLinks.has(position)) {
      assertStaysBelowTop(depth + 1, manifest.entry(position).target);
    }
  }
  for (const { reason } of landings.refusedLinks.values()) assertHarmless(reason);
  return `${Math.min(manifest.totals.entries, 3)} land`;
}

/** Any string at all, lone surrogates too. */
function textOf(input: Uint8Array): string {
  return Buffer.from(input).toString("utf16le");
}

/** Every target that is about names. */
export const nameTargets: readonly Target[] = [losslessName, landing, linkText, display, manifest];
