/** The bytes and the tables of docs/protocol.md are those of the code. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { allCodecs } from "../src/codec.ts";
import { codecNumbers, decodePiece } from "../src/engine/memory-codec.ts";
import { pieceValue } from "../src/engine/memory-hash.ts";
import { errorCodes } from "../src/errors.ts";
import { decodeEntries, type Entry, encodeEntries } from "../src/protocol/entry.ts";
import { frameBodyBytes, frameHeaderBytes } from "../src/protocol/frame.ts";
import {
  decodeBundleEntries,
  decodeLaneHeader,
  decodeStreamTag,
  decodeUnitHeader,
  encodeLaneHeader,
  encodeProgressHeader,
  encodeUnit,
  laneFormats,
  streamTagBytes,
  unitHeaderBytes,
} from "../src/protocol/lane.ts";
import * as limits from "../src/protocol/limits.ts";
import { decodeMessage, encodeMessage } from "../src/protocol/message-codec.ts";
import { alpn, bounds, type ControlMessage, type Hello } from "../src/protocol/messages.ts";
import {
  decodeProgress,
  encodeProgress,
  type ProgressMessage,
} from "../src/protocol/progress-message.ts";
import { proofLabel } from "../src/protocol/proof.ts";
import { decodeTicket, encodeTicket, type Ticket } from "../src/protocol/ticket.ts";

const path = new URL("../docs/protocol.md", import.meta.url);
const document = readFileSync(path, "utf8");

const transfer = "000102030405060708090a0b0c0d0e0f";
const request = "101112131415161718191a1b1c1d1e1f";

const hello: Hello = {
  type: "hello",
  version: 1,
  name: "desk",
  features: [],
  profiles: ["ultra", "standard"],
  codecs: ["none", "lz4", "zstd"],
  maxLanes: 256,
  proof: new Uint8Array(32).fill(0xaa),
};

/** A walk: a folder, a file and a link in it, and a file beside it whose name is not UTF-8. */
const entries: Entry[] = [
  { kind: "folder", depth: 0, name: "trip", bytes: 0, mode: 0o755, mtimeMs: 1e12, target: "" },
  { kind: "file", depth: 1, name: "Åre", bytes: 70_000, mode: 0o644, mtimeMs: 1e12, target: "" },
  { kind: "link", depth: 1, name: "best", bytes: 0, mode: 0o777, mtimeMs: -1, target: "Åre" },
  { kind: "file", depth: 0, name: "caf\udce9", bytes: 0, mode: 0o600, mtimeMs: 0, target: "" },
];

const result = { entry: 0, status: "received", savedAs: "", code: null, reason: "" } as const;
const hash = Uint8Array.from({ length: 32 }, (_, at) => at);
const noHash = new Uint8Array();

/** One of each; for each there is a block of the same name in the document. */
const messages: ControlMessage[] = [
  hello,
  { type: "offer", transfer, targetDir: "photos/2026", profile: "ultra" },
  { type: "entries", transfer, batch: encodeEntries(entries) },
  {
    type: "offered",
    transfer,
    entries: 4,
    bytes: 70_000,
    skipped: [{ path: "trip/socket", reason: "is a socket" }],
  },
  {
    type: "skip",
    transfer,
    runs: [
      [1, 1],
      [3, 1000],
    ],
  },
  {
    type: "have",
    transfer,
    files: [[1, 2]],
    pieces: [{ entry: 3, pieceBytes: 65_536, first: 16, count: 256 }],
  },
  {
    type: "compare",
    transfer,
    files: [{ entry: 3, pieceBytes: 65_536, first: 16, values: hash }],
  },
  { type: "equal", transfer, entry: 3, runs: [[16, 1]] },
  { type: "accept", transfer },
  { type: "reject", transfer, code: "PEER_REJECTED", reason: "no" },
  { type: "cancel", transfer, code: "CANCELLED", reason: "enough" },
  { type: "pace", transfer, state: "paused", limit: 1_000_000 },
  { type: "bound", transfer, by: "receiver-disk" },
  { type: "want", transfer, entry: 1, offset: 65_536, length: 4464 },
  { type: "absent", transfer, failures: [{ entry: 3, code: "DISK_DENIED", reason: "locked" }] },
  { type: "done", transfer, lanes: 8 },
  { type: "refuse", transfer, lane: 0, code: "UNSUPPORTED_FORMAT", reason: "format 9" },
  {
    type: "results",
    transfer,
    files: [
      { ...result, entry: 1, hash, savedAs: "trip (2)/Åre" },
      { ...result, entry: 3, hash: noHash, status: "failed", code: "DISK_FULL", reason: "full" },
    ],
  },
  { type: "arrived", transfer, runs: [{ first: 1, hashes: hash }] },
  { type: "receipt", transfer, bytes: 70_000, seconds: 0.5 },
  { type: "settled", transfer, bounds: [{ by: "path", share: 0.833 }] },
  { type: "widen", peerId: Buffer.from(hash).toString("hex"), port: 50_000 },
  { type: "error", code: "INVALID_FRAME", reason: "unknown type" },
  { type: "list", request, path: "photos/2026", after: "" },
  {
    type: "listing",
    request,
    entries: [
      { kind: "folder", name: "trip", bytes: 0, mtimeMs: 1e12 },
      { kind: "file", name: "Åre", bytes: 70_000, mtimeMs: -1 },
    ],
    more: 1,
  },
  { type: "get", request, paths: ["photos/2026", "photos/caf\udce9"] },
  { type: "granted", request, transfer },
  { type: "denied", request, code: "DISK_MISSING", reason: "it is not there" },
];

const progress: ProgressMessage = {
  bytes: 65_536,
  files: 1,
  lanes: [65_536, 0],
  current: [[1, 65_536]],
  times: { elapsedMs: 1000, diskMs: 20, limitMs: 0, streamMs: 1900, workMs: 80, busyMs: 300 },
};

const ticket: Ticket = {
  peerId: "11".repeat(32),
  secret: new Uint8Array(16).fill(0x22),
  addresses: ["192.0.2.7:4433", "[2001:db8:0:0:0:0:0:1]:4433"],
};

for (const message of messages) {
  test(`${message.type} has the bytes of the document`, () => {
    const bytes = hex(message.type);

    assert.deepEqual(toHex(encodeMessage(message)), toHex(bytes));
    assert.deepEqual(decodeMessage(bodyOf(bytes)), message);
  });
}

test("the document shows every message, and every hex block is tested", () => {
  const binary = ["progress", "progress header", "lane", "ultra run", "bundle", "standard run"];
  const pieces = ["piece", "lz4 piece", "zstd piece", "absent piece"];
  const streams = ["offer of a stream", "done of a stream"];
  const contents = ["offered with its content", "accept with the content"];
  const others = [...binary, ...pieces, ...streams, ...contents, "ticket", "offer of a text"];
  const named = [...document.matchAll(/^```hex (.+)$/gm)].map(([, name]) => name);

  assert.deepEqual(named.sort(), [...messages.map(({ type }) => type), ...others].sort());
});

for (const message of messages) {
  test(`the document's table of ${message.type} has the fields that travel`, () => {
    const section = document.split(`\n### ${message.type}\n`)[1]?.split("\n##")[0] ?? "";
    const table = section.split("| field |")[1]?.split("\n\n")[0];
    if (!table) return assert.match(section, /only field is `transfer`|are those of `reject`/);
    const fields = [...table.matchAll(/^\| (\w+) \|/gm)].map(([, field]) => field);

    assert.deepEqual(fields, Object.keys(message).slice(1));
  });
}

test("the document's words for what holds a transfer are those of the code", () => {
  const section = document.split("\n### bound\n")[1]?.split("\n##")[0] ?? "";
  const table = section.split("| by | what holds it |")[1]?.split("\n\n")[0] ?? "";
  const rows = table.split("\n").slice(2);
  const words = rows.flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`([\w-]+)`/g)]);

  assert.deepEqual(
    words.map(([, word]) => word),
    [...bounds],
  );
});

test("the entries of the document are read back, the name that is no UTF-8 too", () => {
  const message = decodeMessage(bodyOf(hex("entries")));

  assert.ok(message?.type === "entries");
  assert.deepEqual(decodeEntries(message.batch), entries);
});

test("a progress message has the bytes of the document", () => {
  const bytes = hex("progress");

  assert.deepEqual(toHex(encodeProgress(progress)), toHex(bytes));
  assert.deepEqual(decodeProgress(bodyOf(bytes)), progress);
});

test("a progress stream begins with the bytes of the document", () => {
  const bytes = hex("progress header");

  assert.equal(toHex(encodeProgressHeader(transfer)), toHex(bytes));
  assert.deepEqual(decodeStreamTag(bytes.subarray(0, streamTagBytes)), { kind: "progress" });
});

test("a lane begins with the bytes of the document", () => {
  const bytes = hex("lane");
  const header = { transferId: transfer, lane: 7 };

  assert.equal(toHex(encodeLaneHeader(laneFormats.ultra, header)), toHex(bytes));
  assert.deepEqual(decodeStreamTag(bytes.subarray(0, streamTagBytes)), { kind: "lane", format: 2 });
  assert.deepEqual(decodeLaneHeader(bytes.subarray(streamTagBytes)), header);
});

const run = { kind: "run", entry: 1, offset: 65_536, length: 4464, pieceBytes: 65_536 } as const;

test("an ultra run has the bytes of the document", () => {
  const bytes = hex("ultra run");

  assert.equal(toHex(encodeUnit("ultra", run)), toHex(bytes));
  assert.deepEqual(decodeUnitHeader("ultra", bytes), run);
});

test("a standard run has the bytes of the document and no length", () => {
  const bytes = hex("standard run");

  assert.equal(toHex(encodeUnit("standard", run)), toHex(bytes));
  assert.deepEqual(decodeUnitHeader("standard", bytes), { ...run, length: null });
});

test("a bundle has the bytes of the document", () => {
  const bytes = hex("bundle");
  const fixed = unitHeaderBytes("ultra");

  assert.equal(toHex(encodeUnit("ultra", { kind: "bundle", entries: [3, 5] })), toHex(bytes));
  assert.deepEqual(decodeUnitHeader("ultra", bytes.subarray(0, fixed)), {
    kind: "bundle",
    files: 2,
  });
  assert.deepEqual(decodeBundleEntries(bytes.subarray(fixed)), [3, 5]);
});

test("the value of the document's piece is the BLAKE3 hash of its bytes", () => {
  const value = pieceValue(Buffer.from("abc"), { offset: 0, isWholeFile: true });

  assert.equal(toHex(hex("piece")), `0000000003616263${toHex(value)}`);
  assert.equal(toHex(hex("absent piece")), "ff00000000");
});

for (const codec of ["lz4", "zstd"] as const) {
  test(`the document's ${codec} piece is a piece of 30 times the same byte`, () => {
    const bytes = Buffer.from(hex(`${codec} piece`));
    const content = Buffer.alloc(30, "a");
    const value = pieceValue(content, { offset: 0, isWholeFile: true });
    const end = 5 + bytes.readUInt32BE(1);

    assert.equal(bytes[0], codecNumbers[codec]);
    assert.deepEqual(Buffer.from(decodePiece(codec, bytes.subarray(5, end), 30)), content);
    assert.equal(toHex(bytes.subarray(end)), toHex(value));
  });
}

test("the document's hello lists every codec of this version", () => {
  assert.deepEqual(hello.codecs, allCodecs);
});

test("a ticket has the bytes and the text of the document", () => {
  const text = block("text ticket").trim();

  assert.equal(encodeTicket(ticket), text);
  assert.deepEqual(decodeTicket(text), ticket);
  assert.equal(toHex(fromBase32(text.slice("quiver".length))), toHex(hex("ticket")));
});

test("the error numbers of the document are those of errors.ts", () => {
  const rows = tableRows("Error numbers", 4).map(([wire, code, exit, retry]) => [
    code,
    { exit: Number(exit), wire: Number(wire), retry: retry === "yes" },
  ]);

  assert.deepEqual(Object.fromEntries(rows), errorCodes);
});

test("the offer of a text has the bytes of the document", () => {
  const offer = {
    type: "offer",
    transfer,
    targetDir: "",
    profile: "ultra",
    text: "hello",
  } as const;

  const bytes = hex("offer of a text");

  assert.deepEqual(toHex(encodeMessage(offer)), toHex(bytes));
  assert.deepEqual(decodeMessage(bodyOf(bytes)), offer);
});

const more = [
  {
    name: "offered with its content",
    type: "offered",
    entries: 1,
    bytes: 5,
    skipped: [] as { path: string; reason: string }[],
    content: { bytes: Uint8Array.from(Buffer.from("hello")), hash },
  },
  { name: "accept with the content", type: "accept", content: true },
  { name: "offer of a stream", type: "offer", targetDir: "", profile: "ultra", stream: 2 ** 20 },
  {
    name: "done of a stream",
    type: "done",
    lanes: 8,
    end: { bytes: 70_000, hash: Uint8Array.from({ length: 32 }, (_, at) => at) },
  },
] as const;

for (const { name, ...fields } of more) {
  test(`the ${name} has the bytes of the document`, () => {
    const message: ControlMessage = { ...fields, transfer };

    const bytes = hex(name);

    assert.deepEqual(toHex(encodeMessage(message)), toHex(bytes));
    assert.deepEqual(decodeMessage(bodyOf(bytes)), message);
  });
}

test("the limits of the document are those of limits.ts", () => {
  const rows = tableRows("Limits", 2).map(([name, value = ""]) => [
    name,
    Number(value.replaceAll(",", "")),
  ]);

  assert.deepEqual(Object.fromEntries(rows), { ...limits });
});

test("the document names the ALPN and the label of the proof", () => {
  assert.ok(document.includes(`the ALPN \`${alpn}\``));
  assert.ok(document.includes(`label "${proofLabel}"`));
});

/** The text of a fenced block, by what stands after its backticks. */
function block(name: string): string {
  const found = document.split(`\n\`\`\`${name}\n`)[1]?.split("\n```")[0];
  assert.ok(found, `docs/protocol.md has a block "${name}"`);
  return found;
}

/** The bytes of a hex block, without its comments. */
function hex(name: string): Uint8Array {
  const digits = block(`hex ${name}`).replace(/#.*$/gm, "").replace(/\s+/g, "");
  assert.match(digits, /^([0-9a-f]{2})+$/);
  return new Uint8Array(Buffer.from(digits, "hex"));
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** A frame's body, after a look at its length. */
function bodyOf(frame: Uint8Array): Uint8Array {
  const body = frame.subarray(frameHeaderBytes);
  assert.equal(frameBodyBytes(frame.subarray(0, frameHeaderBytes)), body.length);
  return body;
}

/** RFC 4648, section 6, written apart from the code under test. */
function fromBase32(text: string): Uint8Array {
  const digits = [...text].map((digit) => "abcdefghijklmnopqrstuvwxyz234567".indexOf(digit));
  const bits = digits.map((digit) => digit.toString(2).padStart(5, "0")).join("");
  const bytes = bits.match(/.{8}/g) ?? [];
  return Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 2));
}

/** The first cells of the rows of a section's table, without backticks. */
function tableRows(section: string, cells: number): string[][] {
  const text = document.split(`\n## ${section}\n`)[1]?.split("\n## ")[0] ?? "";
  const rows = text.split("\n").filter((line) => line.startsWith("| "));
  return rows.slice(1).map((row) => {
    const columns = row.split("|").slice(1, 1 + cells);
    return columns.map((cell) => cell.trim().replaceAll("`", ""));
  });
}
