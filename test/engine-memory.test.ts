/** What only the memory engine has: cuts, failing disks, and published hashes to hold it to. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryNetwork, type MemoryEngine } from "../src/engine/memory.ts";
import { mergePieces, pieceValue } from "../src/engine/memory-hash.ts";
import { connectedPair, engineContract, type Machine, patterned } from "./engine-contract.ts";
import { lane } from "./engine-contract-streams.ts";

engineContract("memory", async () => {
  const network = createMemoryNetwork();
  return { alice: machineOf(network.engine("alice")), bob: machineOf(network.engine("bob")) };
});

// From BLAKE3's test_vectors.json; the input is 0, 1, … 250, 0, 1, …
const vectors = [
  { bytes: 0, hash: "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262" },
  { bytes: 1, hash: "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213" },
  { bytes: 63, hash: "e9bc37a594daad83be9470df7f7b3798297c3d834ce80ba85d6e207627b7db7b" },
  { bytes: 64, hash: "4eed7141ea4a5cd4b788606bd23f46e212af9cacebacdc7d1f4c6dc7f2511b98" },
  { bytes: 65, hash: "de1e5fa0be70df6d2be8fffd0e99ceaa8eb6e8c93a63f2d8d1c30ecb6b263dee" },
  { bytes: 1023, hash: "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11" },
  { bytes: 1024, hash: "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7" },
  { bytes: 1025, hash: "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444" },
  { bytes: 2048, hash: "e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a" },
  { bytes: 2049, hash: "5f4d72f40d7a5f82b15ca2b2e44b1de3c2ef86c426c95c1af0b6879522563030" },
  { bytes: 3073, hash: "7124b49501012f81cc7f11ca069ec9226cecb8a2c850cfe644e327d22d3e1cd3" },
  { bytes: 8193, hash: "bab6c09cb8ce8cf459261398d2e7aef35700bf488116ceb94a36d0f5f1b7bc3b" },
  { bytes: 102400, hash: "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085" },
];

for (const { bytes, hash } of vectors) {
  const input = Uint8Array.from({ length: bytes }, (_, at) => at % 251);

  test(`the BLAKE3 hash of ${bytes} bytes is the published one`, () => {
    const value = pieceValue(input, { offset: 0, isWholeFile: true });
    assert.equal(Buffer.from(value).toString("hex"), hash);
  });

  test(`pieces of 1,024 and 2,048 merge to the hash of ${bytes} bytes`, () => {
    for (const pieceBytes of [1_024, 2_048]) {
      const values: Uint8Array[] = [];
      let offset = 0;
      do {
        const piece = input.subarray(offset, offset + pieceBytes);
        values.push(pieceValue(piece, { offset, isWholeFile: bytes <= pieceBytes }));
        offset += pieceBytes;
      } while (offset < bytes);
      const merged = mergePieces(Buffer.concat(values), bytes, pieceBytes);
      assert.equal(Buffer.from(merged).toString("hex"), hash);
    }
  });
}

test("a network that is cut after some bytes lets exactly those arrive", async (t) => {
  const network = createMemoryNetwork();
  const pair = await connectedPair(t, async () => ({
    alice: machineOf(network.engine()),
    bob: machineOf(network.engine()),
  }));
  network.cutAfter(10);
  const { receive } = await lane(pair.near, pair.far, patterned(20));

  await receive.read(10);

  await assert.rejects(receive.read(1), { code: "CONNECTION_LOST" });
  const lost = { by: "lost", code: 0, reason: "the network was cut" };
  assert.deepEqual(await pair.near.closed(), lost);
  assert.deepEqual(await pair.far.closed(), lost);
});

test("a network that was mended connects again, also who is dialling already", async (t) => {
  const network = createMemoryNetwork();
  const { aliceEndpoint, bobEndpoint } = await connectedPair(t, async () => ({
    alice: machineOf(network.engine()),
    bob: machineOf(network.engine()),
  }));
  network.cut();
  const { peerId, addresses } = bobEndpoint;

  await assert.rejects(aliceEndpoint.connect(peerId, addresses, 1), { code: "PEER_UNREACHABLE" });
  const dialling = aliceEndpoint.connect(peerId, addresses, 10_000);
  network.mend();

  assert.equal((await dialling).peerId, peerId);
});

test("a disk fails when it is told to, once", async () => {
  const { disk, openFolder } = createMemoryNetwork().engine();
  disk.write("/file", patterned(3));
  const folder = await openFolder("/");
  disk.failNext("stat", "DISK_FAILED");

  await assert.rejects(folder.stat("file"), { code: "DISK_FAILED" });
  assert.equal((await folder.stat("file"))?.bytes, 3);
});

for (const operation of [
  "openPartial",
  "openLog",
  "hash",
  "copy",
  "readLog",
  "append",
  "truncate",
  "syncLog",
] as const) {
  test(`a disk that fails at ${operation} changes nothing, and does it the next time`, async () => {
    const { disk, openFolder } = createMemoryNetwork().engine();
    disk.write("/file", patterned(3));
    disk.write("/log", patterned(2));
    const folder = await openFolder("/");
    const source = await folder.openSource("file", { memoryMap: false });
    const partial = await folder.createPartial("partial", 3, 0o600);
    const log = await folder.openLog("log");
    const run = { offset: 0, length: 3, pieceBytes: 1_024, fileBytes: 3 };
    const calls = {
      openPartial: () => folder.openPartial("file", 9),
      openLog: () => folder.openLog("other"),
      hash: () => source.hashRun(run),
      copy: () => partial.copyFrom(source, { offset: 0, length: 3 }),
      readLog: () => log.read({ offset: 0, length: 9 }),
      append: () => log.append(patterned(1)),
      truncate: () => log.truncate(1),
      syncLog: () => log.sync(),
    };
    const before = disk.tree("/");
    disk.failNext(operation, "DISK_FULL");

    await assert.rejects(calls[operation](), { code: "DISK_FULL" });
    const after = disk.tree("/");
    await calls[operation]();

    assert.deepEqual(after, before);
  });
}

test("a log that the disk has no room for keeps what it had", async () => {
  const { disk, openFolder } = createMemoryNetwork().engine();
  const log = await (await openFolder("/")).openLog("log");
  disk.freeBytes = 3;
  await log.append(patterned(2));

  await assert.rejects(log.append(patterned(2)), { code: "DISK_FULL" });
  await log.truncate(1);
  await log.append(patterned(2));

  assert.equal((await log.read({ offset: 0, length: 9 })).length, 3);
  assert.equal(disk.freeBytes, 0);
});

test("a disk without room refuses a file, and removing one makes room", async () => {
  const { disk, openFolder } = createMemoryNetwork().engine();
  const folder = await openFolder("/");
  disk.freeBytes = 10;
  await folder.createPartial("a", 8, 0o600);

  await assert.rejects(folder.createPartial("b", 8, 0o600), { code: "DISK_FULL" });
  await folder.remove("a");
  await folder.createPartial("b", 8, 0o600);

  assert.equal(await folder.freeBytes(), 2);
});

test("a tree shows all that is below a folder", () => {
  const { disk } = createMemoryNetwork().engine();
  disk.write("/top/a/file", patterned(2), { mtimeMs: 5, mode: 0o755 });
  disk.link("/top/link", "a");
  disk.folder("/top/empty");
  disk.other("/top/socket");

  const tree = disk.tree("/top");

  const seen = tree.map(({ path, kind, bytes, target }) => [path, kind, bytes.length, target]);
  assert.deepEqual(seen, [
    ["a", "folder", 0, ""],
    ["a/file", "file", 2, ""],
    ["empty", "folder", 0, ""],
    ["link", "link", 0, "a"],
    ["socket", "other", 0, ""],
  ]);
});

function machineOf(engine: MemoryEngine): Machine {
  let folders = 0;
  const { disk } = engine;
  return {
    engine,
    disk: {
      async makeFolder() {
        folders += 1;
        disk.folder(`/test/${folders}`);
        return `/test/${folders}`;
      },
      async put(path, bytes, mtimeMs) {
        disk.write(path, bytes, mtimeMs === undefined ? {} : { mtimeMs });
      },
      async link(path, target) {
        disk.link(path, target);
      },
      async read(path) {
        return disk.read(path);
      },
    },
  };
}
