/** Entries and manifests: of an honest walk, and of a peer that sends what it likes. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "cborg";
import fc from "fast-check";
import { TransferError } from "../src/errors.ts";
import { decodeName } from "../src/lossless-name.ts";
import { decodeEntries, type Entry, encodeEntries, entryBound } from "../src/protocol/entry.ts";
import {
  maxBatchBytes,
  maxBatchEntries,
  maxDepth,
  maxManifestBytes,
} from "../src/protocol/limits.ts";
import { Manifest } from "../src/protocol/manifest.ts";

const plain = { mode: 0o644, mtimeMs: 1e12, target: "", bytes: 0 };
const file = (depth: number, name: string, bytes = 0): Entry => ({
  ...plain,
  kind: "file",
  depth,
  name,
  bytes,
});
const folder = (depth: number, name: string): Entry => ({ ...plain, kind: "folder", depth, name });

const names = [
  { name: "a.txt", why: "plain" },
  { name: "\ufeffa", why: "a byte order mark" },
  { name: "\ufffd", why: "a replacement character" },
  { name: "你好 🏹", why: "any script" },
  { name: decodeName(Uint8Array.of(0x66, 0xff)), why: "no UTF-8" },
  { name: decodeName(Uint8Array.of(0xed, 0xa0, 0x80)), why: "half a character in UTF-8's manner" },
  { name: "é".repeat(2048), why: "4,096 bytes" },
  { name: "", why: "empty: whether it can land is not decided here" },
  { name: "../x", why: "hostile: nor is that" },
];

for (const { name, why } of names) {
  test(`the name ${JSON.stringify(name.slice(0, 10))} is read back: ${why}`, () => {
    const entries = [file(0, name), { ...file(0, "a"), kind: "link" as const, target: name }];

    assert.deepEqual(decodeEntries(encodeEntries(entries)), entries);
  });
}

const right = [0, 0, "a", 0, 0o644, 0];
const wrongEntries = [
  { entry: [], why: "nothing" },
  { entry: right.slice(0, 5), why: "an item short" },
  { entry: [...right, ...Array(17).fill(0)], why: "longer than any version's" },
  { entry: { kind: 0 }, why: "a map" },
  { entry: 1, why: "a number" },
  { entry: [3, 0, "a", 0, 0, 0], why: "kind 3" },
  { entry: [-1, 0, "a", 0, 0, 0], why: "kind -1" },
  { entry: ["file", 0, "a", 0, 0, 0], why: "a kind in words" },
  { entry: [0, 129, "a", 0, 0, 0], why: "129 folders deep" },
  { entry: [0, -1, "a", 0, 0, 0], why: "above the top" },
  { entry: [0, 0, 7, 0, 0, 0], why: "a number for a name" },
  { entry: [0, 0, "x".repeat(4097), 0, 0, 0], why: "a name of 4,097 bytes" },
  { entry: [0, 0, "é".repeat(2049), 0, 0, 0], why: "a name of 4,098 bytes in 2,049 letters" },
  { entry: [0, 0, Buffer.alloc(4097, 0xff), 0, 0, 0], why: "4,097 bytes that are no UTF-8" },
  { entry: [0, 0, Buffer.from("a"), 0, 0, 0], why: "UTF-8 as bytes: a second form of one name" },
  { entry: [0, 0, "a", -1, 0, 0], why: "less than nothing in it" },
  { entry: [0, 0, "a", 1.5, 0, 0], why: "half a byte" },
  { entry: [1, 0, "a", 1, 0, 0], why: "a folder with bytes" },
  { entry: [2, 0, "a", 1, 0, 0, "b"], why: "a link with bytes" },
  { entry: [0, 0, "a", 0, 0o1000, 0], why: "a sticky bit" },
  { entry: [0, 0, "a", 0, 0o4755, 0], why: "a set-id bit" },
  { entry: [0, 0, "a", 0, 0, 8.64e15 + 1], why: "a time beyond all dates" },
  { entry: [0, 0, "a", 0, 0, 0.5], why: "half a millisecond" },
  { entry: [0, 0, "a", 0, 0, null], why: "no time" },
  { entry: [2, 0, "a", 0, 0, 0], why: "a link without a target" },
  { entry: [2, 0, "a", 0, 0, 0, "x".repeat(4097)], why: "a target of 4,097 bytes" },
];

for (const { entry, why } of wrongEntries) {
  test(`no entry: ${why}`, () => {
    assert.throws(() => decodeEntries(encode([entry])), malformed);
  });
}

test("items that later versions may add to an entry are ignored", () => {
  assert.deepEqual(decodeEntries(encode([[...right, "later", 1]])), [file0]);
});

const file0 = { ...file(0, "a"), mtimeMs: 0 };

const wrongBatches = [
  { hex: "", why: "nothing" },
  { hex: "a0", why: "a map" },
  { hex: "f6", why: "null" },
  { hex: "9f86000061610000 00ff", why: "an indefinite list" },
  { hex: "82860000616100 0000", why: "an entry short" },
  { hex: "8186000061610000 0000", why: "a byte after the end" },
  { hex: "818600006161f97e000000", why: "NaN bytes" },
  { hex: "81860000616100 00c100", why: "a tagged time" },
  { hex: "81860000616100 001b0020000000000000", why: "a time over 2^53" },
  { hex: "8186000062c3280000 00", why: "a name as text that is no UTF-8" },
];

for (const { hex, why } of wrongBatches) {
  test(`no batch: ${why}`, () => {
    assert.throws(() => decodeEntries(Buffer.from(hex.replaceAll(" ", ""), "hex")), malformed);
  });
}

test("a batch has at most 1,024 entries", () => {
  const batch = (count: number) => encode(Array.from({ length: count }, () => right));

  assert.equal(decodeEntries(batch(maxBatchEntries)).length, 1024);
  assert.throws(() => decodeEntries(batch(maxBatchEntries + 1)), malformed);
});

test("an entry takes no more bytes than its bound", () => {
  fc.assert(
    fc.property(anyEntry, (entry) => {
      assert.ok(encodeEntries([entry]).length <= entryBound(entry));
    }),
  );
});

test("entries are read back, whatever they say", () => {
  fc.assert(
    fc.property(fc.array(anyEntry), (entries) => {
      assert.deepEqual(decodeEntries(encodeEntries(entries)), entries);
    }),
  );
});

const walk = [
  folder(0, "trip"),
  folder(1, "day 1"),
  file(2, "a.jpg", 5),
  file(2, "b.jpg", 7),
  folder(1, "empty"),
  folder(1, "day 2"),
  folder(2, "raw"),
  file(3, "c.raw", 11),
  file(1, "notes"),
  file(0, "alone", 1),
];

const places = [
  { path: "trip", parent: -1, root: 0 },
  { path: "trip/day 1", parent: 0, root: 0 },
  { path: "trip/day 1/a.jpg", parent: 1, root: 0 },
  { path: "trip/day 1/b.jpg", parent: 1, root: 0 },
  { path: "trip/empty", parent: 0, root: 0 },
  { path: "trip/day 2", parent: 0, root: 0 },
  { path: "trip/day 2/raw", parent: 5, root: 0 },
  { path: "trip/day 2/raw/c.raw", parent: 6, root: 0 },
  { path: "trip/notes", parent: 0, root: 0 },
  { path: "alone", parent: -1, root: 9 },
];

test("each entry of a walk has its path, its folder and its top", () => {
  const { receiver } = sent(walk);

  const found = walk.map((_, at) => ({
    path: receiver.path(at),
    parent: receiver.parent(at),
    root: receiver.root(at),
  }));

  assert.deepEqual(found, places);
  assert.deepEqual(receiver.topLevel, [0, 9]);
});

test("sender and receiver count the same", () => {
  const { sender, receiver } = sent([...walk, { ...file(0, "l"), kind: "link", target: "alone" }]);

  assert.deepEqual(receiver.totals, { entries: 11, files: 5, folders: 5, links: 1, bytes: 24 });
  assert.deepEqual(sender.totals, receiver.totals);
});

test("a manifest is read in order, sealed or not", () => {
  const manifest = new Manifest();
  for (const entry of walk) manifest.add(entry);

  assert.deepEqual([...manifest], [...walk.entries()]);
  manifest.seal();
  assert.deepEqual([...manifest], [...walk.entries()]);
  assert.throws(() => manifest.entry(walk.length), RangeError);
});

test("nothing to seal is no batch", () => {
  const manifest = new Manifest();

  assert.equal(manifest.seal(), null);
  manifest.add(file(0, "a"));
  assert.notEqual(manifest.seal(), null);
  assert.equal(manifest.seal(), null);
});

const jumps = [
  { entries: [file(1, "a")], why: "below nothing" },
  { entries: [file(0, "a"), file(1, "b")], why: "below a file" },
  { entries: [folder(0, "a"), file(2, "b")], why: "two steps down" },
  { entries: [folder(0, "a"), file(0, "b"), file(1, "c")], why: "below a folder that is over" },
  {
    entries: [{ ...file(0, "l"), kind: "link" as const, target: "x" }, file(1, "a")],
    why: "below a link",
  },
];

for (const { entries, why } of jumps) {
  test(`an entry ${why} is refused`, () => {
    assert.throws(() => new Manifest().addBatch(encodeEntries(entries)), malformed);
  });
}

test("128 folders inside each other are the most", () => {
  const chain = Array.from({ length: maxDepth + 1 }, (_, depth) => folder(depth, "d"));

  assert.equal(
    sent(chain).receiver.path(maxDepth),
    Array(maxDepth + 1)
      .fill("d")
      .join("/"),
  );
  assert.throws(() => sent([...chain, folder(maxDepth + 1, "d")]), malformed);
});

for (const kind of ["file", "folder"] as const) {
  test(`the path of a ${kind} has 4,096 bytes at most`, () => {
    const above = [folder(0, "é".repeat(1000)), folder(1, "x".repeat(2000))];
    const below = (length: number): Entry => ({ ...file(2, "y".repeat(length)), kind });

    assert.equal(Buffer.byteLength(sent([...above, below(94)]).receiver.path(2)), 4096);
    assert.throws(() => sent([...above, below(95)]), malformed);
  });
}

test("sizes that add up to more than 2^53 are refused", () => {
  const most = file(0, "a", Number.MAX_SAFE_INTEGER);

  assert.equal(sent([most]).receiver.totals.bytes, Number.MAX_SAFE_INTEGER);
  assert.throws(() => sent([most, file(0, "b", 1)]), malformed);
});

test("a batch of no entries is refused: they could come for ever", () => {
  assert.throws(() => new Manifest().addBatch(encodeEntries([])), malformed);
});

test("a batch of more than 256 KiB is refused before it is read", () => {
  assert.throws(() => new Manifest().addBatch(new Uint8Array(maxBatchBytes + 1)), malformed);
});

test("no batch of a sender is over the limits", () => {
  const long = Array.from({ length: 300 }, (_, at) => file(0, `${at}`.padStart(4096, "é")));
  const many = Array.from({ length: 3000 }, (_, at) => file(0, `${at}`));

  for (const { sender } of [sent(long.map(cutTo4096)), sent(many)]) {
    assert.ok(sender.batches.every((batch) => batch.length <= maxBatchBytes));
    assert.ok(sender.batches.every((batch) => decodeEntries(batch).length <= maxBatchEntries));
    assert.ok(sender.batches.length >= 3);
  }
});

function cutTo4096(entry: Entry): Entry {
  return { ...entry, name: entry.name.slice(-2048) };
}

test("100,000 entries are held in little memory and found anywhere", () => {
  const sender = new Manifest();
  const receiver = new Manifest();
  const before = process.memoryUsage();
  const take = (batch: Uint8Array | null) => batch && receiver.addBatch(batch);

  for (let at = 0; at < 100_000; at += 1) {
    take(sender.add(at % 100 === 0 ? folder(0, `folder ${at}`) : file(1, `file ${at}`, at)));
  }
  take(sender.seal());

  const after = process.memoryUsage();
  assert.equal(receiver.totals.entries, 100_000);
  assert.ok(after.arrayBuffers - before.arrayBuffers < 20e6, "two manifests in 20 MB of bytes");
  for (let at = 99_999; at > 0; at -= 9973) {
    assert.deepEqual(receiver.entry(at), sender.entry(at));
    assert.equal(receiver.path(at), `folder ${at - (at % 100)}/file ${at}`);
  }
});

test("a hostile offer's folders do not each keep a path of 4 KiB", () => {
  const manifest = new Manifest();
  const deep = Array.from({ length: 20 }, (_, depth) => folder(depth, "x".repeat(200)));
  manifest.addBatch(encodeEntries(deep));
  const twigs = Array.from({ length: 1000 }, (_, at) => folder(20, `${at}`));
  const batch = encodeEntries(twigs);

  for (let at = 0; at < 100; at += 1) manifest.addBatch(batch);
  for (const [position] of manifest) manifest.path(position);

  const kept = process.memoryUsage();
  assert.equal(manifest.totals.folders, 100_020);
  assert.ok(kept.heapUsed < 250e6, "and not 400 MB of paths");
});

test("whatever the bytes, a batch is read or refused", () => {
  fc.assert(
    fc.property(hostileBatch, (batch) => {
      for (const read of [decodeEntries, (bytes: Uint8Array) => new Manifest().addBatch(bytes)]) {
        try {
          read(batch);
        } catch (error) {
          assert.ok(error instanceof TransferError, String(error));
        }
      }
    }),
    { numRuns: 3000 },
  );
});

/** A manifest as the sender made it and as the receiver has it. */
function sent(entries: readonly Entry[]): { sender: Manifest; receiver: Manifest } {
  const sender = new Manifest();
  const receiver = new Manifest();
  for (const entry of entries) {
    const batch = sender.add(entry);
    if (batch) receiver.addBatch(batch);
  }
  const last = sender.seal();
  if (last) receiver.addBatch(last);
  assert.deepEqual(sender.batches, receiver.batches);
  return { sender, receiver };
}

const malformed = { name: "TransferError", code: "INVALID_FRAME" };

const anyName = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 20 }),
  fc.uint8Array({ maxLength: 20 }).map(decodeName),
);
const anyEntry: fc.Arbitrary<Entry> = fc
  .record({
    kind: fc.constantFrom("file" as const, "folder" as const, "link" as const),
    depth: fc.nat(maxDepth),
    name: anyName,
    bytes: fc.nat(Number.MAX_SAFE_INTEGER),
    mode: fc.nat(0o777),
    mtimeMs: fc.integer({ min: -8.64e15, max: 8.64e15 }),
    target: anyName,
  })
  .map((entry) => ({
    ...entry,
    bytes: entry.kind === "file" ? entry.bytes : 0,
    target: entry.kind === "link" ? entry.target : "",
  }));

/** Noise, and correct batches with a byte changed. */
const hostileBatch = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc
    .tuple(fc.array(anyEntry, { maxLength: 4 }), fc.nat(), fc.nat(255))
    .map(([entries, at, byte]) => {
      const bytes = encodeEntries(entries);
      bytes[at % bytes.length] = byte;
      return bytes;
    }),
);

test("an offer whose batches are larger than any honest one's is refused", () => {
  const link = { kind: "link", depth: 0, bytes: 0, mode: 0o777, mtimeMs: 0 } as const;
  const target = "x".repeat(4096);
  const batch = encodeEntries(
    Array.from({ length: 62 }, (_, at) => ({ ...link, name: `${at}`, target })),
  );
  const manifest = new Manifest();
  const most = Math.floor(maxManifestBytes / batch.length);
  for (let added = 0; added < most; added += 1) manifest.addBatch(batch);

  assert.throws(() => manifest.addBatch(batch), { code: "LIMIT_EXCEEDED" });
});
