/** What strangers meet at a real endpoint: limits for all, for one address, and for those who guess. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { test } from "node:test";
import type { Connection, Endpoint } from "../src/engine/engine.ts";
import { openNativeEngine } from "../src/engine/native.ts";
import { defaultTuning } from "../src/index.ts";
import { codeOf, nativePeers, random, ticketOf } from "./peers.ts";
import { bindRaw, cbor, frame, hello } from "./raw-peer.ts";

const engine = openNativeEngine({ workerThreads: 1 });
const reason = process.platform === "linux" ? false : "only Linux has all of 127.0.0.0/8";

test("H4: a stranger that nobody takes is dropped, and the next one is met", async (t) => {
  const to = await bindRaw(t, engine, { handshakeTimeoutMs: 100 });
  const from = await bindRaw(t, engine);
  // One is handed over at once and waits for whoever accepts; the others have a deadline.
  const [, second] = [await dial(from, to), await dial(from, to)];

  assert.equal((await second.closed()).by, "peer");
  assert.ok(await to.accept());
  await dial(from, to);
  assert.ok(await to.accept());
});

test("S9, H5: an address has its share of places, and others are still met", {
  skip: reason,
}, async (t) => {
  const to = await bindRaw(t, engine, { maxStrangersPerAddress: 4 });
  const one = await bindRaw(t, engine, { listen: ["127.0.0.2:0"] });
  const other = await bindRaw(t, engine, { listen: ["127.0.0.3:0"] });
  for (let n = 0; n < 4; n += 1) await meet(one, to);

  await assert.rejects(dial(one, to), { code: "PEER_UNREACHABLE" });

  await meet(other, to);
});

test("H5: an admitted peer takes no stranger's place", async (t) => {
  const to = await bindRaw(t, engine, { maxStrangersPerAddress: 2 });
  const from = await bindRaw(t, engine);
  for (let n = 0; n < 5; n += 1) (await meet(from, to)).far.admit(limits);

  await meet(from, to);
});

test("H10: when all places are taken, the stranger who came first must go", {
  skip: reason,
}, async (t) => {
  const to = await bindRaw(t, engine, { maxStrangers: 4 });
  const addresses = ["127.0.0.2:0", "127.0.0.3:0"];
  const [one, other] = await Promise.all(
    addresses.map((at) => bindRaw(t, engine, { listen: [at] })),
  );
  assert.ok(one && other);
  const { near: first } = await meet(one, to);
  const { near: second, far: admitted } = await meet(one, to);
  admitted.admit(limits);
  for (let n = 0; n < 3; n += 1) await meet(one, to);

  await meet(other, to);

  assert.equal((await first.closed()).by, "peer");
  const { send } = await second.openBidirectional();
  await send.write(Uint8Array.of(1));
});

test("H5: who guesses a ticket must wait, and its holder at another address does not", {
  skip: reason,
}, async (t) => {
  const { alice, bob } = await nativePeers(t, { bob: { listen: "127.0.0.4:0" } });
  await alice.write("a.bin", random(1000));
  const sending = alice.peer.send(alice.at("a.bin"));
  const ticket = await ticketOf(sending);
  const guesser = await bindRaw(t, engine, { listen: ["127.0.0.5:0"] });
  for (let n = 0; n < defaultTuning.maxStrangerFailures; n += 1) {
    const guess = await dial(guesser, alice.peer);
    const { send } = await guess.openBidirectional();
    await send.write(frame(cbor({ ...hello, proof: randomBytes(32) })));
    assert.equal((await guess.closed()).code, 6);
  }

  const again = await dial(guesser, alice.peer).then(
    () => "met",
    (error) => error.code,
  );

  assert.equal(again, "PEER_UNREACHABLE");
  assert.equal(await codeOf(bob.peer.receive(ticket)), "done");
});

test("H10: packets with tokens that nobody gave are passed over", async (t) => {
  const { alice, bob } = await nativePeers(t);
  await alice.write("a.bin", random(1000));
  const ticket = await ticketOf(alice.peer.send(alice.at("a.bin")));
  const [port] = alice.peer.addresses.map((address) => Number(address.split(":")[1]));

  await new Promise<void>((resolve) => {
    const socket = createSocket("udp4");
    // Header protection leaves a packet in four with valid bits.
    for (let n = 0; n < 64; n += 1) socket.send(initialWithToken(), port, "127.0.0.1");
    socket.send(initialWithToken(), port, "127.0.0.1", () => socket.close(() => resolve()));
  });

  assert.equal(await codeOf(bob.peer.receive(ticket)), "done");
});

/** The first packet of a handshake (RFC 9000, 17.2.2), of random bytes. */
function initialWithToken(): Buffer {
  const id = () => [Buffer.of(8), randomBytes(8)];
  const version = Buffer.from("00000001", "hex");
  const token = [Buffer.of(40), randomBytes(40)];
  const head = Buffer.concat([Buffer.of(0xc0), version, ...id(), ...id(), ...token]);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(0x4000 | (1200 - head.length - 2));
  return Buffer.concat([head, length, randomBytes(1200 - head.length - 2)]);
}

const limits = { receiveWindowBytes: 65_536, maxStreams: 4 };

function dial(from: Endpoint, to: Pick<Endpoint, "peerId" | "addresses">): Promise<Connection> {
  return from.connect(to.peerId, to.addresses, 5000);
}

/** Dials an endpoint that accepts. */
async function meet(from: Endpoint, to: Endpoint): Promise<{ near: Connection; far: Connection }> {
  const near = await dial(from, to);
  const far = await to.accept();
  assert.ok(far);
  return { near, far };
}
