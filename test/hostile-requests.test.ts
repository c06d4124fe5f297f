/** What a hostile reader of a share gets, and what a hostile sharer gives. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { DiskOperation } from "../src/engine/memory-disk.ts";
import { maxRequestsAtOnce } from "../src/options.ts";
import { atDisk, codeOf, type MemorySide, paths, peers, random } from "./peers.ts";
import { file, hello, type Message, RawPeer, type Value, wire } from "./raw-peer.ts";

const DISK_MISSING = 10;
const DISK_DENIED = 9;
const NAME_REFUSED = 18;
const LIMIT_EXCEEDED = 16;

/** A disk with a share, what lies beside it, and links from the one to the other. */
async function furnish(alice: MemorySide): Promise<void> {
  await alice.write("photos/a.jpg", "a");
  await alice.write("photos/trip/b.jpg", "b");
  await alice.write("private/secret.txt", "secret");
  await alice.link("photos/out", "../private");
  await alice.link("photos/absolute", "/home/private");
  await alice.link("photos/inside", "trip");
  await alice.link("photos/file-out", "../private/secret.txt");
}

/** A peer that may read `photos` of `alice`, and says what it likes. */
async function reader(t: TestContext) {
  const { alice, bob, network } = await peers(t);
  await furnish(alice);
  const raw = await RawPeer.dial(t, network, alice);
  await alice.peer.share(alice.at("photos"), { peers: [raw.peerId] });
  await raw.say(hello);
  const { features } = await raw.hear("hello");
  assert.ok(Array.isArray(features) && features.includes("requests"));
  return { alice, bob, network, raw };
}

const request = new Uint8Array(16).fill(1);

async function answer(raw: RawPeer, question: { [key: string]: Value }): Promise<Message> {
  await raw.say({ request, ...question });
  return raw.hear("listing", "granted", "denied", "error");
}

/** Checks that what came before has cost the reader nothing but its answer. */
async function assertStillServed(raw: RawPeer): Promise<void> {
  const { entries } = await answer(raw, { type: "list", path: "photos/trip", after: "" });
  assert.deepEqual(
    (entries as unknown[][]).map(([, name]) => name),
    ["b.jpg"],
  );
}

const hostilePaths: { path: Value; code: number }[] = [
  { path: "..", code: NAME_REFUSED },
  { path: ".", code: NAME_REFUSED },
  { path: "/", code: NAME_REFUSED },
  { path: "/home/private", code: NAME_REFUSED },
  { path: "photos/..", code: NAME_REFUSED },
  { path: "photos/../private", code: NAME_REFUSED },
  { path: "photos/trip/../../private/secret.txt", code: NAME_REFUSED },
  { path: "photos/./a.jpg", code: NAME_REFUSED },
  { path: "photos//a.jpg", code: NAME_REFUSED },
  { path: "photos/", code: NAME_REFUSED },
  { path: "photos/a.jpg\0", code: NAME_REFUSED },
  { path: "private", code: DISK_MISSING },
  { path: "photos/private", code: DISK_MISSING },
  { path: "photos/nothing", code: DISK_MISSING },
  { path: "photos/nothing/b.jpg", code: DISK_MISSING },
  { path: "PHOTOS", code: DISK_MISSING },
  { path: Buffer.from("photos/\xff", "latin1"), code: DISK_MISSING },
  { path: "photos/out", code: DISK_DENIED },
  { path: "photos/out/secret.txt", code: DISK_DENIED },
  { path: "photos/absolute/secret.txt", code: DISK_DENIED },
  { path: "photos/file-out", code: DISK_DENIED },
  { path: "photos/inside", code: DISK_DENIED },
  { path: "photos/inside/b.jpg", code: DISK_DENIED },
  { path: "photos/a.jpg/b", code: DISK_MISSING },
];

for (const { path, code } of hostilePaths) {
  test(`S17: the path ${JSON.stringify(String(path))} is denied with ${code}, and the reader is served on`, async (t) => {
    const { alice, raw } = await reader(t);

    const got = await answer(raw, { type: "get", paths: ["photos/a.jpg", path] });
    const listing = await answer(raw, { type: "list", path, after: "" });

    assert.deepEqual([got["type"], got["code"]], ["denied", code]);
    assert.deepEqual([listing["type"], listing["code"]], ["denied", code]);
    assert.doesNotMatch(
      String(got["reason"]) + String(listing["reason"]),
      /home\/private\/|secret$/,
    );
    await assertStillServed(raw);
    assert.equal(alice.disk.read(alice.at("photos/a.jpg")).length, 1);
  });
}

test("S17: links of a share that lead out are left out of what is sent, and told by name alone", async (t) => {
  const { alice, bob, network } = await peers(t);
  await furnish(alice);
  await alice.peer.share(alice.at("photos"), { peers: [bob.peer.peerId] });
  const from = `${alice.peer.peerId}@${alice.peer.addresses[0]}`;

  const receipt = await bob.peer.request(from, "photos").done;

  const skipped = receipt.skipped.map(({ path }) => path);
  assert.deepEqual(skipped, ["photos/absolute", "photos/file-out", "photos/out"]);
  const landed = ["photos", "photos/a.jpg", "photos/inside", "photos/trip", "photos/trip/b.jpg"];
  assert.deepEqual(await paths(bob), landed);
  assert.ok(network.carriedBytes > 0);
});

const operations: DiskOperation[] = ["openFolder", "stat", "list"];

for (const operation of operations) {
  for (let n = 1; n <= 4; n += 1) {
    test(`S17: a folder that becomes a link at the ${n}. ${operation} of a request gives nothing of its target`, async (t) => {
      const { alice, bob } = await peers(t);
      await furnish(alice);
      await alice.write("photos/trip/secret.txt", "harmless");
      await alice.peer.share(alice.at("photos"), { peers: [bob.peer.peerId] });
      const from = `${alice.peer.peerId}@${alice.peer.addresses[0]}`;
      const swap = () => {
        alice.disk.remove(alice.at("photos/trip"));
        alice.disk.link(alice.at("photos/trip"), "../private");
      };
      atDisk(t, alice.disk, { operation, n, act: swap });

      await codeOf(bob.peer.request(from, "photos/trip"));
      await codeOf(bob.peer.request(from, "photos/trip/secret.txt"));
      await codeOf(bob.peer.request(from, "photos"));

      for (const path of await paths(bob)) {
        if (!path.endsWith("secret.txt")) continue;
        assert.equal((await bob.read(`inbox/${path}`)).toString(), "harmless");
      }
    });
  }
}

const malformed: { what: string; question: { [key: string]: Value } }[] = [
  { what: "257 paths", question: { type: "get", paths: Array(257).fill("photos") } },
  { what: "no paths", question: { type: "get", paths: [] } },
  { what: "a path of 4,097 bytes", question: { type: "get", paths: ["x".repeat(4097)] } },
  { what: "a path of 4,097 bytes", question: { type: "list", path: "x".repeat(4097), after: "" } },
  { what: "a path that is a list", question: { type: "list", path: ["photos"], after: "" } },
  {
    what: "an id of 15 bytes",
    question: { type: "get", request: request.subarray(1), paths: ["a"] },
  },
];

for (const { what, question } of malformed) {
  test(`S8: a ${question["type"]} with ${what} ends its session, and no other`, async (t) => {
    const { alice, bob, raw } = await reader(t);

    await raw.say({ request, ...question });

    assert.equal((await raw.connection.closed()).code, wire.INVALID_FRAME);
    await alice.peer.share(alice.at("photos"), { name: "more", peers: [bob.peer.peerId] });
    const from = `${alice.peer.peerId}@${alice.peer.addresses[0]}`;
    assert.equal(await codeOf(bob.peer.request(from, "more/a.jpg")), "done");
  });
}

test("S9: a reader that asks for too much at once is denied what is over, until it has its answers", async (t) => {
  const { raw } = await reader(t);
  for (let n = 0; n < maxRequestsAtOnce; n += 1) {
    await raw.say({ type: "get", request: new Uint8Array(16).fill(n), paths: ["photos"] });
  }
  const transfers: Uint8Array[] = [];
  for (let n = 0; n < maxRequestsAtOnce; n += 1) {
    transfers.push((await raw.hear("granted"))["transfer"] as Uint8Array);
  }

  const denied = await answer(raw, { type: "get", paths: ["photos"] });

  assert.deepEqual([denied["type"], denied["code"]], ["denied", LIMIT_EXCEEDED]);
  for (const transfer of transfers) {
    await raw.say({ type: "reject", transfer, code: wire.PEER_REJECTED, reason: "" });
  }
  await setImmediate();
  await assertStillServed(raw);
});

test("S9: a reader that asks without end and reads no answer is not heard for ever", async (t) => {
  const { alice, raw } = await reader(t);
  const question = { type: "list", request, path: "photos", after: "" };
  let said = 0;
  const flooding = (async () => {
    for (; said < 100_000; said += 1) await raw.say(question);
  })();
  flooding.catch(() => {});

  // It stands still when its window and that of its answers are full.
  for (let before = -1; before !== said; ) {
    before = said;
    for (let turn = 0; turn < 100; turn += 1) await setImmediate();
  }

  assert.ok(said < 100_000, `${said} questions were read`);
  await alice.peer.close();
});

test("S16: a peer that has a name and may read nothing hears what a stranger hears, share or not", async (t) => {
  const { alice, bob, network } = await peers(t);
  await furnish(alice);
  const told: unknown[] = [];
  for (const isShared of [false, true]) {
    if (isShared) await alice.peer.share(alice.at("photos"), { peers: [bob.peer.peerId] });
    for (const isNamed of [false, true]) {
      const raw = await RawPeer.dial(t, network, alice);
      if (isNamed) alice.peer.peers.add({ name: `m${told.length}`, peerId: raw.peerId });
      await raw.say(hello);
      told.push(await raw.connection.closed());
    }
  }

  assert.equal(new Set(told.map((one) => JSON.stringify(one))).size, 1);
  assert.partialDeepStrictEqual(told[0], { by: "peer", code: wire.PEER_REJECTED });
});

test("S16: a guest hears of a share what it hears of nothing at all", async (t) => {
  const { alice, bob, network } = await peers(t, { alice: { onOffer: () => false } });
  await furnish(alice);
  await alice.peer.share(alice.at("photos"), { peers: [bob.peer.peerId] });
  const raw = await RawPeer.greet(t, network, alice);

  const shares = await answer(raw, { type: "list", path: "", after: "" });
  const [photos, nothing] = [
    await answer(raw, { type: "get", paths: ["photos"] }),
    await answer(raw, { type: "get", paths: ["nothin"] }),
  ];

  assert.deepEqual([shares["entries"], shares["more"]], [[], 0]);
  const said = JSON.stringify(nothing).replace("nothin", "photos");
  assert.equal(JSON.stringify(photos), said);
  assert.equal(photos["code"], DISK_MISSING);
});

test("S16: the reader of one share hears nothing of another", async (t) => {
  const { alice, bob, raw } = await reader(t);
  await alice.peer.share(alice.at("private"), { peers: [bob.peer.peerId] });

  const shares = await answer(raw, { type: "list", path: "", after: "" });
  const secret = await answer(raw, { type: "get", paths: ["private/secret.txt"] });

  assert.deepEqual(
    (shares["entries"] as unknown[][]).map(([, name]) => name),
    ["photos"],
  );
  assert.deepEqual([secret["type"], secret["code"]], ["denied", DISK_MISSING]);
});

test("S16: a reader cannot offer anything, nor write in any other way", async (t) => {
  const { alice, raw } = await reader(t);

  await raw.offer([file("mine.txt", 1)]);

  assert.equal((await raw.hear("reject"))["code"], wire.PEER_REJECTED);
  assert.deepEqual(await paths(alice), []);
  await assertStillServed(raw);
});

/** A peer that `bob` asks, and that answers what it likes. */
async function sharer(t: TestContext, features: string[] = ["requests"]) {
  const { bob, network } = await peers(t);
  const raw = await RawPeer.dial(t, network, bob);
  await bob.folder("open");
  await bob.peer.share(bob.at("open"), { peers: [raw.peerId] });
  await raw.say({ ...hello, features });
  await raw.hear("hello");
  await setImmediate();
  return { bob, network, raw };
}

test("S18: an offer of other things than were asked for is refused before a person is asked", async (t) => {
  const { bob, raw } = await sharer(t);
  let asked = 0;
  const accept = () => {
    asked += 1;
    return true;
  };
  const getting = bob.peer.request(raw.peerId, ["photos/a.jpg", "photos/b.jpg"], { accept });
  const { request: id } = await raw.hear("get");

  const transfer = await grantedOffer(raw, id as Uint8Array, ["a.jpg", ".bashrc"]);

  const { code } = await raw.hear("reject");
  assert.deepEqual([code, await codeOf(getting)], [wire.INVALID_FRAME, "INVALID_FRAME"]);
  assert.equal(asked, 0);
  assert.equal(transfer.length, 16);
  assert.deepEqual(await paths(bob), []);
});

/** Grants a request and offers empty files under the id that was granted. */
async function grantedOffer(raw: RawPeer, id: Uint8Array, names: string[]): Promise<Uint8Array> {
  const transfer = new Uint8Array(random(16));
  await raw.say({ type: "granted", request: id, transfer });
  await raw.offer(
    names.map((name) => file(name, 0)),
    { transfer },
  );
  return transfer;
}

test("S18: an offer that was not granted is none that was asked for", async (t) => {
  const { bob, raw } = await sharer(t);
  const getting = bob.peer.request(raw.peerId, "a.jpg");
  await raw.hear("get");

  await raw.offer([file("a.jpg", 0)]);

  assert.equal((await raw.hear("reject"))["code"], wire.PEER_REJECTED);
  getting.cancel();
  assert.equal(await codeOf(getting), "CANCELLED");
  assert.deepEqual(await paths(bob), []);
});

test("S18: an answer to the request of another connection is of no effect", async (t) => {
  const { bob, network, raw } = await sharer(t);
  const other = await RawPeer.dial(t, network, bob);
  await bob.peer.share(bob.at("open"), { name: "other", peers: [other.peerId] });
  await other.say(hello);
  await other.hear("hello");
  const getting = bob.peer.request(raw.peerId, "a.jpg");
  const { request: id } = await raw.hear("get");

  await grantedOffer(other, id as Uint8Array, ["a.jpg"]);
  assert.equal((await other.hear("reject"))["code"], wire.PEER_REJECTED);
  await other.say({ type: "denied", request: id as Uint8Array, code: 5, reason: "" });
  await grantedOffer(raw, id as Uint8Array, ["a.jpg"]);

  await raw.hear("accept");
  getting.cancel();
  assert.equal(await codeOf(getting), "CANCELLED");
});

test("S7: the words of who denies are harmless", async (t) => {
  const { bob, raw } = await sharer(t);
  const getting = bob.peer.request(raw.peerId, "a.jpg");
  const { request: id } = await raw.hear("get");

  await raw.say({ type: "denied", request: id as Uint8Array, code: 10, reason: "\x1b[2Jgone" });

  await assert.rejects(getting.done, { code: "DISK_MISSING", message: "\\x1b[2Jgone" });
});

const listings: { what: string; entries: Value[]; more: number }[] = [
  { what: "that go on for ever", entries: [], more: 1 },
  { what: "of which one stands twice", entries: [entry("a"), entry("a")], more: 0 },
  { what: "that go back", entries: [entry("b"), entry("a")], more: 0 },
  { what: "of which one is empty", entries: [entry("")], more: 0 },
];

for (const { what, entries, more } of listings) {
  test(`S18: names ${what} end the list with INVALID_FRAME`, async (t) => {
    const { bob, raw } = await sharer(t);
    const listing = Array.fromAsync(bob.peer.list(raw.peerId, "photos"));
    const { request: id } = await raw.hear("list");

    await raw.say({ type: "listing", request: id as Uint8Array, entries, more });

    await assert.rejects(listing, { code: "INVALID_FRAME" });
  });
}

function entry(name: string): Value {
  return [0, name, 1, 0];
}

test("S18: a page that begins before the end of the last one ends the list", async (t) => {
  const { bob, raw } = await sharer(t);
  const listing = Array.fromAsync(bob.peer.list(raw.peerId, "photos"));
  const first = await raw.hear("list");
  const page = { type: "listing", entries: [entry("a"), entry("b")], more: 1 };
  await raw.say({ ...page, request: first["request"] as Uint8Array });
  const second = await raw.hear("list");

  await raw.say({ ...page, request: second["request"] as Uint8Array });

  assert.equal(second["after"], "b");
  await assert.rejects(listing, { code: "INVALID_FRAME" });
});

test("a listing in answer to a get, and no word of requests, end the get alone", async (t) => {
  const { bob, raw } = await sharer(t);
  const getting = bob.peer.request(raw.peerId, "a.jpg");
  const { request: id } = await raw.hear("get");

  await raw.say({ type: "listing", request: id as Uint8Array, entries: [], more: 0 });

  assert.equal(await codeOf(getting), "INVALID_FRAME");
  const older = await sharer(t, []);
  const asking = older.bob.peer.request(older.raw.peerId, "a.jpg");
  assert.equal(await codeOf(asking), "UNSUPPORTED_VERSION");
});

test("who asks and hears that the connection is gone dials again only if it had reached the offer", async (t) => {
  const { bob, raw } = await sharer(t);
  const getting = bob.peer.request(raw.peerId, "a.jpg");
  await raw.hear("get");

  raw.connection.close(0, "");

  assert.equal(await codeOf(getting), "CONNECTION_LOST");
});
