/** A transfer is cancelled, by either side and at any time; both learn it, and nothing has its final name. */

import assert from "node:assert/strict";
import { truncate } from "node:fs/promises";
import { test } from "node:test";
import { defaultTuning, type Transfer } from "../src/index.ts";
import { finalNames } from "./faults/couple.ts";
import {
  assertBothFail,
  atDisk,
  begin,
  codeOf,
  eventOf,
  nativePeers,
  paths,
  peers,
  random,
  smallTables,
  ticketOf,
  transfer,
} from "./peers.ts";

const tuning = smallTables;
const options = { alice: { tuning }, bob: { tuning } };

for (const who of ["sender", "receiver"] as const) {
  test(`when the ${who} cancels in the middle, both sides fail and nothing has its final name`, async (t) => {
    const { alice, bob } = await peers(t, options);
    await alice.write("large.bin", random(300_000));
    await alice.write("folder/small.txt", "small");
    const both: { sending?: Transfer; receiving?: Transfer } = {};
    const cancel = () => (who === "sender" ? both.sending : both.receiving)?.cancel();
    atDisk(t, bob.disk, { operation: "write", n: 20, act: cancel });

    const { sending, receiving } = await begin({ alice, bob }, ["large.bin", "folder"]);
    Object.assign(both, { sending, receiving });

    await assertBothFail({ sending, receiving }, { sender: "CANCELLED", receiver: "CANCELLED" });
    assert.deepEqual(await paths(bob), []);
  });

  test(`native: when the ${who} cancels in the middle, nothing has its final name`, async (t) => {
    const { alice, bob } = await nativePeers(t);
    await alice.write("sparse.img", "");
    await truncate(alice.at("sparse.img"), 2 ** 30);

    const { sending, receiving } = await begin({ alice, bob }, ["sparse.img"]);
    await eventOf(receiving, "progress");
    (who === "sender" ? sending : receiving).cancel();

    await assertBothFail({ sending, receiving }, { sender: "CANCELLED", receiver: "CANCELLED" });
    assert.deepEqual(finalNames(bob.at("inbox")), []);
  });
}

test("a transfer that was cancelled can be done again", async (t) => {
  const { alice, bob } = await peers(t, options);
  await alice.write("large.bin", random(300_000));
  let receiving: Transfer | undefined;
  atDisk(t, bob.disk, { operation: "write", n: 20, act: () => receiving?.cancel() });
  const both = await begin({ alice, bob }, ["large.bin"]);
  receiving = both.receiving;
  await assertBothFail(both, { sender: "CANCELLED", receiver: "CANCELLED" });

  await transfer({ alice, bob }, ["large.bin"]);

  assert.deepEqual(await bob.read("inbox/large.bin"), await alice.read("large.bin"));
});

test("a sender that nobody has called is cancelled at once", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("notes.txt", "notes");
  const sending = alice.peer.send(alice.at("notes.txt"));
  const ticket = await ticketOf(sending);

  sending.cancel();
  sending.cancel();

  assert.equal(await codeOf(sending), "CANCELLED");
  assert.equal(await codeOf(bob.peer.receive(ticket)), "PEER_REJECTED");
});

test("a receiver that is being asked is freed when the sender cancels", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("notes.txt", "notes");
  const never = new Promise<boolean>(() => {});
  const both = await begin({ alice, bob }, ["notes.txt"], { receive: { accept: () => never } });
  await eventOf(both.receiving, "offer");

  both.sending.cancel();

  await assertBothFail(both, { sender: "CANCELLED", receiver: "CANCELLED" });
});

test("a receiver that is dialling is cancelled at once", async (t) => {
  const { alice, bob, network } = await peers(t);
  await alice.write("notes.txt", "notes");
  const ticket = await ticketOf(alice.peer.send(alice.at("notes.txt")));
  network.cut();
  const receiving = bob.peer.receive(ticket);

  receiving.cancel();

  assert.equal(await codeOf(receiving), "CANCELLED");
});

for (const who of ["sender", "receiver"] as const) {
  test(`the ${who}'s AbortSignal ends the transfer with its own reason`, async (t) => {
    const { alice, bob } = await peers(t, options);
    await alice.write("large.bin", random(300_000));
    const controller = new AbortController();
    const reason = new Error("the person closed the window");
    atDisk(t, bob.disk, { operation: "write", n: 20, act: () => controller.abort(reason) });
    const signal = { signal: controller.signal };

    const { sending, receiving } = await begin({ alice, bob }, ["large.bin"], {
      send: who === "sender" ? signal : {},
      receive: who === "receiver" ? signal : {},
    });

    const [own, other] = who === "sender" ? [sending, receiving] : [receiving, sending];
    await assert.rejects(own.done, reason);
    assert.equal(await codeOf(other), "CANCELLED");
    assert.deepEqual(await paths(bob), []);
  });

  test(`a ${who}'s signal that has fired already stops it before it begins`, async (t) => {
    const { alice, bob } = await peers(t);
    await alice.write("notes.txt", "notes");
    const signal = AbortSignal.abort(new Error("too late"));
    const ticket = await ticketOf(alice.peer.send(alice.at("notes.txt")));

    const begun =
      who === "sender"
        ? alice.peer.send(alice.at("notes.txt"), { signal })
        : bob.peer.receive(ticket, { signal });

    await assert.rejects(begun.done, signal.reason);
  });

  test(`when the ${who} closes its peer, the transfer ends on both sides`, async (t) => {
    const { alice, bob } = await peers(t, options);
    await alice.write("large.bin", random(300_000));
    const closing = Promise.withResolvers<void>();
    const { peer } = who === "sender" ? alice : bob;
    const close = () => closing.resolve(peer.close());
    atDisk(t, bob.disk, { operation: "write", n: 20, act: close });

    const { sending, receiving } = await begin({ alice, bob }, ["large.bin"]);

    const codes = await Promise.all([codeOf(sending), codeOf(receiving)]);
    await closing.promise;
    assert.ok(!codes.includes("done"), String(codes));
    assert.equal(codes[who === "sender" ? 0 : 1], "CANCELLED");
    assert.deepEqual(await paths(bob), []);
  });
}

test("closing a peer frees its port, and closing it twice is fine", async (t) => {
  const { alice } = await nativePeers(t);
  const [address = ""] = alice.peer.addresses;
  await alice.peer.close();
  await alice.peer.close();

  const { alice: next } = await nativePeers(t, { alice: { listen: address } });

  assert.deepEqual(next.peer.addresses, [address]);
});

test("cancelling after the end changes nothing", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("notes.txt", "notes");
  const { sending, receiving } = await transfer({ alice, bob }, ["notes.txt"]);

  sending.cancel();
  receiving.cancel();

  assert.equal(await codeOf(sending), "done");
  assert.equal(await codeOf(receiving), "done");
  assert.deepEqual(await paths(bob), ["notes.txt"]);
});

test("the default tuning is not changed by that of one peer", async (t) => {
  await peers(t, options);

  assert.equal(defaultTuning.pieceTable[0]?.bytes, 64 * 1024);
});
