/** Senders that offer what cannot be, costs too much, or leads out of the inbox. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertUnharmed, transferOf, victims } from "./hostile-victims.ts";
import { codeOf, paths } from "./peers.ts";
import { cbor, file, folder, link, type RawEntry, RawPeer, type Value } from "./raw-peer.ts";

const long = "x".repeat(5000);
const latin1 = Buffer.from([0x66, 0xff]);

const manifests: { why: string; entries: RawEntry[]; code: string }[] = [
  { why: "a name ..", entries: [file("..", 1)], code: "NAME_REFUSED" },
  { why: "a name .", entries: [file(".", 1)], code: "NAME_REFUSED" },
  { why: "an empty name", entries: [file("", 1)], code: "NAME_REFUSED" },
  { why: "a folder ..", entries: [folder(".."), file("a", 1, 1)], code: "NAME_REFUSED" },
  { why: "a name with a slash", entries: [file("a/b", 1)], code: "NAME_REFUSED" },
  { why: "a way up", entries: [file("../../a", 1)], code: "NAME_REFUSED" },
  { why: "an absolute name", entries: [file("/etc/passwd", 1)], code: "NAME_REFUSED" },
  { why: "a name with a NUL", entries: [file("a\0b", 1)], code: "NAME_REFUSED" },
  { why: "a name .. far down", entries: [folder("a"), folder("..", 1)], code: "NAME_REFUSED" },
  { why: "the same name twice", entries: [file("a", 1), file("a", 1)], code: "NAME_REFUSED" },
  {
    why: "the same name twice in a folder",
    entries: [folder("f"), file("a", 1, 1), folder("a", 1)],
    code: "NAME_REFUSED",
  },
  { why: "a name of 5,000 bytes", entries: [file(long, 1)], code: "INVALID_FRAME" },
  { why: "a name that is a number", entries: [file(7, 1)], code: "INVALID_FRAME" },
  {
    why: "bytes for a name that text can say",
    entries: [file(Buffer.from("abc"), 1)],
    code: "INVALID_FRAME",
  },
  {
    why: "a text that is not UTF-8",
    entries: [file({ raw: Buffer.of(0x62, 0x66, 0xff) }, 1)],
    code: "INVALID_FRAME",
  },
  { why: "an entry below nothing", entries: [file("a", 1, 1)], code: "INVALID_FRAME" },
  { why: "a jump of depth", entries: [folder("f"), file("a", 1, 2)], code: "INVALID_FRAME" },
  { why: "an entry below a file", entries: [file("f", 1), file("a", 1, 1)], code: "INVALID_FRAME" },
  { why: "a negative depth", entries: [file("a", 1, -1)], code: "INVALID_FRAME" },
  {
    why: "folders 200 deep",
    entries: Array.from({ length: 200 }, (_, depth) => folder("d", depth)),
    code: "INVALID_FRAME",
  },
  { why: "a depth of 10,000", entries: [folder("d"), file("a", 1, 10_000)], code: "INVALID_FRAME" },
  {
    why: "a path of more than 4,096 bytes",
    entries: Array.from({ length: 30 }, (_, depth) => folder("d".repeat(200), depth)),
    code: "INVALID_FRAME",
  },
  { why: "a negative size", entries: [file("a", -1)], code: "INVALID_FRAME" },
  { why: "a size with a fraction", entries: [file("a", 1.5)], code: "INVALID_FRAME" },
  { why: "a size over 2^53", entries: [file("a", 2n ** 60n)], code: "INVALID_FRAME" },
  { why: "a size that is no number", entries: [file("a", "1")], code: "INVALID_FRAME" },
  {
    why: "sizes that add up to more than 2^53",
    entries: [file("a", Number.MAX_SAFE_INTEGER), file("b", Number.MAX_SAFE_INTEGER)],
    code: "INVALID_FRAME",
  },
  { why: "more bytes than the disk has", entries: [file("a", 2 ** 50)], code: "DISK_FULL" },
  { why: "a folder with bytes", entries: [[1, 0, "f", 5, 0o755, 0]], code: "INVALID_FRAME" },
  { why: "a set-id bit", entries: [[0, 0, "a", 1, 0o4755, 0]], code: "INVALID_FRAME" },
  { why: "an unknown kind", entries: [[3, 0, "a", 1, 0o644, 0]], code: "INVALID_FRAME" },
  { why: "a time beyond all dates", entries: [[0, 0, "a", 1, 0o644, 9e15]], code: "INVALID_FRAME" },
  { why: "an entry cut short", entries: [[0, 0, "a", 1]], code: "INVALID_FRAME" },
  { why: "a link without a target", entries: [[2, 0, "a", 0, 0o777, 0]], code: "INVALID_FRAME" },
  {
    why: "more than 1,024 entries in a batch",
    entries: Array.from({ length: 1025 }, (_, n) => folder(String(n))),
    code: "INVALID_FRAME",
  },
];

/** Names are of their own kind of attack. */
function rowOf(code: string): string {
  return code === "NAME_REFUSED" ? "F1" : "H3";
}

for (const { why, entries, code } of manifests) {
  test(`${rowOf(code)}: a manifest with ${why} is refused: ${code}`, async (t) => {
    const victim = await victims(t);
    const { bob, network } = victim;
    const raw = await RawPeer.greet(t, network, bob);

    const id = await raw.offer(entries);

    assert.equal(await codeOf(await transferOf(bob, id)), code);
    const answer = await raw.hear("reject");
    assert.ok(Number(answer["code"]) > 0);
    await assertUnharmed(t, victim);
  });
}

const totals: { why: string; offered: { [key: string]: Value } }[] = [
  { why: "more entries than were sent", offered: { entries: 3 } },
  { why: "fewer entries than were sent", offered: { entries: 1 } },
  { why: "more bytes than were sent", offered: { bytes: 4 } },
  { why: "fewer bytes than were sent", offered: { bytes: 2 } },
];

for (const { why, offered } of totals) {
  test(`H3: an offer that ends with ${why} is refused`, async (t) => {
    const victim = await victims(t);
    const { bob, network } = victim;
    const raw = await RawPeer.greet(t, network, bob);

    const id = await raw.offer([file("a", 1), file("b", 2)], { offered });

    assert.equal(await codeOf(await transferOf(bob, id)), "INVALID_FRAME");
    await assertUnharmed(t, victim);
  });
}

test("H3: ten million and one entries are not even counted", async (t) => {
  const victim = await victims(t);
  const { bob, network } = victim;
  const raw = await RawPeer.greet(t, network, bob);

  const id = await raw.offer([file("a", 1)], { offered: { entries: 10_000_001 } });

  assert.equal(await codeOf(await transferOf(bob, id)), "INVALID_FRAME");
  await assertUnharmed(t, victim);
});

test("H3: a name of 10 MB ends the session before it is held", async (t) => {
  const victim = await victims(t);
  const { bob, network } = victim;
  const raw = await RawPeer.greet(t, network, bob);
  const transfer = new Uint8Array(16).fill(9);
  await raw.say({ type: "offer", transfer, targetDir: "", profile: "ultra" });
  const batch = cbor([file("x".repeat(10_000_000), 1)]);

  // Nobody reads it to its end.
  raw.say({ type: "entries", transfer, batch }).catch(() => {});

  assert.equal(await codeOf(await transferOf(bob, transfer)), "INVALID_FRAME");
  assert.equal((await raw.connection.closed()).by, "peer");
  await assertUnharmed(t, victim);
});

const batches = [
  { why: "no CBOR", batch: Buffer.of(0xff, 0x00) },
  { why: "a batch cut short", batch: cbor([file("a", 1)]).subarray(0, -2) },
  { why: "bytes after the batch", batch: Buffer.concat([cbor([file("a", 1)]), Buffer.of(0)]) },
  { why: "a map in place of a list", batch: cbor({ a: 1 }) },
  { why: "a batch over the limit", batch: cbor([file("a", 1), "x".repeat(300_000)]) },
  { why: "a list without end", batch: Buffer.concat([Buffer.of(0x9f), cbor(file("a", 1))]) },
];

for (const { why, batch } of batches) {
  test(`H1: entries with ${why} are refused`, async (t) => {
    const victim = await victims(t);
    const { bob, network } = victim;
    const raw = await RawPeer.greet(t, network, bob);
    const transfer = new Uint8Array(16).fill(9);
    await raw.say({ type: "offer", transfer, targetDir: "", profile: "ultra" });

    await raw.say({ type: "entries", transfer, batch });

    assert.equal(await codeOf(await transferOf(bob, transfer)), "INVALID_FRAME");
    await assertUnharmed(t, victim);
  });
}

const outward = ["..", "../x", "/etc/passwd", "a/../..", "", "a\0b", "../../../../etc/passwd"];

for (const target of outward) {
  test(`H9: a link to ${JSON.stringify(target)} is not made, the rest arrives`, async (t) => {
    const victim = await victims(t);
    const { bob, network } = victim;
    const raw = await RawPeer.greet(t, network, bob);

    const transfer = await raw.offer([folder("album"), link("link", target, 1), folder("more", 1)]);
    await raw.hear("accept");
    await raw.say({ type: "done", transfer, lanes: 0 });
    await raw.settle(transfer);

    const receipt = await (await transferOf(bob, transfer)).done;
    assert.deepEqual(
      [...receipt.files].map(({ path, status, code }) => [path, status, code]),
      [["album/link", "failed", "NAME_REFUSED"]],
    );
    assert.deepEqual(await paths(bob), ["album", "album/more"]);
  });
}

const mapped: { name: string | Uint8Array; lands: RegExp }[] = [
  { name: ".quiver-0000.partial", lands: /^_\.quiver-0000\.partial$/ },
  { name: "x".repeat(300), lands: /^x{200,}~[0-9a-f]{12}$/ },
  { name: "evil\u001b[2J\nname", lands: /^evil/ },
  { name: latin1, lands: /^f\udcff$/ },
];

for (const { name, lands } of mapped) {
  const shown = JSON.stringify(String(name).slice(0, 20));

  test(`H13: the folder ${shown} lands under a name that does no harm`, async (t) => {
    const victim = await victims(t);
    const { bob, network } = victim;
    const raw = await RawPeer.greet(t, network, bob);

    const transfer = await raw.offer([folder(name)]);
    await raw.hear("accept");
    await raw.say({ type: "done", transfer, lanes: 0 });
    await raw.settle(transfer);
    await (await transferOf(bob, transfer)).done;

    const [landed = "", ...others] = await paths(bob);
    assert.match(landed, lands);
    assert.deepEqual(others, []);
  });
}
