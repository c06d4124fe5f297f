/**
 * What must hold of every name that lands, for each system.
 *
 * Written apart from the code under test: Linux by path_resolution(7), Windows as CPython's
 * `ntpath.isreserved` has it, macOS by what APFS and HFS+ hold.
 */

import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import {
  type Landing,
  landingName,
  type NamePlatform,
  NameTable,
  nameRules,
} from "../../src/transfer/landing-name.ts";

/** The systems whose rules are checked, on any system. */
export const platforms: readonly NamePlatform[] = ["linux", "darwin", "windows"];

/** Checks one name on one system; returns what became of it. */
export function assertLawful(name: string, platform: NamePlatform): Landing {
  const rules = nameRules(platform);
  const landing = landingName(name, rules);
  if (landing.kind === "refused") {
    assert.ok(landing.reason.length > 0 && landing.reason.length < 80);
    assert.ok(isHostile(name), `${JSON.stringify(name)} is refused: it ${landing.reason}`);
    return landing;
  }
  assert.ok(!isHostile(name), `${JSON.stringify(name)} lands`);
  assertLegal(landing.name, platform);
  assert.equal(landing.kind, landing.name === name ? "same" : "mapped");
  assert.deepEqual(landingName(landing.name, rules), { kind: "same", name: landing.name });
  if (faultOf(name, platform) === null && !resemblesOurs(name)) {
    assert.equal(landing.kind, "same");
  }
  return landing;
}

/** Some system takes it for the name of one of our own folders. */
function resemblesOurs(name: string): boolean {
  const plain = name.normalize("NFKD").replace(/\p{Default_Ignorable_Code_Point}/gu, "");
  return plain.toUpperCase().startsWith(".QUIVER-");
}

/** Checks that a name on the disk is one that a system can hold and that is not ours. */
export function assertLegal(name: string, platform: NamePlatform): void {
  const fault = faultOf(name, platform);
  assert.equal(fault, null, `${JSON.stringify(name)} on ${platform}: ${fault}`);
}

/** Tells whether a system holds a name, and it is not one of ours. */
export function isLegal(name: string, platform: NamePlatform): boolean {
  return faultOf(name, platform) === null;
}

/** Checks the names of one folder, in order: each lands, alone, and again the same. */
export function assertApart(names: readonly string[], platform: NamePlatform): void {
  const rules = nameRules(platform);
  const [one, two] = [new NameTable(rules), new NameTable(rules)];
  const taken = new Map<string, string>();
  const sent = new Set<string>();
  for (const name of names) {
    const landing = one.land(name);
    assert.deepEqual(two.land(name), landing);
    if (landing.kind === "refused") {
      assert.ok(isHostile(name) || sent.has(name), `${JSON.stringify(name)} is refused`);
      continue;
    }
    sent.add(name);
    assertLegal(landing.name, platform);
    for (const key of keysOf(landing.name, platform)) {
      assert.equal(
        taken.get(key),
        undefined,
        `${JSON.stringify(name)} lands as ${JSON.stringify(landing.name)}`,
      );
      taken.set(key, name);
    }
  }
}

/** A name that no system's program sends: what is refused, and nothing else. */
function isHostile(name: string): boolean {
  const bytes = bytesOf(name);
  if (bytes === null || bytes.length === 0 || bytes.length > 4096) return true;
  return name === "." || name === ".." || bytes.includes(0x2f) || bytes.includes(0);
}

/** What a system has against a name; null for nothing. */
function faultOf(name: string, platform: NamePlatform): string | null {
  if (isHostile(name)) return "no name at all";
  if (/^\.quiver-/i.test(name.normalize("NFKC"))) return "the name of our own folders";
  if (platform === "linux") return (bytesOf(name)?.length ?? 0) > 255 ? "too long" : null;
  if (name.length > 255) return "too long";
  if (!name.isWellFormed()) return "no Unicode";
  return platform === "windows" ? faultOnWindows(name) : null;
}

function faultOnWindows(name: string): string | null {
  const reserved = [...name].some(
    (character) => character < " " || '"*:<>?|/\\'.includes(character),
  );
  if (reserved) return "a reserved character";
  if (name.endsWith(".") || name.endsWith(" ")) return "a trailing dot or space";
  const [stem = ""] = name.split(".", 1);
  return devices.has(stem.replace(/ +$/, "").toUpperCase()) ? "a device" : null;
}

/** The forms of a name that one system or another takes for the same file. */
function keysOf(name: string, platform: NamePlatform): Set<string> {
  if (platform === "linux") return new Set([`exact ${name}`]);
  if (platform === "windows") return new Set([`upper ${simpleUpperCase(name)}`]);
  const decomposed = name.normalize("NFD");
  return new Set([
    `lower ${decomposed.toLowerCase().normalize("NFD")}`,
    `upper ${decomposed.toUpperCase().normalize("NFD")}`,
    `HFS+ ${decomposed.replace(/[\u200c-\u200f\ufeff]/g, "").toLowerCase()}`,
  ]);
}

/** NTFS folds unit by unit: what becomes longer or shorter in capitals stays as it is. */
function simpleUpperCase(name: string): string {
  return name.replace(/./gs, (unit) =>
    unit.toUpperCase().length === 1 ? unit.toUpperCase() : unit,
  );
}

/** The bytes of a lossless name; null for a string that stands for none, or not in the one form. */
function bytesOf(name: string): Buffer | null {
  if (name.isWellFormed()) return Buffer.from(name);
  let hex = "";
  for (const character of name) {
    const code = character.codePointAt(0) ?? 0;
    const isSurrogate = code >= 0xd800 && code <= 0xdfff;
    if (isSurrogate && (code < 0xdc80 || code > 0xdcff)) return null;
    hex += isSurrogate ? (code - 0xdc00).toString(16) : Buffer.from(character).toString("hex");
  }
  const bytes = Buffer.from(hex, "hex");
  // Escaped bytes that are UTF-8 together should have been text.
  return hasEscapedUtf8(name) ? null : bytes;
}

function hasEscapedUtf8(name: string): boolean {
  for (const [run] of name.matchAll(/[\udc80-\udcff]+/gu)) {
    const bytes = Buffer.from(run, "utf16le").filter((_, at) => at % 2 === 0);
    for (let from = 0; from < bytes.length; from += 1) {
      for (let to = from + 2; to <= Math.min(bytes.length, from + 4); to += 1) {
        if (isUtf8(bytes.subarray(from, to))) return true;
      }
    }
  }
  return false;
}

const devices = new Set([
  ...["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"],
  ...[..."123456789¹²³"].flatMap((digit) => [`COM${digit}`, `LPT${digit}`]),
]);
