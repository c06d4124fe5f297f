/** Under which names hostile ones land, on each system, and which links stay inside. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeName, encodeName } from "../src/lossless-name.ts";
import {
  isInsideLink,
  landingName,
  NameTable,
  nameRules,
  stagingPrefix,
} from "../src/transfer/landing-name.ts";

const platforms = ["linux", "darwin", "windows"] as const;

const refused = [
  { name: "", why: "no name" },
  { name: ".", why: "the folder itself" },
  { name: "..", why: "the folder above" },
  { name: "a/b", why: "a path" },
  { name: "/", why: "the root" },
  { name: "a\0b", why: "systems cut it at the NUL" },
  { name: "a".repeat(4_097), why: "no system has so long a name" },
  { name: "\ud800", why: "half a character that stands for no byte" },
  { name: "\udcc3\udca9", why: "the bytes of é, which have a string already" },
];

for (const platform of platforms) {
  for (const { name, why } of refused) {
    test(`${platform}: ${JSON.stringify(name.slice(0, 9))} is refused: ${why}`, () => {
      assert.equal(landingName(name, nameRules(platform)).kind, "refused");
    });
  }
}

const notUtf8 = decodeName(Uint8Array.of(0x61, 0xe9));
const long = "a".repeat(300);
const kept = "holiday 2026 é 你好 🏹.tar.gz";

const landings = [
  { on: "linux", name: kept, lands: kept, why: "an ordinary name" },
  { on: "windows", name: kept, lands: kept, why: "an ordinary name" },
  { on: "linux", name: "a\nb\\c:d?", lands: "a\nb\\c:d?", why: "Linux holds all but / and NUL" },
  { on: "linux", name: notUtf8, lands: notUtf8, why: "names are bytes" },
  { on: "darwin", name: notUtf8, lands: "a%E9", why: "APFS holds Unicode alone" },
  { on: "windows", name: notUtf8, lands: "a%E9", why: "so does NTFS" },
  { on: "windows", name: 'a<b>c:d"e|f?g*h\\i', lands: "a_b_c_d_e_f_g_h_i", why: "reserved" },
  { on: "windows", name: "a\x01b\x1fc", lands: "a_b_c", why: "control characters" },
  { on: "windows", name: "a. .", lands: "a___", why: "trailing dots and spaces are dropped" },
  { on: "windows", name: "...", lands: "___", why: "dots alone mean folders" },
  { on: "windows", name: "con", lands: "con_", why: "a device" },
  { on: "windows", name: "NUL.tar.gz", lands: "NUL_.tar.gz", why: "with any extension" },
  { on: "windows", name: "Com9", lands: "Com9_", why: "in any case" },
  { on: "windows", name: "LPT¹.txt", lands: "LPT¹_.txt", why: "superscript digits count" },
  { on: "windows", name: "CONIN$", lands: "CONIN$_", why: "the console" },
  { on: "windows", name: "AUX .c", lands: "AUX_ .c", why: "a space before the dot is dropped" },
  { on: "windows", name: "NUL:", lands: "NUL_", why: "a device's other spelling" },
  { on: "windows", name: "CONSOLE", lands: "CONSOLE", why: "only begins like a device" },
  { on: "windows", name: "COM0.x", lands: "COM0.x", why: "there is no port 0" },
  { on: "linux", name: "con", lands: "con", why: "Linux knows no such devices" },
  { on: "linux", name: ".quiver-a", lands: "_.quiver-a", why: "our own staging folder" },
  { on: "linux", name: ".Quiver-a", lands: "_.Quiver-a", why: "also where case is folded" },
  { on: "linux", name: ".quiver", lands: ".quiver", why: "not our prefix" },
] as const;

for (const { on, name, lands, why } of landings) {
  test(`${on}: ${JSON.stringify(name)} lands as ${JSON.stringify(lands)}: ${why}`, () => {
    const kind = lands === name ? "same" : "mapped";
    assert.deepEqual(landingName(name, nameRules(on)), { kind, name: lands });
  });
}

const lengths = [
  { on: "linux", name: "a".repeat(255), fits: true, why: "the most bytes" },
  { on: "linux", name: "a".repeat(256), fits: false, why: "one byte over" },
  { on: "linux", name: "é".repeat(128), fits: false, why: "256 bytes of 128 letters" },
  { on: "darwin", name: "é".repeat(255), fits: true, why: "units count, not bytes" },
  { on: "darwin", name: "🏹".repeat(128), fits: false, why: "256 units" },
  { on: "windows", name: "a".repeat(255), fits: true, why: "the most units" },
  { on: "windows", name: "a".repeat(256), fits: false, why: "one unit over" },
] as const;

for (const { on, name, fits, why } of lengths) {
  test(`${on}: ${[...name].length} of ${[...name][0]} ${fits ? "fit" : "are cut"}: ${why}`, () => {
    assert.equal(landingName(name, nameRules(on)).kind, fits ? "same" : "mapped");
  });
}

test("a long name keeps its extension", () => {
  assert.match(landed(`${long}.tar.gz`, "linux"), /^a{239}~[0-9a-f]{12}\.gz$/);
});

test("two long names that begin alike stay different", () => {
  assert.notEqual(landed(`${long}1`, "linux"), landed(`${long}2`, "linux"));
});

const hostileName = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: "grapheme", minLength: 40, maxLength: 200 }),
      fc.constantFrom(
        ".",
        "..",
        " ",
        "CON",
        "nul",
        "COM1",
        ".quiver-",
        "?",
        ":",
        "\\",
        "\x07",
        "é",
      ),
      fc.integer({ min: 0xdc80, max: 0xdcff }).map((code) => String.fromCharCode(code)),
    ),
    { maxLength: 5 },
  )
  .map((parts) => parts.join(""));

for (const platform of platforms) {
  const rules = nameRules(platform);

  test(`S3: ${platform}: what lands is one name that the system holds`, () => {
    fc.assert(
      fc.property(hostileName, (name) => {
        const landing = landingName(name, rules);
        if (landing.kind === "refused") return;
        assert.doesNotMatch(landing.name, /[/\0]/);
        assert.ok(!["", ".", ".."].includes(landing.name));
        const units = platform === "linux" ? encodeName(landing.name).length : landing.name.length;
        assert.ok(units <= 255);
        assert.ok(!landing.name.startsWith(stagingPrefix));
        if (platform !== "linux") assert.ok(landing.name.isWellFormed());
      }),
    );
  });

  test(`${platform}: what landed lands as itself`, () => {
    fc.assert(
      fc.property(hostileName, (name) => {
        const first = landingName(name, rules);
        if (first.kind === "refused") return;
        assert.deepEqual(landingName(first.name, rules), { kind: "same", name: first.name });
      }),
    );
  });

  test(`${platform}: a folder's names land apart, each fit for the system, and again the same`, () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(hostileName, twin), { maxLength: 20 }), (names) => {
        const [one, two] = [new NameTable(rules), new NameTable(rules)];

        const landings = names.map((name) => one.land(name));

        const used = landings.flatMap((landing) =>
          landing.kind === "refused" ? [] : landing.name,
        );
        const alike = platform === "linux" ? used : used.map((name) => name.toLowerCase());
        assert.equal(new Set(alike).size, used.length);
        for (const name of used) assert.equal(landingName(name, rules).kind, "same");
        assert.deepEqual(
          names.map((name) => two.land(name)),
          landings,
        );
      }),
    );
  });
}

const twin = fc.constantFrom("a", "A", "a (2)", "A (2)", "a (3)", "a?", "a*", "a_", "é", "e\u0301");

const clashes = [
  { on: "windows", names: ["a.txt", "A.TXT"], land: ["a.txt", "A (2).TXT"], why: "case" },
  { on: "darwin", names: ["é", "e\u0301"], land: ["é", "e\u0301 (2)"], why: "composition" },
  { on: "darwin", names: ["ß", "SS"], land: ["ß", "SS (2)"], why: "full case folding" },
  {
    on: "darwin",
    names: ["a", "a\u200d"],
    land: ["a", "a\u200d (2)"],
    why: "HFS+ ignores a joiner",
  },
  { on: "linux", names: ["a", "A"], land: ["a", "A"], why: "Linux tells case apart" },
  { on: "windows", names: ["a?", "a*"], land: ["a_", "a_ (2)"], why: "mapped to the same" },
  { on: "windows", names: ["a", "A", "a (2)"], land: ["a", "A (2)", "a (2) (2)"], why: "taken" },
  {
    on: "linux",
    names: ["_.quiver-a", ".quiver-a"],
    land: ["_.quiver-a", "_ (2).quiver-a"],
    why: "",
  },
] as const;

for (const { on, names, land, why } of clashes) {
  test(`${on}: ${names.join(", ")} land as ${land.join(", ")} ${why && `: ${why}`}`, () => {
    const table = new NameTable(nameRules(on));
    assert.deepEqual(
      names.map((name) => table.land(name)),
      land.map((name, at) => ({ kind: name === names[at] ? "same" : "mapped", name })),
    );
  });
}

test("the same name twice in a folder is refused", () => {
  const table = new NameTable(nameRules("linux"));
  table.land("a");

  assert.equal(table.land("a").kind, "refused");
});

test("ten thousand twins take no longer than ten thousand names", () => {
  const table = new NameTable(nameRules("windows"));
  const letters = "abcdefghijklmn";
  const names = Array.from({ length: 10_000 }, (_, bits) =>
    [...letters].map((x, at) => ((bits >> at) & 1 ? x.toUpperCase() : x)).join(""),
  );

  const landings = names.map((name) => table.land(name));

  assert.deepEqual(landings.at(-1), { kind: "mapped", name: `${names.at(-1)} (10000)` });
});

const links = [
  { at: "top/link", target: "file", inside: true, why: "a sibling" },
  { at: "top/link", target: "./a/b", inside: true, why: "below" },
  { at: "top/a/link", target: "../file", inside: true, why: "beside its folder" },
  { at: "top/a/link", target: "..", inside: true, why: "the top-level folder itself" },
  { at: "top/a/link", target: "../../top/file", inside: false, why: "it leaves on the way" },
  { at: "top/link", target: "..", inside: false, why: "the inbox" },
  { at: "top/link", target: "../other", inside: false, why: "another thing in the inbox" },
  { at: "link", target: "file", inside: false, why: "it came in no folder" },
  { at: "top/link", target: "/etc/passwd", inside: false, why: "absolute" },
  { at: "top/link", target: "", inside: false, why: "empty" },
  { at: "top/link", target: "a\0b", inside: false, why: "systems cut it at the NUL" },
  { at: "top/link", target: "a/../b", inside: false, why: "a may be a link to somewhere higher" },
  { at: "top/link", target: "a\\..\\..\\b", inside: true, why: "an ordinary name on Linux" },
  {
    at: "top/a/b/link",
    target: "..//.././x",
    inside: true,
    why: "empty parts and dots are nothing",
  },
  { at: "top/a/b/link", target: "..//.././../x", inside: false, why: "one too far" },
];

for (const { at, target, inside, why } of links) {
  test(`${at} -> ${JSON.stringify(target)} is ${inside ? "inside" : "outside"}: ${why}`, () => {
    assert.equal(isInsideLink(at.split("/"), target), inside);
  });
}

for (const target of ["a\\b", "C:", "C:/x", "\\\\server\\share", "file:stream"]) {
  test(`${target} is no link inside on Windows`, () => {
    assert.equal(isInsideLink(["top", "link"], target, "windows"), false);
  });
}

function landed(name: string, on: (typeof platforms)[number]): string {
  const landing = landingName(name, nameRules(on));
  assert.notEqual(landing.kind, "refused");
  return landing.kind === "refused" ? "" : landing.name;
}
