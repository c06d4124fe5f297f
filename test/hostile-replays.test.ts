/** A copy of a connection's first flight, sent by somebody else: nothing comes of it. */

import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { EventEmitter, once } from "node:events";
import { type TestContext, test } from "node:test";
import type { Endpoint, Engine } from "../src/engine/engine.ts";
import { MemoryEndpoint } from "../src/engine/memory-endpoint.ts";
import { openNativeEngine } from "../src/engine/native.ts";
import type { Transfer, Tuning } from "../src/index.ts";
import { atEnd } from "./ending.ts";
import { nativePeers, peers, type Side } from "./peers.ts";
import {
  bindRaw,
  cbor,
  frame,
  hello,
  RawPeer,
  type Reached,
  type Value,
  wire,
} from "./raw-peer.ts";

test("memory: S21: a hello of the first flight is answered, and nothing is done before the proof", async (t) => {
  const { alice, network } = await peers(t);
  const proof = delayProof(t);
  const bob = await bindRaw(t, network.engine());
  const carol = await bindRaw(t, network.engine());
  const transfers = await shareWith(alice, bob, carol);
  await ask(bob, alice.peer);

  const raw = await RawPeer.early(bob, alice.peer, helloAnd(get));
  await raw.hear("hello");
  await ask(carol, alice.peer);

  assert.deepEqual(transfers, []);
  proof.resolve();
  await raw.hear("granted");
  assert.equal(transfers.length, 1);
});

test("memory: S21: who may not enter hears nothing before the proof, and then a refusal", async (t) => {
  const { alice, network } = await peers(t);
  const proof = delayProof(t);
  const bob = await bindRaw(t, network.engine());
  await alice.peer.start();
  await assert.rejects(ask(bob, alice.peer), { code: "PEER_REJECTED" });

  const raw = await RawPeer.early(bob, alice.peer, helloAnd(get));
  assert.ok(raw.connection.early);
  const heard = assert.rejects(raw.hear("hello"), { code: "PEER_REJECTED" });
  proof.resolve();

  await heard;
});

test("memory: S21: an early hello that is none ends the proven connection, and that alone", async (t) => {
  const { alice, network } = await peers(t);
  const bob = await bindRaw(t, network.engine());
  await shareWith(alice, bob);
  await ask(bob, alice.peer);

  const raw = await RawPeer.early(bob, alice.peer, frame(cbor(list)));

  assert.ok(raw.connection.early);
  assert.equal((await raw.connection.closed()).code, wire.INVALID_FRAME);
  await ask(bob, alice.peer);
});

test("native: S21: a first flight that is sent again after its connection does nothing", async (t) => {
  const { alice, arrivals } = await listener(t);
  const bob = await bindRaw(t, openNativeEngine({ workerThreads: 1 }));
  const transfers = await shareWith(alice, bob);
  const relay = await Relay.open(t, alice.peer.addresses);
  const through = { peerId: alice.peer.peerId, addresses: [relay.address] };
  await ask(bob, through);
  relay.record();
  const raw = await RawPeer.early(bob, through, helloAnd(get));
  assert.ok(raw.connection.early);
  await raw.hear("granted");
  raw.connection.close(0, "");
  const before = { ...arrivals.counts };
  assert.deepEqual(before, { accepted: 1, early: 1, proven: 1, unproven: 0 });

  await sendAgain(t, relay.flight, alice.peer.addresses);
  await ask(bob, through);

  assert.equal(transfers.length, 1);
  assert.deepEqual(arrivals.counts, { ...before, early: 2, proven: 2 });
});

test("native: S21: early bytes wait until a crowded address has shown that it hears", async (t) => {
  const patient = { handshakeTimeoutMs: 10_000, maxStrangerFailures: 10 };
  const { alice, arrivals } = await listener(t, { ...patient, maxStrangersPerAddress: 4 });
  const engine = openNativeEngine({ workerThreads: 1 });
  const [bob, other] = [await bindRaw(t, engine), await bindRaw(t, engine)];
  await shareWith(alice, bob);
  const { peerId, addresses } = alice.peer;
  const [relay, beside] = [await Relay.open(t, addresses), await Relay.open(t, addresses)];
  const through = { peerId, addresses: [relay.address] };
  await ask(bob, through);
  for (let n = 0; n < 2; n += 1) await other.connect(peerId, [beside.address], 5000);

  const raw = await RawPeer.early(bob, through, helloAnd(list));

  await raw.hear("listing");
  assert.ok(raw.connection.early);
  assert.equal(arrivals.counts.unproven, 0);
});

test("native: S21: a copy whose sender cannot end the handshake does nothing, and is not held against its address", async (t) => {
  const { alice, arrivals } = await listener(t);
  const bob = await bindRaw(t, openNativeEngine({ workerThreads: 1 }));
  const transfers = await shareWith(alice, bob);
  const { peerId, addresses } = alice.peer;
  const relay = await Relay.open(t, addresses);
  const through = { peerId, addresses: [relay.address] };
  await ask(bob, through);
  const before = { ...arrivals.counts };

  // Alice hears the very bytes of a first flight, and whoever sends them has no keys.
  relay.isDeaf = true;
  const unproven = once(arrivals, "unproven");
  const dialling = bob.connectEarly(peerId, through.addresses, 1000, helloAnd(get));
  await assert.rejects(dialling, { code: "PEER_UNREACHABLE" });
  await unproven;

  assert.deepEqual(transfers, []);
  assert.deepEqual(arrivals.counts, { ...before, early: 1, unproven: 1 });
  relay.isDeaf = false;
  await ask(bob, through);
});

const request = new Uint8Array(16).fill(1);
/** What a copy would do most with, if it counted. */
const get = { type: "get", request, paths: ["photos"] };
const list = { type: "list", request, path: "photos", after: "" };

function helloAnd(question: Value): Uint8Array {
  return Buffer.concat([frame(cbor(hello)), frame(cbor(question))]);
}

/** Lists what is shared, over a connection of its own. */
async function ask(from: Endpoint, to: Reached): Promise<void> {
  const raw = await RawPeer.early(from, to, helloAnd(list));
  await raw.hear("listing");
  raw.connection.close(0, "");
}

/** Shares a folder with the owners of endpoints; returns the transfers that come of it. */
async function shareWith(alice: Side, ...readers: Endpoint[]): Promise<Transfer[]> {
  const transfers: Transfer[] = [];
  await alice.write("photos/a.jpg", "a");
  const peers = readers.map(({ peerId }) => peerId);
  await alice.peer.share(alice.at("photos"), { peers, onTransfer: (one) => transfers.push(one) });
  return transfers;
}

/** Lets early calls of the memory engine be proven when the test says so. */
function delayProof(t: TestContext): PromiseWithResolvers<void> {
  const proof = Promise.withResolvers<void>();
  const { acceptEarly } = MemoryEndpoint.prototype;
  t.mock.method(MemoryEndpoint.prototype, "acceptEarly", async function (this: MemoryEndpoint) {
    const call = await acceptEarly.call(this);
    return call && { ...call, proven: () => proof.promise.then(call.proven) };
  });
  return proof;
}

/** What came in at an endpoint, and what became of it. */
class Arrivals extends EventEmitter<Record<"accepted" | "early" | "proven" | "unproven", []>> {
  readonly counts = { accepted: 0, early: 0, proven: 0, unproven: 0 };

  note(what: keyof Arrivals["counts"]): void {
    this.counts[what] += 1;
    this.emit(what);
  }
}

/**
 * A peer that drops soon whoever does not end its handshake, and takes one failure from an address at most.
 *
 * It has IPv6 alone and who dials it IPv4 alone, so that their engines find no way past the relay.
 */
async function listener(
  t: TestContext,
  limits: Partial<Tuning> = {},
): Promise<{ alice: Side; arrivals: Arrivals }> {
  const engine = openNativeEngine({ workerThreads: 1 });
  const arrivals = new Arrivals();
  const bind = engine.bind.bind(engine);
  t.mock.method(engine, "bind", async (options: Parameters<Engine["bind"]>[0]) => {
    const bound = await bind(options);
    const accept = bound.accept.bind(bound);
    const acceptEarly = bound.acceptEarly.bind(bound);
    t.mock.method(bound, "accept", async () => {
      const connection = await accept();
      if (connection) arrivals.note("accepted");
      return connection;
    });
    t.mock.method(bound, "acceptEarly", async () => {
      const call = await acceptEarly();
      if (!call) return null;
      arrivals.note("early");
      const proven = call.proven();
      proven.then(
        () => arrivals.note("proven"),
        () => arrivals.note("unproven"),
      );
      return { peerId: call.peerId, takeStream: () => call.takeStream(), proven: () => proven };
    });
    return bound;
  });
  const tuning = { handshakeTimeoutMs: 500, maxStrangerFailures: 1, ...limits };
  const { alice } = await nativePeers(t, { alice: { engine, tuning, listen: "[::1]:0" } });
  return { alice, arrivals };
}

/** Passes datagrams on between one dialler and a peer. */
class Relay {
  /** What the dialler sent before it was answered. */
  readonly flight: Buffer[] = [];
  /** Whether answers are kept from the dialler. */
  isDeaf = false;
  readonly #near: Socket;
  readonly #far: Socket;
  readonly #port: number;
  #isRecording = false;
  #dialler = 0;

  private constructor(near: Socket, far: Socket, port: number) {
    this.#near = near;
    this.#far = far;
    this.#port = port;
    near.on("message", (bytes, { port }) => this.#pass(bytes, port));
    far.on("message", (bytes) => {
      this.#isRecording = false;
      if (!this.isDeaf) near.send(bytes, this.#dialler, "127.0.0.1");
    });
  }

  static async open(t: TestContext, addresses: readonly string[]): Promise<Relay> {
    const [near, far] = await Promise.all([socket(t, "127.0.0.1"), socket(t, "::1")]);
    return new Relay(near, far, portOf(addresses));
  }

  get address(): string {
    return `127.0.0.1:${this.#near.address().port}`;
  }

  /** Keeps what comes from now on, until it is answered. */
  record(): void {
    this.#isRecording = true;
  }

  #pass(bytes: Buffer, port: number): void {
    this.#dialler = port;
    if (this.#isRecording) this.flight.push(bytes);
    this.#far.send(bytes, this.#port, "::1");
  }
}

/** Sends datagrams from an address of their own, until they are taken for a new connection and answered. */
async function sendAgain(
  t: TestContext,
  flight: readonly Buffer[],
  addresses: readonly string[],
): Promise<void> {
  const copier = await socket(t, "::1");
  const send = () => {
    for (const bytes of flight) copier.send(bytes, portOf(addresses), "::1");
  };
  // For some round trips what looks like the old connection is passed over.
  const again = setInterval(send, 20);
  atEnd(t, () => clearInterval(again));
  await once(copier, "message");
  clearInterval(again);
}

async function socket(t: TestContext, ip: "127.0.0.1" | "::1"): Promise<Socket> {
  const opened = createSocket(ip === "::1" ? "udp6" : "udp4");
  opened.bind(0, ip);
  await once(opened, "listening");
  atEnd(t, () => opened.close());
  return opened;
}

function portOf([address = ""]: readonly string[]): number {
  return Number(address.split(":").at(-1));
}
