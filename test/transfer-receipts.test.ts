/** A receipt is what the receiver said of each file, however little of it is kept. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReceiptFile } from "../src/index.ts";
import type { Entry } from "../src/protocol/entry.ts";
import { Manifest } from "../src/protocol/manifest.ts";
import type { FileResult } from "../src/protocol/messages.ts";
import { receiptFile } from "../src/transfer/receipt-files.ts";
import { ReceiptReader } from "../src/transfer/receipt-reader.ts";
import { victims } from "./hostile-victims.ts";
import { blake3 } from "./peers.ts";
import { file, laneHeader, type Message, piece, RawPeer, runHeader, ultra } from "./raw-peer.ts";
import { isNotAsOffered } from "./receipt-files.ts";

const cases: { why: string; results: readonly Partial<FileResult>[] }[] = [
  { why: "all arrived as they were sent", results: [{}, {}, {}, {}] },
  {
    why: "the folder landed under another name",
    results: [0, 1, 2, 3].map((at) => ({ savedAs: landed("photos (2)", at) })),
  },
  {
    why: "one file of a folder under another name kept its own",
    results: [{ savedAs: landed("moved", 0) }, {}, { savedAs: landed("moved", 2) }, {}],
  },
  {
    why: "one file of a folder got another name",
    results: [{}, { savedAs: "photos/sub/b_" }, {}, {}],
  },
  {
    why: "the first failed, and the rest landed under another name",
    results: [failure(), ...[1, 2, 3].map((at) => ({ savedAs: landed("moved", at) }))],
  },
  {
    why: "some were there, some failed",
    results: [
      { status: "skipped", hash: none(), reason: "a file of that name is there already" },
      { status: "skipped", hash: none(), reason: "a file of that name is there already" },
      failure(),
      {},
    ],
  },
];

for (const { why, results } of cases) {
  test(`a sender's receipt is what the receiver said: ${why}`, () => {
    const { manifest, entries } = photos();
    const said = results.map((one, at) => resultOf(entries[at] ?? 0, one));
    const reader = new ReceiptReader(manifest, { hash: hashOf }, () => false);

    for (const result of said) reader.add([result]);
    const { files, bytes } = reader.finish("00", 1, []);

    const expected = said.map((result) => receiptFile(manifest, result));
    assert.deepEqual([...files], expected);
    assert.deepEqual([...files], expected, "a second look is like the first");
    assert.deepEqual([...files.notAsOffered], expected.filter(isNotAsOffered));
    assert.equal(files.length, expected.length);
    assert.equal(JSON.stringify({ files }), JSON.stringify({ files: expected }));
    const received = expected.filter(({ status }) => status === "received");
    assert.equal(bytes, received.reduce(sizes, 0));
  });
}

test("runs of files that arrived are results as good as any other", () => {
  const { manifest, entries } = photos();
  const reader = new ReceiptReader(manifest, { hash: hashOf }, () => false);
  const wrong = new Uint8Array(32).fill(0xee);

  reader.addArrived([{ first: 1, hashes: hashOf(1) }]);
  reader.addArrived([{ first: 3, hashes: Buffer.concat([hashOf(3), wrong, hashOf(5)]) }]);
  const { files, bytes } = reader.finish("00", 1, []);

  const code = "CONTENT_MISMATCH";
  const reason = "the receiver's hash is not that of the file that was sent; send it again";
  const failed: Partial<FileResult> = { hash: wrong, status: "failed", code, reason };
  const results = [{}, {}, failed, {}].map((one, at) => resultOf(entries[at] ?? 0, one));
  const expected = results.map((result) => receiptFile(manifest, result));
  assert.deepEqual([...files], expected);
  assert.deepEqual([...files.notAsOffered], [expected[2]]);
  assert.equal(bytes, 10 * (97 + 98 + 122));
});

const hearers = [
  { features: ["arrived"], said: ["arrived", "results", "receipt"] },
  { features: [], said: ["results", "receipt"] },
];

for (const { features, said } of hearers) {
  test(`a receipt for a sender whose features are [${features}] is ${said.join(", ")}`, async (t) => {
    const { network, bob } = await victims(t);
    const raw = await RawPeer.greet(t, network, bob, { features });
    const content = Buffer.from("content");
    const names = ["a", "b", "c"];
    const transfer = await raw.offer(names.map((name) => file(name, content.length)));
    await raw.hear("accept");
    await raw.say({ type: "absent", transfer, failures: [[2, 10, "gone"]] });

    const lane = await raw.connection.openUnidirectional();
    const sent = [0, 1].flatMap((entry) => [
      runHeader({ entry, offset: 0, length: content.length }),
      piece(content),
    ]);
    await lane.write(Buffer.concat([laneHeader(transfer, 0, ultra), ...sent]));
    await lane.finish();
    await raw.say({ type: "done", transfer, lanes: 1 });

    const heard: Message[] = [];
    while (heard.at(-1)?.["type"] !== "receipt") {
      heard.push(await raw.hear("arrived", "results", "receipt"));
    }
    await raw.say({ type: "settled", transfer });
    assert.deepEqual(
      heard.map(({ type }) => type),
      said,
    );
    const hash = Buffer.from(blake3(content), "hex");
    const [first] = heard;
    if (first?.["type"] !== "arrived") return;
    assert.deepEqual(first["runs"], [[0, Buffer.concat([hash, hash])]]);
  });
}

test("a file whose hash is not the sender's has failed", () => {
  const { manifest, entries } = photos();
  const reader = new ReceiptReader(manifest, { hash: hashOf }, () => true);
  const wrong = new Uint8Array(32).fill(0xee);

  entries.forEach((entry, at) => {
    reader.add([resultOf(entry, at === 1 ? { hash: wrong } : {})]);
  });
  const { files } = reader.finish("00", 1, []);

  const statuses = [...files].map(({ status, code, blake3 }) => [status, code, blake3]);
  assert.deepEqual(statuses[1], ["failed", "CONTENT_MISMATCH", "ee".repeat(32)]);
  assert.equal(statuses.filter(([status]) => status === "received").length, 3);
});

test("what the receiver had before is told with the receiver's hash", () => {
  const { manifest, entries } = photos();
  const theirs = new Uint8Array(32).fill(0xaa);
  const isHeld = (entry: number) => entry === entries[2];
  const hash = (entry: number) => (isHeld(entry) ? undefined : hashOf(entry));
  const reader = new ReceiptReader(manifest, { hash }, isHeld);

  entries.forEach((entry, at) => {
    reader.add([resultOf(entry, at === 2 ? { hash: theirs } : {})]);
  });
  const { files } = reader.finish("00", 1, []);

  const [, , third] = files;
  assert.deepEqual([third?.status, third?.blake3], ["received", "aa".repeat(32)]);
});

test("a folder is in a receipt only where it failed", () => {
  const { manifest, entries } = photos();
  const reader = new ReceiptReader(manifest, { hash: hashOf }, () => false);

  reader.add([resultOf(0, failure())]);
  for (const entry of entries) reader.add([resultOf(entry, {})]);
  const { files } = reader.finish("00", 1, []);

  const [first] = files;
  assert.deepEqual([files.length, first?.path, first?.status], [5, "photos", "failed"]);
});

/** `photos/a`, `photos/sub/b`, `photos/sub/c`, and `z` beside them. */
function photos(): { manifest: Manifest; entries: number[] } {
  const manifest = new Manifest();
  const offered: [Entry["kind"], depth: number, name: string][] = [
    ["folder", 0, "photos"],
    ["file", 1, "a"],
    ["folder", 1, "sub"],
    ["file", 2, "b"],
    ["file", 2, "c"],
    ["file", 0, "z"],
  ];
  for (const [kind, depth, name] of offered) {
    const bytes = kind === "file" ? 10 * name.charCodeAt(0) : 0;
    manifest.add({ kind, depth, name, bytes, mode: 0o644, mtimeMs: 0, target: "" });
  }
  manifest.seal();
  return { manifest, entries: [1, 3, 4, 5] };
}

/** Where one of the files lands when its top-level entry gets another name. */
function landed(name: string, at: number): string {
  return ["/a", "/sub/b", "/sub/c", ""].map((below) => name + below)[at] ?? "";
}

function resultOf(entry: number, said: Partial<FileResult>): FileResult {
  const hash = hashOf(entry);
  return { entry, status: "received", hash, savedAs: "", code: null, reason: "", ...said };
}

function failure(): Partial<FileResult> {
  return { status: "failed", hash: none(), code: "DISK_DENIED", reason: "may not be written" };
}

function hashOf(entry: number): Uint8Array {
  return new Uint8Array(32).fill(entry + 1);
}

function none(): Uint8Array {
  return new Uint8Array();
}

function sizes(sum: number, { size }: ReceiptFile): number {
  return sum + size;
}
