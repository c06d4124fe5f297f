/** What a path carried is kept, and told to later connections over the same path only. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { ConnectionStats, PathFigures } from "../src/engine/engine.ts";
import { knownPathLifeMs } from "../src/options.ts";
import { KnownPaths, networkOf, type PathEnd } from "../src/peer/known-paths.ts";
import { nativePeers, random, temporaryFolder, transfer } from "./peers.ts";
import { VirtualClock } from "./virtual-clock.ts";

const figures: PathFigures = { rttMs: 150.5, rateBytesPerSecond: 62_000_000 };

/** A connection that carries so much, and what it was told. */
function connection(set: Partial<ConnectionStats> = {}, peerId = "p") {
  const told: PathFigures[] = [];
  const stats: ConnectionStats = {
    remoteAddress: "192.0.2.7:4433",
    localAddress: "198.51.100.4",
    isRelayed: false,
    congestionWindowBytes: 0,
    deliveredBytes: 0,
    unfilledBytes: 0,
    lostPackets: 0,
    sentPackets: 0,
    sentBytes: 0,
    receivedBytes: 0,
    silentMs: 0,
    pathMtuBytes: 0,
    ...figures,
    ...set,
  };
  const end: PathEnd = { peerId, stats: () => stats, knowPath: (path) => told.push(path) };
  return { end, told };
}

const networks = [
  { address: "192.0.2.7", network: "192.0.2", why: "24 bits of IPv4" },
  { address: "2001:db8:1:2:3:4:5:6", network: "2001:db8:1:2", why: "64 bits of IPv6" },
  { address: "2001:db8::7", network: "2001:db8:0:0", why: "zeros that are left out" },
  { address: "::1", network: "0:0:0:0", why: "zeros at the start" },
  { address: "fe80::1%eth0", network: "fe80:0:0:0", why: "a zone" },
  { address: "", network: "", why: "an address that is not known" },
];
for (const { address, network, why } of networks) {
  test(`the network of ${address || "nothing"} is ${network || "nothing"}: ${why}`, () => {
    assert.equal(networkOf(address), network);
  });
}

test("what a path carried is told to the next connection to the same peer, from another port too", async (t) => {
  const paths = new KnownPaths(temporaryFolder(t), new VirtualClock());
  await paths.keep(connection().end, 1);

  const next = connection({ remoteAddress: "192.0.2.7:5000", rateBytesPerSecond: 0 });
  await paths.recall(next.end);

  assert.equal(next.told.length, 1);
  assert.equal(next.told[0]?.rateBytesPerSecond, figures.rateBytesPerSecond);
  assert.equal(next.told[0]?.rttMs, figures.rttMs);
});

const others = [
  { why: "another peer", end: connection({}, "q") },
  { why: "another network of this side", end: connection({ localAddress: "203.0.113.4" }) },
  { why: "another network of the peer", end: connection({ remoteAddress: "203.0.113.7:4433" }) },
];
for (const { why, end } of others) {
  test(`what a path carried is not told to a connection of ${why}`, async (t) => {
    const paths = new KnownPaths(temporaryFolder(t), new VirtualClock());
    await paths.keep(connection().end, 1);

    await paths.recall(end.end);

    assert.deepEqual(end.told, []);
  });
}

test("what a path carried long ago is not told, and removed by the next that is kept", async (t) => {
  const folder = temporaryFolder(t);
  const clock = new VirtualClock();
  const paths = new KnownPaths(folder, clock);
  await paths.keep(connection().end, 1);
  const [name = ""] = readdirSync(join(folder, "paths"));
  const kept = JSON.parse(readFileSync(join(folder, "paths", name), "utf8"));
  const keptAtMs = clock.wallNow() - knownPathLifeMs;
  writeFileSync(join(folder, "paths", name), JSON.stringify({ ...kept, keptAtMs }));
  utimesSync(join(folder, "paths", name), new Date(keptAtMs), new Date(keptAtMs));

  const late = connection();
  await paths.recall(late.end);
  await paths.keep(connection({}, "q").end, 1);

  assert.deepEqual(late.told, []);
  assert.ok(!readdirSync(join(folder, "paths")).includes(name));
});

const starting = { rateBytesPerSecond: 0 };

test("of a transfer that was over before its path was full, what it carried is kept", async (t) => {
  const paths = new KnownPaths(temporaryFolder(t), new VirtualClock());
  await paths.keep(connection(starting).end, 3_000_000.5);

  const next = connection(starting);
  await paths.recall(next.end);

  assert.equal(next.told[0]?.rateBytesPerSecond, 3_000_000);
});

test("what a short transfer carried changes nothing where more is known, and less that is known does", async (t) => {
  const paths = new KnownPaths(temporaryFolder(t), new VirtualClock());
  await paths.keep(connection().end, 1);

  await paths.keep(connection(starting).end, 3_000_000);

  const [first, second] = [connection(), connection()];
  await paths.recall(first.end);
  assert.equal(first.told[0]?.rateBytesPerSecond, figures.rateBytesPerSecond);
  await paths.keep(connection({ rateBytesPerSecond: 2_000_000 }).end, 1);
  await paths.recall(second.end);
  assert.equal(second.told[0]?.rateBytesPerSecond, 2_000_000);
});

test("of a transfer that carried nothing, nothing is kept", async (t) => {
  const folder = temporaryFolder(t);
  const paths = new KnownPaths(folder, new VirtualClock());

  await paths.keep(connection(starting).end, 0);

  assert.deepEqual(readdirSync(folder), []);
});

const damaged = [
  { text: "", why: "an empty file" },
  { text: "[]", why: "another kind of value" },
  { text: '{"rttMs":150}', why: "a part of it" },
  { text: '{"rttMs":-1,"rateBytesPerSecond":1,"keptAtMs":NOW}', why: "a negative time" },
  {
    text: '{"rttMs":150,"rateBytesPerSecond":1e300,"keptAtMs":NOW}',
    why: "a rate without measure",
  },
];
for (const { text, why } of damaged) {
  test(`a file of known paths that is damaged is not believed: ${why}`, async (t) => {
    const folder = temporaryFolder(t);
    const clock = new VirtualClock();
    const paths = new KnownPaths(folder, clock);
    await paths.keep(connection().end, 1);
    const [name = ""] = readdirSync(join(folder, "paths"));
    writeFileSync(join(folder, "paths", name), text.replace("NOW", `${clock.wallNow()}`));

    const next = connection();
    await paths.recall(next.end);

    assert.deepEqual(next.told, []);
  });
}

test("native: a sender keeps what the path to its receiver carried", async (t) => {
  const folder = temporaryFolder(t);
  const { alice, bob } = await nativePeers(t, { alice: { pathsFolder: folder } });
  await alice.write("large.bin", random(48 * 2 ** 20));

  await transfer({ alice, bob }, ["large.bin"]);

  const names = readdirSync(join(folder, "paths"));
  assert.equal(names.length, 1);
  const kept = JSON.parse(readFileSync(join(folder, "paths", names[0] ?? ""), "utf8"));
  assert.ok(kept.rateBytesPerSecond > 1_000_000);
  assert.ok(kept.rttMs > 0);
});
