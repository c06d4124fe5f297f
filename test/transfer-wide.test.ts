/** A second connection for lanes: who may make it, what comes over it, and what its end does. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { systemClock } from "../src/clock.ts";
import type { Connection, Endpoint, Engine } from "../src/engine/engine.ts";
import { openNativeEngine } from "../src/engine/native.ts";
import { asideBytesPerSecond, secondConnectionLanes } from "../src/options.ts";
import { isHeldByThread } from "../src/transfer/plan.ts";
import { Routes } from "../src/transfer/routes.ts";
import { Turns } from "../src/transfer/turns.ts";
import { transferOf, type Victims, victims } from "./hostile-victims.ts";
import { codeOf, nativePeers, peers, random } from "./peers.ts";
import {
  bindRaw,
  file,
  hello,
  laneHeader,
  type Message,
  piece,
  RawPeer,
  runHeader,
  ultra,
  wire,
} from "./raw-peer.ts";

const content = random(1024);
const port = 50_000;
/** Whatever the rate; and not only on a machine of several cores. */
const tuning = { secondConnectionAbove: -1 };

test("a lane of the second connection is as good as one of the first", async (t) => {
  const { bob, raw, second, transfer } = await met(t);
  const run = runHeader({ entry: 0, offset: 0, length: 1024 });

  const lane = await second.openUnidirectional();
  await lane.write(Buffer.concat([laneHeader(transfer, 0, ultra), run, piece(content)]));
  await lane.finish();
  await raw.say({ type: "done", transfer, lanes: 1 });

  await raw.settle(transfer);
  assert.deepEqual(await bob.read("inbox/a.bin"), content);
});

test("S22: the call of another key is turned away, and that of the right one taken", async (t) => {
  const { network, raw } = await offered(t);
  const engine = network.engine("mallory");
  const [own, other] = [await bindRaw(t, engine), await bindRaw(t, engine)];
  const { peerId, address } = await widened(raw, own);

  const wrong = await other.connect(peerId, [address], 5000);
  const right = await own.connect(peerId, [address], 5000);

  assert.equal((await wrong.closed()).by, "peer");
  const lane = await right.openUnidirectional();
  await lane.write(Buffer.of(0));
});

test("S22: who dialled the first connection dials the second, at the same address", async (t) => {
  const { alice, network } = await peers(t, { alice: { tuning, onOffer: () => true } });
  const [first, own] = [await bindRaw(t, network.engine()), await bindRaw(t, network.engine())];
  const connecting = alice.peer.connectToPeer(String(first.addresses[0]), first.peerId);
  const raw = await RawPeer.accept(first);
  await raw.say({ ...hello, features: ["wide"] });
  await connecting;
  await raw.offer([file("a.bin", content.length)]);
  await raw.hear("accept");
  const { peerId } = await widened(raw, own);

  const second = await own.accept();

  assert.equal(second?.peerId, peerId);
  raw.connection.close(0, "");
  assert.equal((await second?.closed())?.by, "peer");
});

test("the first connection ends as lost when the second one is", async (t) => {
  const { bob, raw, second, transfer } = await met(t);
  const receiving = await transferOf(bob, transfer);

  second.close(0, "");

  assert.equal(await codeOf(receiving), "CONNECTION_LOST");
  assert.equal((await raw.connection.closed()).by, "peer");
});

test("the second connection ends with the first", async (t) => {
  const { raw, second } = await met(t);

  raw.connection.close(0, "");

  assert.equal((await second.closed()).by, "peer");
});

test("S22: who says twice where it waits breaks the rules", async (t) => {
  const { raw } = await offered(t);
  const peerId = Buffer.alloc(32, 1);

  await raw.say({ type: "widen", peerId, port });
  await raw.say({ type: "widen", peerId, port });

  assert.equal((await raw.connection.closed()).code, wire.INVALID_FRAME);
});

test("S22: who has sent nothing that was accepted gets no second connection", async (t) => {
  const { network, bob } = await victims(t, { tuning });
  const raw = await RawPeer.greet(t, network, bob, { features: ["wide"] });

  await raw.say({ type: "widen", peerId: Buffer.alloc(32, 1), port });

  const { type, code } = await raw.hear("error", "widen");
  assert.deepEqual([type, code], ["error", wire.INVALID_FRAME]);
});

test("a peer of one core takes no second connection, and says so", async (t) => {
  const never = { secondConnectionAbove: Number.POSITIVE_INFINITY };
  const { network, bob } = await victims(t, { tuning: never });
  const raw = await RawPeer.greet(t, network, bob, { features: ["wide"] });
  const transfer = await raw.offer([file("a.bin", content.length)]);
  await raw.hear("accept");

  await raw.say({ type: "widen", peerId: Buffer.alloc(32, 1), port });

  const { type, code } = await raw.hear("error", "widen");
  assert.deepEqual([type, code], ["error", wire.INVALID_FRAME]);
  await raw.say({ type: "cancel", transfer, code: wire.CANCELLED, reason: "" });
});

test("a sender that a thread holds opens a second connection, and lanes on it", async (t) => {
  const engine = openNativeEngine({ workerThreads: 1 });
  const watched = watchOwnThreads(t, engine);
  const side = { engine, tuning };
  const { alice, bob } = await nativePeers(t, {
    alice: side,
    bob: { ...side, onOffer: () => true },
  });
  await alice.write("large.bin", Buffer.alloc(160 * 2 ** 20, 7));
  await bob.peer.start();
  await alice.peer.connectToPeer(String(bob.peer.addresses[0]), bob.peer.peerId);

  // The limit makes the transfer last.
  const limits = { limit: 100e6, compress: "none" } as const;
  await alice.peer.send(alice.at("large.bin"), { to: bob.peer.peerId, ...limits }).done;

  assert.equal(watched.endpoints, 2);
  assert.equal(watched.lanes, secondConnectionLanes);
  assert.ok((await bob.read("inbox/large.bin")).equals(await alice.read("large.bin")));
});

test("a transfer all but leaves the second connection while another goes before it", () => {
  const turns = new Turns({ mostMoving: 2, mostOffers: 1, clock: systemClock });
  const [large, small] = [turns.place("normal"), turns.place("normal")];
  const rates: number[] = [];
  const aside = { setRate: (rate: number) => rates.push(rate) };
  void large.enter(Number.POSITIVE_INFINITY);
  const routes = new Routes({ limiters: [], aside, place: large }, () => 1);
  const connection = {} as Connection;

  const [first, second] = [routes.add(connection), routes.add(connection)];
  void small.enter(0);
  small.leave();

  assert.deepEqual([first.limiters, second.limiters], [[], [aside]]);
  const all = Number.POSITIVE_INFINITY;
  assert.deepEqual(rates, [all, asideBytesPerSecond, all]);
});

const MB = 1e6;
const paths = [
  { why: "a fast local wire", rate: 400 * MB, rttMs: 0.5, left: 1000 * MB, isHeld: true },
  { why: "a gigabit", rate: 125 * MB, rttMs: 0.5, left: 1000 * MB, isHeld: false },
  { why: "a fast long path", rate: 400 * MB, rttMs: 20, left: 1000 * MB, isHeld: false },
  { why: "the end of a transfer", rate: 400 * MB, rttMs: 0.5, left: 50 * MB, isHeld: false },
  { why: "a rate that is not known", rate: 0, rttMs: 0.5, left: 1000 * MB, isHeld: false },
];

for (const { why, rate, rttMs, left, isHeld } of paths) {
  const what = isHeld ? "asks for" : "does without";
  test(`${why} ${what} a second connection`, () => {
    const look = { rateBytesPerSecond: rate, rttMs, congestionWindowBytes: 0 };

    assert.equal(isHeldByThread(look, left, 150 * MB), isHeld);
  });
}

/** A sender that `bob` has accepted an offer of. */
async function offered(t: TestContext): Promise<Victims & { raw: RawPeer; transfer: Uint8Array }> {
  const victim = await victims(t, { tuning });
  const raw = await RawPeer.greet(t, victim.network, victim.bob, { features: ["wide"] });
  const transfer = await raw.offer([file("a.bin", content.length)]);
  await raw.hear("accept");
  return { ...victim, raw, transfer };
}

/** The same with a second connection. */
async function met(t: TestContext) {
  const offer = await offered(t);
  const own = await bindRaw(t, offer.network.engine("mallory"));
  const { peerId, address } = await widened(offer.raw, own);
  return { ...offer, second: await own.connect(peerId, [address], 5000) };
}

/** Says where this side waits, and hears where the other does. */
async function widened(raw: RawPeer, own: Endpoint): Promise<{ peerId: string; address: string }> {
  const at = Number(own.addresses[0]?.split(":").at(-1));
  await raw.say({ type: "widen", peerId: Buffer.from(own.peerId, "hex"), port: at });
  const heard: Message = await raw.hear("widen");
  const peerId = Buffer.from(heard["peerId"] as Uint8Array).toString("hex");
  return { peerId, address: `127.0.0.1:${heard["port"]}` };
}

/** Counts the endpoints that have a thread of their own, and the lanes that are opened from them. */
function watchOwnThreads(t: TestContext, engine: Engine): { endpoints: number; lanes: number } {
  const counts = { endpoints: 0, lanes: 0 };
  const bind = engine.bind.bind(engine);
  t.mock.method(engine, "bind", async (options: Parameters<Engine["bind"]>[0]) => {
    const endpoint = await bind(options);
    if (!options.ownThread) return endpoint;
    counts.endpoints += 1;
    const connect = endpoint.connect.bind(endpoint);
    t.mock.method(endpoint, "connect", async (...to: Parameters<Endpoint["connect"]>) => {
      const connection = await connect(...to);
      const open = connection.openUnidirectional.bind(connection);
      t.mock.method(connection, "openUnidirectional", () => {
        counts.lanes += 1;
        return open();
      });
      return connection;
    });
    return endpoint;
  });
  return counts;
}
