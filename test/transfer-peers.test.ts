/** Transfers between connected peers, and tickets that are kept; progress and events of both sides. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { OfferSummary, PeerOptions, Receipt, Transfer, TransferEvent } from "../src/index.ts";
import {
  codeOf,
  engines,
  eventOf,
  eventsOf,
  memorySide,
  paths,
  peers,
  peersOn,
  random,
  type Side,
  smallTables,
  ticketOf,
  transfer,
} from "./peers.ts";

const tuning = smallTables;

/** Lets `alice` know `bob`, who answers offers as `onOffer` says. */
async function connected({ alice, bob }: { alice: Side; bob: Side }): Promise<string> {
  await bob.peer.start();
  const [address = ""] = bob.peer.addresses;
  await alice.peer.connectToPeer(address, bob.peer.peerId);
  return bob.peer.peerId;
}

for (const engine of engines) {
  test(`${engine}: a file goes to a connected peer into the folder that the sender names`, async (t) => {
    const offers: OfferSummary[] = [];
    const onOffer = (offer: OfferSummary) => offers.push(offer) > 0;
    const { alice, bob } = await peersOn(engine, t, { bob: { onOffer } });
    await alice.write("notes.txt", "notes");
    const peerId = await connected({ alice, bob });

    const id = await alice.peer.sendFile(peerId, alice.at("notes.txt"), "from/alice");

    const receipt = await finished(alice, id);
    await bob.peer.getTransfer(id)?.done;
    assert.deepEqual(await paths(bob), ["from", "from/alice", "from/alice/notes.txt"]);
    assert.equal(receipt.transferId, id);
    const [offer] = offers;
    assert.equal(offer?.peerId, alice.peer.peerId);
    assert.equal(offer?.targetDir, "from/alice");
    const progress = alice.peer.getTransferProgress(id);
    assert.equal(progress?.total, 5);
    assert.equal(bob.peer.getTransferProgress(id)?.bytes, 5);
  });

  test(`${engine}: several transfers go over one connection at once, both ways`, async (t) => {
    const onOffer = () => true;
    const { alice, bob } = await peersOn(engine, t, {
      alice: { tuning, onOffer },
      bob: { tuning, onOffer },
    });
    for (const name of ["a", "b", "c"]) await alice.write(`${name}.bin`, random(100_000));
    await bob.write("d.bin", random(100_000));
    const peerId = await connected({ alice, bob });

    const ids = await Promise.all(
      ["a", "b", "c"].map((name) => alice.peer.sendFile(peerId, alice.at(`${name}.bin`))),
    );
    await Promise.all(ids.map((id) => finished(alice, id)));
    const back = bob.peer.send(bob.at("d.bin"), { to: alice.peer.peerId });
    await back.done;

    assert.deepEqual(await paths(bob), ["a.bin", "b.bin", "c.bin"]);
    assert.deepEqual(await bob.read("inbox/b.bin"), await alice.read("b.bin"));
    assert.deepEqual(await alice.read("inbox/d.bin"), await bob.read("d.bin"));
  });

  test(`${engine}: with keep, one ticket serves several receivers`, async (t) => {
    const { alice, bob } = await peersOn(engine, t);
    await alice.write("notes.txt", "notes");
    const sending = alice.peer.send(alice.at("notes.txt"), { keep: true });
    const ticket = await ticketOf(sending);

    for (const into of ["first", "second", "third"]) {
      await bob.peer.receive(ticket, { into: bob.at(into) }).done;
      assert.deepEqual(await paths(bob, into), ["notes.txt"]);
    }

    sending.cancel();
    assert.equal(await codeOf(sending), "CANCELLED");
    const receipts = (await eventsOf(sending)).filter(({ type }) => type === "receipt");
    assert.equal(receipts.length, 3);
  });
}

test("with keep, a receiver that fails does not end the others", async (t) => {
  const { alice, bob, network } = await peers(t);
  const carol = await memorySide(t, network);
  await alice.write("notes.txt", "notes");
  const sending = alice.peer.send(alice.at("notes.txt"), { keep: true });
  const ticket = await ticketOf(sending);

  await codeOf(bob.peer.receive(ticket, { accept: () => false }));
  await carol.peer.receive(ticket).done;

  assert.deepEqual(await paths(carol), ["notes.txt"]);
  sending.cancel();
  const failures = (await eventsOf(sending)).filter(({ type }) => type === "error");
  assert.equal(failures.length, 2, "one of the receiver's, one of the cancellation");
});

const badFolders = ["..", "../up", "a/../../up", "/etc", "a//b", ".", "a/./b", "nul\0byte"];

for (const targetDir of badFolders) {
  test(`the folder ${JSON.stringify(targetDir)} that a sender wishes is refused`, async (t) => {
    const { alice, bob } = await peers(t, { bob: { onOffer: () => true } });
    await alice.write("notes.txt", "notes");
    const peerId = await connected({ alice, bob });

    const id = await alice.peer.sendFile(peerId, alice.at("notes.txt"), targetDir);

    await assert.rejects(finished(alice, id), { code: "NAME_REFUSED" });
    assert.deepEqual(await paths(bob, ""), ["inbox"]);
  });
}

test("a folder that a sender wishes is not reached through a link", async (t) => {
  const { alice, bob } = await peers(t, { bob: { onOffer: () => true } });
  await alice.write("notes.txt", "notes");
  await bob.folder("private");
  await bob.link("inbox/shortcut", "/home/private");
  const peerId = await connected({ alice, bob });

  const id = await alice.peer.sendFile(peerId, alice.at("notes.txt"), "shortcut");

  await assert.rejects(finished(alice, id));
  assert.deepEqual(await paths(bob, "private"), []);
});

const answers: { why: string; onOffer: PeerOptions["onOffer"]; landed: string[] }[] = [
  { why: "false", onOffer: () => false, landed: ["inbox"] },
  { why: "true", onOffer: () => true, landed: ["inbox", "inbox/notes.txt"] },
  {
    why: "a folder",
    onOffer: async () => ({ into: "/home/elsewhere" }),
    landed: ["elsewhere", "elsewhere/notes.txt", "inbox"],
  },
];

for (const { why, onOffer, landed } of answers) {
  test(`an offer that is answered with ${why} lands as it says`, async (t) => {
    const { alice, bob } = await peers(t, { bob: { onOffer } });
    await alice.write("notes.txt", "notes");
    const peerId = await connected({ alice, bob });

    const id = await alice.peer.sendFile(peerId, alice.at("notes.txt"));

    const expected = why === "false" ? "PEER_REJECTED" : "done";
    assert.equal(await codeOf(known(alice, id)), expected);
    assert.deepEqual(await paths(bob, ""), landed);
  });
}

test("a peer that takes no offers refuses strangers when they connect", async (t) => {
  const { alice, bob } = await peers(t);

  await assert.rejects(connected({ alice, bob }), { code: "PEER_REJECTED" });
});

test("a file for a peer that is not connected is refused", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("notes.txt", "notes");

  const sending = alice.peer.sendFile(bob.peer.peerId, alice.at("notes.txt"));

  await assert.rejects(sending, { code: "PEER_UNREACHABLE" });
});

test("a file that is not there is refused before there is an id", async (t) => {
  const { alice, bob } = await peers(t, { bob: { onOffer: () => true } });
  const peerId = await connected({ alice, bob });

  const sending = alice.peer.sendFile(peerId, alice.at("nothing"));

  await assert.rejects(sending, { code: "DISK_MISSING" });
});

test("connecting twice is fine, and addresses that are none are refused", async (t) => {
  const { alice, bob } = await peers(t, { bob: { onOffer: () => true } });
  const peerId = await connected({ alice, bob });

  await connected({ alice, bob });
  await assert.rejects(alice.peer.connectToPeer("bob.example:4433", "00".repeat(32)), {
    code: "INVALID_ARGUMENT",
  });
  assert.equal(peerId, bob.peer.peerId);
});

test("a peer that went away must be connected again", async (t) => {
  const { alice, bob, network } = await peers(t, { bob: { onOffer: () => true } });
  await alice.write("notes.txt", "notes");
  const peerId = await connected({ alice, bob });
  network.cut();
  network.mend();
  // Both ends hear of the loss in this turn of the loop.
  await setImmediate();
  await connected({ alice, bob });

  const id = await alice.peer.sendFile(peerId, alice.at("notes.txt"));

  await finished(alice, id);
  assert.deepEqual(await paths(bob), ["notes.txt"]);
});

test("an id that nobody knows has no progress", async (t) => {
  const { alice } = await peers(t);

  assert.equal(alice.peer.getTransferProgress("00".repeat(16)), undefined);
  assert.equal(alice.peer.getTransfer("00".repeat(16)), undefined);
});

test("an address that is none cannot be listened on", async (t) => {
  for (const listen of ["localhost:0", "127.0.0.1", "127.0.0.1:99999", "[127.0.0.1]:0", ""]) {
    await assert.rejects(peers(t, { alice: { listen } }), { code: "INVALID_ARGUMENT" });
  }
});

for (const engine of engines) {
  test(`${engine}: progress only grows, and ends at the total on both sides`, async (t) => {
    const { alice, bob } = await peersOn(engine, t, { alice: { tuning }, bob: { tuning } });
    await alice.write("album/large.bin", random(500_000));
    await alice.write("album/small.txt", "small");

    const { sent, received, sending, receiving } = await transfer({ alice, bob }, ["album"]);

    for (const side of [sending, receiving]) {
      const steps = (await eventsOf(side)).flatMap(progressOf);
      assert.deepEqual(
        steps.map(({ bytes }) => bytes),
        steps.map(({ bytes }) => bytes).sort((a, b) => a - b),
      );
      const last = steps.at(-1);
      assert.equal(last?.bytes, 500_005);
      assert.equal(last?.total, 500_005);
      assert.deepEqual([last?.files, last?.totalFiles], [2, 2]);
      assert.equal(last?.etaMs, 0);
      assert.equal(last?.transferId, sending.id);
      assert.deepEqual({ type: "progress", ...side.progress() }, last);
    }
    const { into, ...told } = received;
    assert.deepEqual(told, sent);
    assert.equal(into, bob.at("inbox"));
    assert.equal(received.bytes, 500_005);
    assert.ok(received.seconds >= 0);
    assert.deepEqual(lastReceipt(await eventsOf(sending)), sent);
  });
}

test("both sides and both iterators of a transfer see the same events", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("notes.txt", "notes");

  const { sending, receiving } = await transfer({ alice, bob }, ["notes.txt"]);

  assert.equal(sending.id, receiving.id);
  assert.match(sending.id, /^[0-9a-f]{32}$/);
  assert.deepEqual([sending.direction, receiving.direction], ["send", "receive"]);
  assert.deepEqual(await eventsOf(sending), await eventsOf(sending));
  const { address } = await eventOf(receiving, "connected");
  assert.equal(address, alice.peer.addresses[0]);
});

function finished(side: Side, id: string): Promise<Receipt> {
  return known(side, id).done;
}

function known({ peer }: Side, id: string): Transfer {
  const found = peer.getTransfer(id);
  assert.ok(found);
  return found;
}

function progressOf(event: TransferEvent) {
  return event.type === "progress" ? [event] : [];
}

function withoutType<T extends { type: string }>({ type: _type, ...rest }: T) {
  return rest;
}

function lastReceipt(events: TransferEvent[]) {
  const last = events.at(-1);
  assert.equal(last?.type, "receipt");
  return withoutType(last);
}

test("a receiver finds its transfer by the id that the offer gave it", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("notes.txt", "notes");

  const { sending, receiving } = await transfer({ alice, bob }, ["notes.txt"]);

  assert.equal(receiving.id, sending.id);
  assert.equal(bob.peer.getTransfer(receiving.id), receiving);
  assert.equal(bob.peer.getTransferProgress(receiving.id)?.bytes, 5);
});

for (const executable of [undefined, false, true]) {
  test(`S10: an offer that is taken with executable ${executable} has its execute bits or not`, async (t) => {
    const answer = executable === undefined ? true : { executable };
    const { alice, bob } = await peers(t, { bob: { onOffer: () => answer } });
    await bob.peer.start();
    await alice.write("tools/run.sh", "#!/bin/sh\n", { mode: 0o755 });
    await alice.peer.connectToPeer(bob.peer.addresses[0] ?? "", bob.peer.peerId);

    await alice.peer.send(alice.at("tools"), { to: bob.peer.peerId }).done;

    const tree = await bob.tree("inbox/tools");
    const mode = tree.find(({ path }) => path === "run.sh")?.mode ?? 0;
    assert.equal((mode & 0o111) !== 0, executable === true);
  });
}
