/** What a hostile peer is: one that replays, pretends, lingers, floods, or overreaches. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { MemoryNetwork } from "../src/engine/memory.ts";
import { Peer } from "../src/index.ts";
import { maxGuests, maxWaitingOffers } from "../src/options.ts";
import { temporaryIdentity } from "../src/peer/identity.ts";
import { atEnd } from "./ending.ts";
import { assertStillReceives, assertUnharmed, transferOf, victims } from "./hostile-victims.ts";
import {
  codeOf,
  engines,
  eventOf,
  type MemorySide,
  paths,
  peers,
  peersOn,
  random,
  ticketOf,
} from "./peers.ts";
import { file, folder, hello, proofOf, RawPeer, secretOf, wire } from "./raw-peer.ts";

/** A sender with a ticket for one file, and the ticket's secret. */
async function ticketed(t: TestContext, options: { keep?: boolean } = {}) {
  const { alice, bob, network } = await peers(t);
  await alice.write("a.bin", random(5000));
  const sending = alice.peer.send(alice.at("a.bin"), options);
  const ticket = await ticketOf(sending);
  return { alice, bob, network, sending, ticket, secret: secretOf(ticket) };
}

/** How a hello with a proof is answered: a hello, or the error number of the close. */
async function answerTo(raw: RawPeer, proof: Uint8Array): Promise<string | number> {
  const heard = raw.hear("hello").then(
    () => "hello",
    () => null,
  );
  await raw.say({ ...hello, proof });
  return (await heard) ?? (await raw.connection.closed()).code;
}

test("H6: the proof of a ticket is good", async (t) => {
  const { alice, network, secret } = await ticketed(t);
  const raw = await RawPeer.dial(t, network, alice);

  assert.equal(await answerTo(raw, proofOf(secret, raw.connection)), "hello");
  await raw.hear("offer");
});

test("H6: the proof of another connection is not good, and leaves the ticket as it is", async (t) => {
  const { alice, bob, network, ticket, secret } = await ticketed(t, { keep: true });
  const first = await RawPeer.dial(t, network, alice);
  const captured = proofOf(secret, first.connection);
  assert.equal(await answerTo(first, captured), "hello");
  const second = await RawPeer.dial(t, network, alice);

  const answer = await answerTo(second, captured);

  assert.equal(answer, wire.PEER_REJECTED);
  assert.equal(await codeOf(bob.peer.receive(ticket)), "done");
});

test("H6: a ticket that was used is not good", async (t) => {
  const { alice, bob, network, ticket, secret } = await ticketed(t);
  assert.equal(await codeOf(bob.peer.receive(ticket)), "done");
  const raw = await RawPeer.dial(t, network, alice);

  assert.equal(await answerTo(raw, proofOf(secret, raw.connection)), wire.PEER_REJECTED);
});

test("S13: a stranger who calls a receiver in the middle of its transfer is sent away", async (t) => {
  const { bob, network, ticket } = await ticketed(t);
  const decided = Promise.withResolvers<boolean>();
  const receiving = bob.peer.receive(ticket, { accept: () => decided.promise });
  await eventOf(receiving, "offer");
  const raw = await RawPeer.dial(t, network, bob);

  assert.equal(await answerTo(raw, new Uint8Array()), wire.PEER_REJECTED);

  decided.resolve(true);
  assert.equal(await codeOf(receiving), "done");
});

test("H6: a ticket that was called off is not good", async (t) => {
  const { alice, network, sending, secret } = await ticketed(t);
  sending.cancel();
  await codeOf(sending);
  const raw = await RawPeer.dial(t, network, alice);

  assert.equal(await answerTo(raw, proofOf(secret, raw.connection)), wire.PEER_REJECTED);
});

for (const engine of engines) {
  test(`H7: ${engine}: another peer at the ticket's address is not taken for its sender`, async (t) => {
    const { alice, bob } = await peersOn(engine, t, { bob: { tuning: { connectTimeoutMs: 500 } } });
    await alice.write("a.bin", random(10));
    const ticket = await ticketOf(alice.peer.send(alice.at("a.bin")));
    const [address = ""] = alice.peer.addresses;
    await alice.peer.close();
    await impostor(t, bob, { engine, address });

    assert.equal(await codeOf(bob.peer.receive(ticket)), "PEER_UNREACHABLE");
    assert.deepEqual(await paths(bob), []);
  });
}

/** Listens at an address with a key of its own. */
async function impostor(
  t: TestContext,
  { peer }: { peer: Peer },
  { engine, address }: { engine: string; address: string },
): Promise<void> {
  if (engine === "memory") return;
  const mallory = await Peer.open({ listen: address, identity: temporaryIdentity() });
  atEnd(t, () => mallory.close());
  await mallory.start();
  assert.notEqual(mallory.peerId, peer.peerId);
}

test("H7: a peer cannot touch a transfer of another peer by its id", async (t) => {
  const victim = await victims(t);
  const { bob, network } = victim;
  const raw = await RawPeer.greet(t, network, bob);
  const honest = await RawPeer.greet(t, network, bob);
  const transfer = await honest.offer([folder("kept")]);
  await honest.hear("accept");

  await raw.say({ type: "cancel", transfer, code: wire.CANCELLED, reason: "" });
  await raw.say({ type: "done", transfer, lanes: 5 });
  await raw.say({ type: "absent", transfer, failures: [[0, 5, ""]] });
  await raw.lane(transfer, 0, Buffer.alloc(22, 9)).catch(() => {});
  await honest.say({ type: "done", transfer, lanes: 0 });

  await honest.settle(transfer);
  assert.equal(await codeOf(await transferOf(bob, transfer)), "done");
  await assertStillReceives(t, victim);
});

test("H7: an offer with the id of another peer's transfer ends the session of who says it", async (t) => {
  const { bob, network } = await victims(t);
  const honest = await RawPeer.greet(t, network, bob);
  const transfer = await honest.offer([folder("kept")]);
  await honest.hear("accept");
  const raw = await RawPeer.greet(t, network, bob);

  await raw.say({ type: "offer", transfer, targetDir: "", profile: "ultra" });

  assert.equal((await raw.connection.closed()).code, wire.INVALID_FRAME);
  await honest.say({ type: "done", transfer, lanes: 0 });
  await honest.settle(transfer);
  assert.equal(await codeOf(await transferOf(bob, transfer)), "done");
});

const outside = ["..", "../x", "/etc", "a/../../x", "a/./b", "a//b", ".", "a\0b", "link", "link/x"];

for (const targetDir of outside) {
  test(`H9: a sender that wishes for the folder ${JSON.stringify(targetDir)} gets nothing`, async (t) => {
    const { bob, network } = await victims(t);
    await bob.folder("elsewhere");
    await bob.link("inbox/link", "../elsewhere");
    const raw = await RawPeer.greet(t, network, bob);

    const transfer = await raw.offer([file("a.bin", 1)], { targetDir });

    assert.match(await codeOf(await transferOf(bob, transfer)), /^(NAME_REFUSED|DISK_[A-Z]+)$/);
    assert.deepEqual(await paths(bob, "elsewhere"), []);
  });
}

test("H9: a sender cannot take the place of what is there, whatever it says", async (t) => {
  const { bob, network } = await victims(t);
  await bob.write("inbox/precious/a.txt", "precious");
  const raw = await RawPeer.greet(t, network, bob);

  const fields = { delete: true, overwrite: true, onConflict: "overwrite" };
  const transfer = await raw.offer([folder("precious")], { offered: fields });
  await raw.hear("accept");
  await raw.say({ type: "done", transfer, lanes: 0 });
  await raw.settle(transfer);

  assert.equal(String(await bob.read("inbox/precious/a.txt")), "precious");
});

test("H4: a sender that stops within its offer keeps nobody else waiting", async (t) => {
  const victim = await victims(t);
  const { bob, network } = victim;
  const raw = await RawPeer.greet(t, network, bob);
  const transfer = new Uint8Array(16).fill(9);

  await raw.say({ type: "offer", transfer, targetDir: "", profile: "ultra" });

  await assertUnharmed(t, victim);
  raw.connection.close(0, "");
  assert.equal(await codeOf(await transferOf(bob, transfer)), "CONNECTION_LOST");
});

test("H4: a sender that stops within a lane keeps nobody else waiting", async (t) => {
  const victim = await victims(t);
  const { bob, network } = victim;
  const raw = await RawPeer.greet(t, network, bob);
  const transfer = await raw.offer([file("a.bin", 100)]);
  await raw.hear("accept");

  await raw.lane(transfer, 0, Buffer.of(1, 0));

  await assertUnharmed(t, victim);
  raw.connection.close(0, "");
  assert.equal(await codeOf(await transferOf(bob, transfer)), "CONNECTION_LOST");
});

test("H4: when too many peers linger without a ticket, the first of them must go", async (t) => {
  const victim = await victims(t);
  const { bob, network } = victim;
  const trusted = await trustedPeer(t, { bob, network });
  const first = await RawPeer.greet(t, network, bob);
  for (let n = 0; n < maxGuests; n += 1) await RawPeer.greet(t, network, bob);

  const { by, code } = await first.connection.closed();

  assert.deepEqual({ by, code }, { by: "peer", code: 16 });
  const transfer = await trusted.offer([folder("later")]);
  await trusted.hear("accept");
  await trusted.say({ type: "done", transfer, lanes: 0 });
  await trusted.settle(transfer);
});

/** A peer one of whose offers was accepted. */
async function trustedPeer(
  t: TestContext,
  { bob, network }: { bob: MemorySide; network: MemoryNetwork },
): Promise<RawPeer> {
  const raw = await RawPeer.greet(t, network, bob);
  const transfer = await raw.offer([folder("first")]);
  await raw.hear("accept");
  await raw.say({ type: "done", transfer, lanes: 0 });
  await raw.settle(transfer);
  return raw;
}

test("H10: offers beyond those that may wait for an answer are refused", async (t) => {
  const { bob, network } = await victims(t, { onOffer: () => new Promise(() => {}) });
  const raw = await RawPeer.greet(t, network, bob);
  for (let n = 0; n < maxWaitingOffers; n += 1) await raw.offer([folder("f")]);

  await raw.offer([folder("f")]);

  assert.equal((await raw.hear("reject"))["code"], 16);
});

test("H10: a guest has few streams, until one of its offers is accepted", async (t) => {
  const { bob, network } = await victims(t);
  const raw = await RawPeer.greet(t, network, bob);
  let opened = 0;
  const opening = Array.from({ length: 20 }, () =>
    raw.connection.openUnidirectional().then(() => {
      opened += 1;
    }),
  );
  await raw.say({ type: "settled", transfer: random(16) });
  await setImmediate();

  const before = opened;
  const transfer = await raw.offer([folder("f")]);
  await raw.hear("accept");
  await Promise.all(opening);

  assert.ok(before <= 4, `${before} streams`);
  assert.equal(opened, 20);
  await raw.say({ type: "done", transfer, lanes: 0 });
  await raw.settle(transfer);
});

test("H10: streams that are opened and abandoned by the thousand are forgotten", async (t) => {
  const victim = await victims(t);
  const { bob, network } = victim;
  const raw = await RawPeer.greet(t, network, bob);

  for (let n = 0; n < 3000; n += 1) (await raw.stream(Buffer.from("QVR"))).reset(1);

  await assertUnharmed(t, victim);
});

test("H10: offers that are called off by the thousand are forgotten", async (t) => {
  const victim = await victims(t);
  const { bob, network } = victim;
  const raw = await RawPeer.greet(t, network, bob);
  const first = await raw.offer([file("a", 1)]);
  await raw.hear("accept");
  await raw.say({ type: "cancel", transfer: first, code: wire.CANCELLED, reason: "" });

  for (let n = 0; n < 300; n += 1) {
    const transfer = await raw.offer([file("..", 1)]);
    await raw.hear("reject");
    await codeOf(await transferOf(bob, transfer));
  }

  assert.equal(bob.peer.getTransfer(Buffer.from(first).toString("hex")), undefined);
  await assertUnharmed(t, victim);
});

const evil = "\u001b[2J\u001b]0;owned\u0007\u202egnp.\r\n\u0000\u009b31m";

test("S7, H13: what a hostile sender says when it ends a transfer can be shown", async (t) => {
  const { bob, network } = await victims(t);
  const raw = await RawPeer.greet(t, network, bob);
  const transfer = await raw.offer([file("a", 1)]);
  await raw.hear("accept");

  await raw.say({ type: "cancel", transfer, code: wire.CANCELLED, reason: evil });

  await assertShowable(await transferOf(bob, transfer));
});

test("H13: what a hostile receiver says when it refuses can be shown", async (t) => {
  const { alice, raw, sending, transfer } = await refusable(t);

  await raw.say({ type: "reject", transfer, code: wire.PEER_REJECTED, reason: evil });

  await assertShowable(sending);
  assert.ok(alice);
});

test("H13: what a hostile peer says when it closes the connection can be shown", async (t) => {
  const { raw, sending } = await refusable(t);

  raw.connection.close(wire.PEER_REJECTED, evil);

  await assertShowable(sending);
});

test("H13: no line of the log has control characters of a peer", async (t) => {
  const lines: string[] = [];
  const keep = (line: string) => lines.push(line);
  const logger = { info: keep, warn: keep };
  const { bob, network } = await victims(t, { logger });
  const raw = await RawPeer.greet(t, network, bob, { name: evil });

  const name = evil.replaceAll("\u0000", "");
  const transfer = await raw.offer([folder(name)]);
  await raw.hear("accept");
  await raw.say({ type: "done", transfer, lanes: 0 });
  await raw.settle(transfer);
  await (await transferOf(bob, transfer)).done;

  assert.ok(lines.length > 0);
  for (const line of lines) assert.doesNotMatch(line, acting);
});

/** A sender with an offer to a hostile receiver. */
async function refusable(t: TestContext) {
  const { alice, network } = await peers(t, { alice: { onOffer: () => false } });
  await alice.write("a.bin", random(10));
  const raw = await RawPeer.greet(t, network, alice);
  const sending = alice.peer.send(alice.at("a.bin"), { to: raw.peerId, retryForMs: 0 });
  await raw.hear("offered");
  return { alice, raw, sending, transfer: Buffer.from(sending.id, "hex") };
}

async function assertShowable(transfer: Parameters<typeof eventOf>[0]): Promise<void> {
  const { message } = await eventOf(transfer, "error");
  const error = await transfer.done.catch((reason: Error) => reason);
  assert.ok(error instanceof Error);
  for (const text of [message, error.message]) assert.doesNotMatch(text, acting);
}

/** What moves a cursor, ends a line or turns it round. */
const acting = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
