/** What was interrupted goes on: by itself, by the same command, by a new offer of the same things. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { systemClock } from "../src/clock.ts";
import type { MemoryNetwork } from "../src/engine/memory.ts";
import { Peer } from "../src/index.ts";
import { temporaryIdentity } from "../src/peer/identity.ts";
import { cleanPartials, findPartials } from "../src/transfer/partials.ts";
import { atEnd } from "./ending.ts";
import {
  assertBothFail,
  assertSameTree,
  atDisk,
  begin,
  blake3,
  eventsOf,
  leftovers,
  type MemorySide,
  memorySide,
  type PeersOptions,
  paths,
  peers,
  random,
  smallTables,
  ticketOf,
  transfer,
} from "./peers.ts";

const tuning = smallTables;
const once = { send: { retryForMs: 0 }, receive: { retryForMs: 0 } };
const size = 300_000;
const piece = 4096;

/** Two peers whose pauses between two tries end at once, with a cable that is whole again. */
async function pair(t: TestContext, options: PeersOptions = {}) {
  const made: { network?: MemoryNetwork } = {};
  const clock = {
    ...systemClock,
    async wait() {
      made.network?.mend();
    },
  };
  const all = await peers(t, {
    alice: { tuning, clock, ...options.alice },
    bob: { tuning, clock, ...options.bob },
  });
  made.network = all.network;
  return { ...all, carried: counter(all.network) };
}

/** Counts the stream bytes that pass since it was last set to 0. */
function counter(network: MemoryNetwork): { bytes: number } {
  let start = network.carriedBytes;
  return {
    get bytes() {
      return network.carriedBytes - start;
    },
    set bytes(bytes: number) {
      start = network.carriedBytes - bytes;
    },
  };
}

/** Sends until the cable breaks after so many bytes; both sides give up. */
async function interrupt(
  { alice, bob, network }: { alice: MemorySide; bob: MemorySide; network: MemoryNetwork },
  names: string[],
  bytes: number,
) {
  network.cutAfter(bytes);
  const both = await begin({ alice, bob }, names, once);
  await assertBothFail(both, { sender: "CONNECTION_LOST", receiver: "CONNECTION_LOST" });
  network.mend();
}

for (const cut of [1500, 20_000, 150_000, size - 1000, size + 9000]) {
  test(`R6: after a cut at ${cut} bytes the transfer goes on by itself`, async (t) => {
    const { alice, bob, network, carried } = await pair(t);
    await alice.write("large.bin", random(size));
    network.cutAfter(cut);

    const { receiving, sending } = await transfer({ alice, bob }, ["large.bin"]);

    await assertSameContent(alice, bob, "large.bin");
    assert.deepEqual(await leftovers(bob), []);
    assert.ok(carried.bytes < 1.15 * size + 30_000, `${carried.bytes} bytes were sent`);
    const waits = (await eventsOf(receiving)).filter(({ type }) => type === "waiting");
    if (waits.length > 0) return;
    const senderWaits = (await eventsOf(sending)).filter(({ type }) => type === "waiting");
    assert.equal(cut > size, senderWaits.length === 0);
  });
}

test("R4: a tree that is cut again and again arrives whole", async (t) => {
  const { alice, bob, network, carried } = await pair(t);
  for (let n = 0; n < 40; n += 1) await alice.write(`tree/${n % 4}/file ${n}`, random(n * 300));
  await alice.write("tree/large.bin", random(size));
  await alice.folder("tree/empty");
  const mend = network.mend.bind(network);
  let cuts = 8;
  t.mock.method(network, "mend", () => {
    mend();
    cuts -= 1;
    if (cuts > 0) network.cutAfter(60_000);
  });
  network.cutAfter(60_000);

  await transfer({ alice, bob }, ["tree"]);

  assertSameTree(await bob.tree("inbox/tree"), await alice.tree("tree"));
  assert.ok(carried.bytes < 3 * size, `${carried.bytes} bytes were sent`);
});

test("R5: a new offer of the same content goes on where the last one ended", async (t) => {
  const { alice, bob, network, carried } = await pair(t);
  await alice.write("large.bin", random(size));
  await interrupt({ alice, bob, network }, ["large.bin"], 200_000);
  assert.notDeepEqual(await leftovers(bob), []);
  carried.bytes = 0;

  const { receiving, received } = await transfer({ alice, bob }, ["large.bin"]);

  const resumed = (await eventsOf(receiving)).find(({ type }) => type === "resumed");
  assert.ok(resumed?.type === "resumed" && resumed.bytes > 100_000, `${resumed}`);
  assert.ok(carried.bytes < size - resumed.bytes + 10_000, `${carried.bytes} bytes were sent`);
  await assertSameContent(alice, bob, "large.bin");
  assert.equal(received.bytes, size);
  assert.deepEqual(await leftovers(bob), []);
});

test("R4: a receiver that was started again goes on with the same ticket", async (t) => {
  const identity = temporaryIdentity();
  const { alice, bob, network, carried } = await pair(t, { bob: { identity, tuning } });
  await alice.write("large.bin", random(size));
  const sending = alice.peer.send(alice.at("large.bin"));
  const ticket = await ticketOf(sending);
  network.cutAfter(150_000);
  const first = bob.peer.receive(ticket, once.receive);
  await assert.rejects(first.done, { code: "CONNECTION_LOST" });
  await bob.peer.close();
  network.mend();
  carried.bytes = 0;
  const engine = network.engine("bob again", bob.disk);
  const again = await Peer.open({ engine, identity, tuning, inbox: bob.at("inbox") });
  atEnd(t, () => again.close());

  await again.receive(ticket).done;
  await sending.done;

  await assertSameContent(alice, bob, "large.bin");
  assert.ok(carried.bytes < size - 50_000, `${carried.bytes} bytes were sent`);
});

test("R7: a sender that was started again serves its old ticket", async (t) => {
  const identity = temporaryIdentity();
  const { alice, bob, network, carried } = await pair(t, { alice: { identity, tuning } });
  await alice.write("large.bin", random(size));
  const sending = alice.peer.send(alice.at("large.bin"), once.send);
  const ticket = await ticketOf(sending);
  network.cutAfter(150_000);
  const receiving = bob.peer.receive(ticket);
  await assert.rejects(sending.done, { code: "CONNECTION_LOST" });
  const listen = [...alice.peer.addresses];
  await alice.peer.close();
  const engine = network.engine("alice again", alice.disk);
  const again = await Peer.open({ engine, identity, tuning, listen });
  atEnd(t, () => again.close());

  const second = again.send(alice.at("large.bin"), { ticket });
  await Promise.all([second.done, receiving.done]);

  assert.equal(second.ticket, ticket);
  await assertSameContent(alice, bob, "large.bin");
  assert.ok(carried.bytes < 1.15 * size + 30_000, `${carried.bytes} bytes were sent`);
});

test("R6: a push to a connected peer goes on over a new connection", async (t) => {
  const { alice, bob, network, carried } = await pair(t, { bob: { tuning, onOffer: () => true } });
  await bob.peer.start();
  await alice.write("large.bin", random(size));
  await alice.peer.connectToPeer(bob.peer.addresses[0] ?? "", bob.peer.peerId);
  network.cutAfter(150_000);

  const id = await alice.peer.sendFile(bob.peer.peerId, alice.at("large.bin"));
  const receipt = await alice.peer.getTransfer(id)?.done;

  assert.equal([...(receipt?.files ?? [])][0]?.status, "received");
  await assertSameContent(alice, bob, "large.bin");
  assert.ok(carried.bytes < 1.15 * size + 30_000, `${carried.bytes} bytes were sent`);
});

test("R8: of a source that has changed only the pieces that differ are sent", async (t) => {
  const { alice, bob, network, carried } = await pair(t);
  const content = random(size);
  await alice.write("large.bin", content);
  await interrupt({ alice, bob, network }, ["large.bin"], 280_000);
  content.fill(7, 10 * piece, 10 * piece + 1);
  await alice.write("large.bin", content);
  carried.bytes = 0;

  await transfer({ alice, bob }, ["large.bin"]);

  assert.ok((await bob.read("inbox/large.bin")).equals(content));
  assert.ok(carried.bytes < 100_000, `${carried.bytes} bytes were sent`);
});

test("R8: of a source that has grown only what is new is sent", async (t) => {
  const { alice, bob, network, carried } = await pair(t);
  const content = random(size + 50_000);
  await alice.write("large.bin", content.subarray(0, size));
  await interrupt({ alice, bob, network }, ["large.bin"], 280_000);
  await alice.write("large.bin", content);
  carried.bytes = 0;

  await transfer({ alice, bob }, ["large.bin"]);

  assert.ok((await bob.read("inbox/large.bin")).equals(content));
  assert.ok(carried.bytes < 150_000, `${carried.bytes} bytes were sent`);
});

test("R9, S12: an equal file that would be overwritten costs no file bytes", async (t) => {
  const { alice, bob, carried } = await pair(t);
  const content = random(size);
  await alice.write("large.bin", content, { mtimeMs: 1_600_000_000_000 });
  await bob.write("inbox/large.bin", content);
  const { identity } = bob.disk.stat(bob.at("inbox/large.bin")) ?? {};

  const { received } = await transfer({ alice, bob }, ["large.bin"], overwrite);

  assert.ok((await bob.read("inbox/large.bin")).equals(content));
  const now = bob.disk.stat(bob.at("inbox/large.bin"));
  assert.deepEqual([now?.identity, now?.mtimeMs], [identity, 1_600_000_000_000]);
  assert.ok(carried.bytes < 20_000, `${carried.bytes} bytes were sent`);
  assert.equal([...received.files][0]?.status, "received");
});

for (const there of [size - 100_000, size, size + 100_000]) {
  test(`R9: of a file over one of ${there} bytes only changed pieces are sent`, async (t) => {
    const { alice, bob, carried } = await pair(t);
    const content = random(size + 100_000);
    await bob.write("inbox/tree/large.bin", content.subarray(0, there));
    content.fill(9, 20 * piece, 21 * piece);
    await alice.write("tree/large.bin", content.subarray(0, size));

    await transfer({ alice, bob }, ["tree"], overwrite);

    assert.deepEqual(await bob.read("inbox/tree/large.bin"), content.subarray(0, size));
    const missing = Math.max(0, size - there);
    assert.ok(carried.bytes < missing + 30_000, `${carried.bytes} bytes were sent`);
    assert.deepEqual(await leftovers(bob), []);
  });
}

test("R9: a piece of the old file that changes while it is copied is sent after all", async (t) => {
  const { alice, bob } = await pair(t);
  const content = random(size);
  await bob.write("inbox/large.bin", content);
  const fresh = Buffer.from(content);
  fresh.fill(9, 20 * piece, 21 * piece);
  await alice.write("large.bin", fresh);
  const meddle = () => {
    content.fill(5, 3 * piece, 4 * piece);
    bob.disk.write(bob.at("inbox/large.bin"), content);
  };
  atDisk(t, bob.disk, { operation: "copy", n: 1, act: meddle });

  await transfer({ alice, bob }, ["large.bin"], overwrite);

  assert.ok((await bob.read("inbox/large.bin")).equals(fresh));
});

test("R9: a file that is overwritten stays whole until the new one is proven", async (t) => {
  const { alice, bob, network } = await pair(t);
  const [old, fresh] = [random(size), random(size)];
  await bob.write("inbox/large.bin", old);
  await alice.write("large.bin", fresh);
  network.cutAfter(200_000);
  const both = await begin({ alice, bob }, ["large.bin"], {
    send: once.send,
    receive: { ...once.receive, ...overwrite.receive },
  });
  await assertBothFail(both, { sender: "CONNECTION_LOST", receiver: "CONNECTION_LOST" });

  assert.ok((await bob.read("inbox/large.bin")).equals(old));
  network.mend();
  await transfer({ alice, bob }, ["large.bin"], overwrite);
  assert.ok((await bob.read("inbox/large.bin")).equals(fresh));
});

test("R13: pieces that were changed while nobody received are found before they are used", async (t) => {
  const { alice, bob, network } = await pair(t);
  await alice.write("large.bin", random(size));
  await interrupt({ alice, bob, network }, ["large.bin"], 200_000);
  const partial = (await leftovers(bob)).find((path) => path.endsWith("files/large.bin"));
  assert.ok(partial);
  const bytes = await bob.read(`inbox/${partial}`);
  const later = (bob.disk.stat(bob.at("inbox"))?.mtimeMs ?? 0) + 60_000;
  bytes.forEach((byte, at) => {
    if (at % (8 * piece) === 0) bytes[at] = byte ^ 1;
  });
  await bob.write(`inbox/${partial}`, bytes, { mtimeMs: later });

  await transfer({ alice, bob }, ["large.bin"]);

  await assertSameContent(alice, bob, "large.bin");
});

test("R13: a journal that is torn or damaged anywhere loses only what it told after that", async (t) => {
  const { alice, bob, network } = await pair(t);
  await alice.write("large.bin", random(size));
  await interrupt({ alice, bob, network }, ["large.bin"], 250_000);
  const left = await leftovers(bob);
  const journalPath = left.find((path) => path.endsWith("/journal")) ?? "";
  const filePath = left.find((path) => path.endsWith("/large.bin")) ?? "";
  const journal = await bob.read(`inbox/${journalPath}`);
  const hash = blake3(await alice.read("large.bin"));
  const file = await bob.read(`inbox/${filePath}`);
  for (const at of [0, 5, 60, journal.length >> 1, journal.length - 1]) {
    const damaged = Buffer.from(journal);
    damaged.writeUInt8(damaged.readUInt8(at) ^ 4, at);
    for (const bytes of [damaged, journal.subarray(0, at)]) {
      await bob.write(`inbox/${filePath}`, file);
      await bob.write(`inbox/${journalPath}`, bytes);

      const { received } = await transfer({ alice, bob }, ["large.bin"], overwrite);

      assert.equal([...received.files][0]?.blake3, hash);
      await assertSameContent(alice, bob, "large.bin");
      assert.deepEqual(await paths(bob), ["large.bin"]);
      bob.disk.remove(bob.at("inbox/large.bin"));
    }
  }
});

/** Buffers are not given to `deepEqual`: to show how large ones differ takes minutes. */
async function assertSameContent(alice: MemorySide, bob: MemorySide, name: string): Promise<void> {
  const [sent, received] = [await alice.read(name), await bob.read(`inbox/${name}`)];
  assert.ok(sent.equals(received), `${name} differs`);
}

test("S11: a sender that wishes for another folder after a cut is asked about again", async (t) => {
  const { alice, bob, network } = await pair(t);
  await alice.write("large.bin", random(size));
  let sessions = 0;
  const send = {
    get targetDir() {
      sessions += 1;
      return sessions === 1 ? "" : ".ssh";
    },
  };
  const asked: string[] = [];
  const accept = ({ targetDir }: { targetDir: string }) => asked.push(targetDir) === 1;
  network.cutAfter(150_000);

  const { receiving } = await begin({ alice, bob }, ["large.bin"], { send, receive: { accept } });

  await assert.rejects(receiving.done, { code: "PEER_REJECTED" });
  assert.deepEqual(asked, ["", ".ssh"]);
  assert.deepEqual(await paths(bob), []);
});

test("S12: another sender of the same names learns nothing of what is left", async (t) => {
  const { alice, bob, network } = await pair(t);
  await alice.write("large.bin", random(size));
  await interrupt({ alice, bob, network }, ["large.bin"], 200_000);
  const carol = await memorySide(t, network, { tuning });
  await carol.write("large.bin", await alice.read("large.bin"));

  const { receiving } = await transfer({ alice: carol, bob }, ["large.bin"]);

  const events = await eventsOf(receiving);
  assert.ok(!events.some(({ type }) => type === "resumed"));
  assert.notDeepEqual(await leftovers(bob), []);
});

test("R12: partials are listed, and removed where nobody receives", async (t) => {
  const { alice, bob, network } = await pair(t);
  await alice.write("large.bin", random(size));
  await bob.write("inbox/.quiver-notes.partial", "a file of the user");
  await bob.write("inbox/.quiver-mine/kept.txt", "kept");
  await interrupt({ alice, bob, network }, ["large.bin"], 200_000);
  const engine = network.engine("bob's other shell", bob.disk);

  const [found, ...more] = await findPartials(engine, bob.at("inbox"));

  assert.deepEqual(more, []);
  assert.deepEqual(found?.items, ["large.bin"]);
  assert.equal(found?.totalBytes, size);
  assert.ok(found.provenBytes > 100_000 && found.provenBytes < size && !found.isInUse);
  const folder = await engine.openFolder(`${bob.at("inbox")}/${found.name}`);
  const lock = await folder.openLog("journal");
  assert.ok((await cleanPartials(engine, bob.at("inbox")))[0]?.isInUse);
  await lock.close();
  assert.ok((await leftovers(bob)).length > 2);
  await cleanPartials(engine, bob.at("inbox"));
  assert.deepEqual(await leftovers(bob), [".quiver-notes.partial"]);
  assert.equal(String(await bob.read("inbox/.quiver-mine/kept.txt")), "kept");
});

const overwrite = { receive: { onConflict: "overwrite" as const } };
