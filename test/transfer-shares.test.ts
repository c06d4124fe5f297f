/** Folders that are shared: who may list and get what, and how a get goes on. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type ListedEntry, Peer, type Transfer } from "../src/index.ts";
import { temporaryIdentity } from "../src/peer/identity.ts";
import { maxListed } from "../src/protocol/limits.ts";
import { atEnd } from "./ending.ts";
import {
  assertSameTree,
  codeOf,
  engines,
  eventOf,
  eventsOf,
  memorySide,
  nativePeers,
  paths,
  peers,
  peersOn,
  random,
  type Side,
  smallTables,
} from "./peers.ts";

const tuning = smallTables;

/** Lets `bob` read `photos` of `alice`, whom he calls `alice`. */
async function share({ alice, bob }: { alice: Side; bob: Side }, name = "photos") {
  const transfers: Transfer[] = [];
  const onTransfer = (transfer: Transfer) => transfers.push(transfer);
  const known = alice.peer.peers.find("bob");
  if (!known) alice.peer.peers.add({ name: "bob", peerId: bob.peer.peerId });
  const opened = await alice.peer.share(alice.at(name), { peers: ["bob"], onTransfer });
  const { peerId, addresses } = alice.peer;
  bob.peer.peers.add({ name: "alice", peerId, addresses });
  return { share: opened, transfers };
}

function listed(entries: AsyncIterable<ListedEntry>): Promise<string[]> {
  return Array.fromAsync(entries, ({ kind, name, bytes }) => `${kind} ${name} ${bytes}`);
}

test("native: R6: a sharer that was started again, and knows no session any more, is read as before", async (t) => {
  const identity = temporaryIdentity();
  const { alice, bob } = await nativePeers(t, { alice: { identity } });
  await alice.write("photos/a.jpg", "a");
  await share({ alice, bob });
  await listed(bob.peer.list("alice"));
  const [listen = ""] = alice.peer.addresses;
  await alice.peer.close();
  const again = await Peer.open({ identity, listen });
  atEnd(t, () => again.close());
  await again.share(alice.at("photos"), { peers: [bob.peer.peerId] });

  assert.deepEqual(await listed(bob.peer.list("alice", "photos")), ["file a.jpg 1"]);
});

for (const engine of engines) {
  test(`${engine}: S16: a reader lists shares, folders and files, and nothing else`, async (t) => {
    const { alice, bob } = await peersOn(engine, t);
    await alice.write("photos/trip/a.jpg", "aaa", { mtimeMs: 1_600_000_000_000 });
    await alice.write("photos/b.jpg", "b");
    await alice.link("photos/best", "b.jpg");
    await alice.write("private.txt", "private");
    await share({ alice, bob });

    assert.deepEqual(await listed(bob.peer.list("alice")), ["folder photos 0"]);
    assert.deepEqual(await listed(bob.peer.list("alice", "photos")), [
      "file b.jpg 1",
      "link best 0",
      "folder trip 0",
    ]);
    const [file] = await Array.fromAsync(bob.peer.list("alice", "photos/trip/a.jpg"));
    assert.deepEqual(file, { kind: "file", name: "a.jpg", bytes: 3, mtimeMs: 1_600_000_000_000 });
  });

  test(`${engine}: a reader gets a share, a folder and a file of it, each under its own name`, async (t) => {
    const { alice, bob } = await peersOn(engine, t);
    await alice.write("photos/trip/a.jpg", random(200_000));
    await alice.write("photos/trip/deep/c.jpg", random(10));
    await alice.write("photos/b.jpg", random(10));
    const { transfers } = await share({ alice, bob });

    const receipt = await bob.peer.request("alice", "photos").done;
    await bob.peer.request("alice", ["photos/trip/deep", "photos/b.jpg"]).done;

    assertSameTree(await bob.tree("inbox/photos"), await alice.tree("photos"));
    assertSameTree(await bob.tree("inbox/deep"), await alice.tree("photos/trip/deep"));
    assert.deepEqual(await bob.read("inbox/b.jpg"), await alice.read("photos/b.jpg"));
    assert.equal(receipt.files.length, 3);
    assert.deepEqual(await Promise.all(transfers.map(codeOf)), ["done", "done"]);
  });

  test(`${engine}: S16: nobody reads a share that names nobody`, async (t) => {
    const { alice, bob } = await peersOn(engine, t);
    await alice.write("photos/a.jpg", "a");
    await alice.peer.share(alice.at("photos"));
    const { peerId, addresses } = alice.peer;
    bob.peer.peers.add({ name: "alice", peerId, addresses });

    await assert.rejects(listed(bob.peer.list("alice")), { code: "PEER_REJECTED" });
    assert.equal(await codeOf(bob.peer.request("alice", "photos")), "PEER_REJECTED");
  });

  test(`${engine}: S17: a share stays the folder that was shared when its path is given to another`, async (t) => {
    const { alice, bob } = await peersOn(engine, t);
    await alice.write("photos/a.jpg", "mine");
    await alice.write("private/a.jpg", "private");
    await share({ alice, bob });

    await alice.move("photos", "moved");
    await alice.link("photos", "private");
    await bob.peer.request("alice", "photos/a.jpg").done;

    assert.equal((await bob.read("inbox/a.jpg")).toString(), "mine");
  });
}

const wrongPaths: { path: string; codes: string[] }[] = [
  { path: "..", codes: ["NAME_REFUSED"] },
  { path: "photos/../private.txt", codes: ["NAME_REFUSED"] },
  { path: "photos/./b.jpg", codes: ["NAME_REFUSED"] },
  { path: "photos/out", codes: ["DISK_DENIED"] },
  { path: "photos/up/private.txt", codes: ["DISK_DENIED"] },
  { path: "photos/nothing", codes: ["DISK_MISSING"] },
  { path: "photos/.quiver-x.partial", codes: ["DISK_MISSING"] },
  { path: `photos/${"x".repeat(300)}`, codes: ["DISK_MISSING"] },
  // Systems differ in what they call something below a file.
  { path: "photos/b.jpg/c", codes: ["DISK_MISSING", "DISK_DENIED"] },
];

for (const engine of engines) {
  test(`${engine}: S17: a path that leads out, through a link or to nothing is denied`, async (t) => {
    const { alice, bob } = await peersOn(engine, t);
    await alice.write("photos/b.jpg", "b");
    await alice.write("photos/.quiver-x.partial/journal", "staged");
    await alice.write("private.txt", "private");
    await alice.link("photos/out", "../private.txt");
    await alice.link("photos/up", "..");
    await share({ alice, bob });

    for (const { path, codes } of wrongPaths) {
      const code = await codeOf(bob.peer.request("alice", path));
      assert.ok(codes.includes(code), `${path}: ${code}`);
    }

    assert.deepEqual(await paths(bob), []);
    assert.equal(await codeOf(bob.peer.request("alice", "photos/b.jpg")), "done");
  });
}

test("two things that are called alike come under two names", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("photos/x/a.jpg", "x");
  await alice.write("photos/y/a.jpg", "y");
  await share({ alice, bob });

  await bob.peer.request("alice", ["photos/x/a.jpg", "photos/y/a.jpg"]).done;

  assert.deepEqual(await paths(bob), ["a.jpg", "a.jpg (2)"]);
});

test("a folder of more names than a page holds is listed whole, in order", async (t) => {
  const { alice, bob } = await peers(t);
  const names = Array.from(
    { length: 2 * maxListed + 1 },
    (_, n) => `file-${String(n).padStart(5, "0")}`,
  );
  for (const name of names) await alice.write(`photos/${name}`, "");
  await share({ alice, bob });

  const found = await Array.fromAsync(bob.peer.list("alice", "photos"), ({ name }) => name);

  assert.deepEqual(found, names);
});

test("names that fill a frame, or are no UTF-8, are listed whole", async (t) => {
  const { alice, bob } = await peers(t);
  const names = Array.from({ length: 400 }, (_, n) => `${"x".repeat(4000)}-${1000 + n}`);
  names.push("caf\udce9");
  for (const name of names) alice.disk.write(alice.at(`photos/${name}`), Buffer.of(), {});
  await share({ alice, bob });

  const found = await Array.fromAsync(bob.peer.list("alice", "photos"), ({ name }) => name);

  assert.deepEqual(found, names.sort());
});

test("the same get goes on where a cancelled one was", async (t) => {
  const { alice, bob, network } = await peers(t, { alice: { tuning }, bob: { tuning } });
  await alice.write("photos/a.bin", random(600_000));
  await share({ alice, bob });
  network.cutAfter(300_000);
  const first = bob.peer.request("alice", "photos", { retryForMs: 0 });
  assert.equal(await codeOf(first), "CONNECTION_LOST");
  network.mend();

  const second = bob.peer.request("alice", "photos");

  await second.done;
  const { bytes } = await eventOf(second, "resumed");
  assert.ok(bytes > 0);
  assert.deepEqual(await bob.read("inbox/photos/a.bin"), await alice.read("photos/a.bin"));
});

test("R6: a get whose connection is lost dials and asks again by itself", async (t) => {
  const { alice, bob, network } = await peers(t, { alice: { tuning }, bob: { tuning } });
  await alice.write("photos/a.bin", random(600_000));
  await share({ alice, bob });
  network.cutAfter(300_000);

  const getting = bob.peer.request("alice", "photos/a.bin");
  await eventOf(getting, "waiting");
  network.mend();

  await getting.done;
  assert.deepEqual(await bob.read("inbox/a.bin"), await alice.read("photos/a.bin"));
  const types = (await eventsOf(getting)).map(({ type }) => type);
  assert.ok(types.includes("resumed"));
});

test("S16: a share that is closed is not there any more, and what was under way ends", async (t) => {
  const { alice, bob } = await peers(t, { alice: { tuning }, bob: { tuning } });
  await alice.write("photos/a.bin", random(100_000));
  const answer = Promise.withResolvers<boolean>();
  const { share: photos } = await share({ alice, bob });
  const other = await alice.peer.share(alice.at("photos"), { name: "other", peers: ["bob"] });
  const getting = bob.peer.request("alice", "photos", { accept: () => answer.promise });
  await eventOf(getting, "offer");

  await photos.close();
  await photos.close();
  answer.resolve(true);

  assert.equal(await codeOf(getting), "CANCELLED");
  assert.deepEqual(await listed(bob.peer.list("alice")), ["folder other 0"]);
  assert.equal(await codeOf(bob.peer.request("alice", "photos")), "DISK_MISSING");
  await other.close();
  assert.deepEqual(await listed(bob.peer.list("alice")), [], "the connection is there still");
});

const badNames = ["", "..", "a/b", "a\\b", "con", "a\0", "x".repeat(300), "tail."];

for (const name of badNames) {
  test(`a share cannot be called ${JSON.stringify(name).slice(0, 20)}`, async (t) => {
    const { alice } = await peers(t);
    await alice.folder("photos");

    const sharing = alice.peer.share(alice.at("photos"), { name });

    await assert.rejects(sharing, { code: "INVALID_ARGUMENT", message: /give the share another/ });
  });
}

test("a share of what is no folder, for nobody's name, or with a name twice is refused", async (t) => {
  const { alice } = await peers(t);
  await alice.folder("photos");
  await alice.write("a.txt", "a");
  const at = alice.at("photos");
  await alice.peer.share(at);

  await assert.rejects(alice.peer.share(at), { code: "INVALID_ARGUMENT" });
  await assert.rejects(
    alice.peer.share(at, { name: "b", peers: ["bob"] }),
    /nobody is called "bob"/,
  );
  await assert.rejects(alice.peer.share(alice.at("nothing")), { code: "DISK_MISSING" });
  await assert.rejects(alice.peer.share(alice.at("a.txt")));
});

test("a get that its person declines writes nothing, and ends on both sides", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("photos/a.jpg", "a");
  const { transfers } = await share({ alice, bob });

  const getting = bob.peer.request("alice", "photos", { accept: () => false });

  assert.equal(await codeOf(getting), "PEER_REJECTED");
  assert.deepEqual(await Promise.all(transfers.map(codeOf)), ["PEER_REJECTED"]);
  assert.deepEqual(await paths(bob), []);
});

test("a get can be cancelled while it dials, and while it waits for an answer", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("photos/a.jpg", "a");
  await share({ alice, bob });

  const getting = bob.peer.request("alice", "photos");
  getting.cancel();

  assert.equal(await codeOf(getting), "CANCELLED");
});

test("two shares and several gets of one reader are served at once", async (t) => {
  const { alice, bob, network } = await peers(t, { alice: { tuning }, bob: { tuning } });
  const carol = await memorySide(t, network, { tuning });
  for (const name of ["photos", "music"]) await alice.write(`${name}/a.bin`, random(50_000));
  await share({ alice, bob });
  await share({ alice, bob }, "music");
  const { peerId, addresses } = alice.peer;
  carol.peer.peers.add({ name: "alice", peerId, addresses });

  const gets = ["photos", "music", "photos/a.bin"].map((path) => bob.peer.request("alice", path));

  assert.deepEqual(await Promise.all(gets.map(codeOf)), ["done", "done", "done"]);
  assert.deepEqual(await paths(bob), ["a.bin", "music", "music/a.bin", "photos", "photos/a.bin"]);
  assert.equal(await codeOf(carol.peer.request("alice", "photos")), "PEER_REJECTED");
});
