/** Peers that have names: sent to without a ticket, let in because somebody waits for them. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createMemoryNetwork } from "../src/engine/memory.ts";
import { defaultTuning, type Transfer } from "../src/index.ts";
import { atEnd } from "./ending.ts";
import {
  codeOf,
  engines,
  eventOf,
  eventsOf,
  leftovers,
  memorySide,
  paths,
  peers,
  peersOn,
  random,
  type Side,
  smallTables,
} from "./peers.ts";
import { cbor, file, frame, hello, RawPeer, wire } from "./raw-peer.ts";

const tuning = smallTables;

/** Waits at `bob` for an offer of `alice`, who calls him `bob` and knows where he is. */
async function waiting(
  { alice, bob }: { alice: Side; bob: Side },
  options: Parameters<Side["peer"]["receiveFrom"]>[1] = {},
): Promise<Transfer> {
  bob.peer.peers.add({ name: "alice", peerId: alice.peer.peerId });
  const receiving = bob.peer.receiveFrom(["alice"], options);
  const { peerId, addresses } = await eventOf(receiving, "listening");
  if (!alice.peer.peers.find("bob")) alice.peer.peers.add({ name: "bob", peerId, addresses });
  return receiving;
}

for (const engine of engines) {
  test(`${engine}: files go to a known peer by its name, who waits for them`, async (t) => {
    const { alice, bob } = await peersOn(engine, t);
    await alice.write("album/a.bin", random(100_000));
    const receiving = await waiting({ alice, bob });

    const sending = alice.peer.send(alice.at("album"), { to: "bob" });

    const [sent, received] = await Promise.all([sending.done, receiving.done]);
    assert.deepEqual(await paths(bob), ["album", "album/a.bin"]);
    assert.deepEqual(await bob.read("inbox/album/a.bin"), await alice.read("album/a.bin"));
    assert.equal(received.transferId, sent.transferId);
    assert.equal(sending.ticket, "");
  });

  test(`${engine}: both sides note where the other was, in this order of use`, async (t) => {
    const { alice, bob } = await peersOn(engine, t);
    await alice.write("notes.txt", "notes");
    const receiving = await waiting({ alice, bob });

    await Promise.all([alice.peer.send(alice.at("notes.txt"), { to: "bob" }).done, receiving.done]);

    const [known] = bob.peer.peers.list();
    assert.deepEqual(known?.addresses, alice.peer.addresses);
    assert.notEqual(known?.seenAtMs, null);
    assert.notEqual(alice.peer.peers.find("bob")?.seenAtMs, null);
  });

  test(`${engine}: S15: a peer that nobody waits for is refused, and is not noted`, async (t) => {
    const { alice, bob } = await peersOn(engine, t);
    await alice.write("notes.txt", "notes");
    bob.peer.peers.add({ name: "alice", peerId: alice.peer.peerId });
    bob.peer.peers.add({ name: "carol", peerId: "cd".repeat(32) });
    const receiving = bob.peer.receiveFrom(["carol"]);
    const { peerId, addresses } = await eventOf(receiving, "listening");
    alice.peer.peers.add({ name: "bob", peerId, addresses });

    const code = await codeOf(alice.peer.send(alice.at("notes.txt"), { to: "bob" }));

    assert.equal(code, "PEER_REJECTED");
    assert.deepEqual(await paths(bob), []);
    assert.equal(bob.peer.peers.find("alice")?.seenAtMs, null);
    receiving.cancel();
    assert.equal(await codeOf(receiving), "CANCELLED");
  });
}

test("PEER-ID@ADDRESS is a peer that needs no name", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("notes.txt", "notes");
  const receiving = bob.peer.receiveFrom([alice.peer.peerId]);
  const { peerId, addresses } = await eventOf(receiving, "listening");

  await alice.peer.send(alice.at("notes.txt"), { to: `${peerId}@${addresses[0]}` }).done;

  await receiving.done;
  assert.deepEqual(await paths(bob), ["notes.txt"]);
  assert.deepEqual(alice.peer.peers.list(), [], "who has no name is not noted");
});

test("the addresses of a peer are all tried: one that is of no use any more does no harm", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("notes.txt", "notes");
  const receiving = await waiting({ alice, bob });
  const { peerId } = bob.peer;
  alice.peer.peers.add({ name: "bob", peerId, addresses: ["192.0.2.1:1"] });

  await alice.peer.send(alice.at("notes.txt"), { to: "bob" }).done;

  assert.equal(await codeOf(receiving), "done");
});

const nobody = [
  { to: "carol", code: "INVALID_ARGUMENT", why: "a name that nobody has" },
  { to: "ab".repeat(32), code: "PEER_UNREACHABLE", why: "an id without an address" },
  { to: "a b", code: "INVALID_ARGUMENT", why: "no name at all" },
];

for (const { to, code, why } of nobody) {
  test(`to send to ${why} ends with ${code}`, async (t) => {
    const { alice } = await peers(t);
    await alice.write("notes.txt", "notes");

    assert.equal(await codeOf(alice.peer.send(alice.at("notes.txt"), { to })), code);
    const own = { to: `${alice.peer.peerId}@${alice.peer.addresses[0]}` };
    assert.equal(await codeOf(alice.peer.send(alice.at("notes.txt"), own)), "INVALID_ARGUMENT");
  });
}

test("R6: after a lost connection the sender dials again, and the receiver has waited", async (t) => {
  const { alice, bob, network } = await peers(t, { alice: { tuning }, bob: { tuning } });
  await alice.write("a.bin", random(500_000));
  let asked = 0;
  const accept = () => {
    asked += 1;
    return true;
  };
  const receiving = await waiting({ alice, bob }, { accept });
  network.cutAfter(250_000);

  const sending = alice.peer.send(alice.at("a.bin"), { to: "bob" });
  const lost = await eventOf(receiving, "waiting");
  network.mend();

  const [sent] = await Promise.all([sending.done, receiving.done]);
  assert.equal(lost.retryMs, null);
  assert.equal(sent.bytes, 500_000);
  assert.deepEqual(await bob.read("inbox/a.bin"), await alice.read("a.bin"));
  assert.equal(asked, 1, "what was accepted is not asked again");
  assert.equal((await eventsOf(receiving)).filter(({ type }) => type === "connected").length, 2);
});

test("R6: a sender that dials again while its old connection stands goes on over the new one", async (t) => {
  const network = createMemoryNetwork();
  const bob = await memorySide(t, network);
  const secretKey = randomBytes(32);
  const binding = { ...defaultTuning, secretKey, listen: ["127.0.0.1:0"], alpn: "quiver/1" };
  const from = await network.engine("alice").bind(binding);
  atEnd(t, () => from.close());
  const receiving = bob.peer.receiveFrom([from.peerId]);
  const to = await eventOf(receiving, "listening");
  const entries = [file("a.bin", 5000)];
  const dial = async () => {
    const raw = await RawPeer.late(from, to, frame(cbor(hello)));
    await raw.hear("hello");
    await setImmediate();
    return raw;
  };
  const first = await dial();
  const transfer = await first.offer(entries);
  await first.hear("accept");

  const second = await dial();
  await second.offer(entries, { transfer });
  const waited = await eventOf(receiving, "waiting");
  await second.hear("accept");

  assert.equal(waited.reason, "the sender dialled again");
  assert.equal((await first.connection.closed()).by, "peer");
  await second.say({ type: "cancel", transfer, code: wire.CANCELLED, reason: "enough" });
  assert.equal(await codeOf(receiving), "CANCELLED");
});

test("a sender that does not come back ends the wait after its time", async (t) => {
  const { alice, bob, network } = await peers(t, { alice: { tuning }, bob: { tuning } });
  await alice.write("a.bin", random(500_000));
  const receiving = await waiting({ alice, bob }, { retryForMs: 1 });
  network.cutAfter(250_000);

  const sending = alice.peer.send(alice.at("a.bin"), { to: "bob", retryForMs: 0 });

  assert.equal(await codeOf(sending), "CONNECTION_LOST");
  assert.equal(await codeOf(receiving), "PEER_UNREACHABLE");
  assert.equal((await leftovers(bob)).length > 0, true, "what came is kept for another try");
});

test("a receiver that declines ends both sides", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("notes.txt", "notes");
  const receiving = await waiting({ alice, bob }, { accept: () => false });

  const sending = alice.peer.send(alice.at("notes.txt"), { to: "bob" });

  assert.deepEqual(await Promise.all([codeOf(sending), codeOf(receiving)]), [
    "PEER_REJECTED",
    "PEER_REJECTED",
  ]);
});

test("S15: when the transfer has ended, its sender is not let in any more", async (t) => {
  const { alice, bob, network } = await peers(t);
  await alice.write("notes.txt", "notes");
  const receiving = await waiting({ alice, bob });
  await Promise.all([alice.peer.send(alice.at("notes.txt"), { to: "bob" }).done, receiving.done]);
  network.cut();
  network.mend();
  await setImmediate();

  const again = alice.peer.send(alice.at("notes.txt"), { to: "bob" });

  assert.equal(await codeOf(again), "PEER_REJECTED");
});

test("S15: a second peer that is waited for cannot push itself into the transfer of the first", async (t) => {
  const { alice, bob, network } = await peers(t, { alice: { tuning }, bob: { tuning } });
  const carol = await memorySide(t, network);
  await alice.write("a.bin", random(100_000));
  await carol.write("c.bin", random(10));
  const answer = Promise.withResolvers<boolean>();
  const { peerId: aliceId } = alice.peer;
  const receiving = bob.peer.receiveFrom([aliceId, carol.peer.peerId], {
    accept: () => answer.promise,
  });
  const { peerId, addresses } = await eventOf(receiving, "listening");
  const to = `${peerId}@${addresses[0]}`;
  const sending = alice.peer.send(alice.at("a.bin"), { to });
  await eventOf(receiving, "offer");

  const other = await codeOf(carol.peer.send(carol.at("c.bin"), { to }));
  answer.resolve(true);

  assert.equal(other, "PEER_REJECTED");
  assert.deepEqual(await Promise.all([codeOf(sending), codeOf(receiving)]), ["done", "done"]);
  assert.deepEqual(await paths(bob), ["a.bin"]);
});

test("S15: what one peer began is not gone on with by another, who may offer something too", async (t) => {
  const { alice, bob, network } = await peers(t, { alice: { tuning }, bob: { tuning } });
  const carol = await memorySide(t, network);
  await alice.write("a.bin", random(500_000));
  await carol.write("c.bin", random(10));
  const receiving = bob.peer.receiveFrom([alice.peer.peerId, carol.peer.peerId]);
  const { peerId, addresses } = await eventOf(receiving, "listening");
  const to = `${peerId}@${addresses[0]}`;
  network.cutAfter(250_000);
  const sending = alice.peer.send(alice.at("a.bin"), { to });
  await eventOf(receiving, "waiting");
  network.mend();

  const other = await codeOf(carol.peer.send(carol.at("c.bin"), { to }));

  assert.equal(other, "PEER_REJECTED");
  assert.deepEqual(await Promise.all([codeOf(sending), codeOf(receiving)]), ["done", "done"]);
  assert.deepEqual(await paths(bob), ["a.bin"]);
});

test("S15: a stranger is refused by its hello, with the same words whatever is waited for", async (t) => {
  const { alice, bob, network } = await peers(t);
  const told: unknown[] = [];
  for (const peer of [alice, bob]) {
    if (peer === bob) await waiting({ alice, bob });
    const raw = await RawPeer.dial(t, network, peer);
    await raw.say(hello);
    told.push(await raw.connection.closed());
  }

  assert.deepEqual(told[0], told[1]);
  assert.partialDeepStrictEqual(told[0], { by: "peer", code: wire.PEER_REJECTED });
});
