/** Pausing, limits and turns of transfers that share a connection. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { PeerOptions, SendOptions, Transfer, TransferState } from "../src/index.ts";
import {
  codeOf,
  engines,
  eventOf,
  eventsOf,
  paths,
  peersOn,
  random,
  type Side,
  smallTables,
} from "./peers.ts";

/** Two peers that know each other, and what `alice` sends `bob`, seen from both. */
interface Scene {
  alice: Side;
  bob: Side;
  /** Sends a file of so many bytes; resolves when the receiver has the offer. */
  send: (name: string, bytes: number, options?: SendOptions) => Promise<Both>;
}

interface Both {
  sending: Transfer;
  receiving: Transfer;
}

async function scene(
  engine: (typeof engines)[number],
  t: TestContext,
  { tuning = {}, ...limits }: PeerOptions = {},
): Promise<Scene> {
  const { alice, bob } = await peersOn(engine, t, {
    alice: { ...limits, tuning: { ...smallTables, ...tuning } },
    bob: { tuning: smallTables, onOffer: () => true },
  });
  await bob.peer.start();
  await alice.peer.connectToPeer(bob.peer.addresses[0] ?? "", bob.peer.peerId);
  return {
    alice,
    bob,
    async send(name, bytes, options = {}) {
      await alice.write(name, random(bytes));
      const sending = alice.peer.send(alice.at(name), { to: bob.peer.peerId, ...options });
      await eventOf(sending, "offer");
      const receiving = await found(bob, sending.id);
      return { sending, receiving };
    },
  };
}

async function found({ peer }: Side, id: string): Promise<Transfer> {
  for (;;) {
    const transfer = peer.getTransfer(id);
    if (transfer) return transfer;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Resolves when a transfer shows a state; rejects when it ends before. */
async function shows(transfer: Transfer, ...states: TransferState[]): Promise<void> {
  for await (const event of transfer) {
    if (event.type === "progress" && states.includes(transfer.progress().state)) return;
  }
  assert.fail(`the transfer ended and was never ${states}`);
}

/** So slow that it would take hours. */
const slow = 2000;
const size = 1_000_000;

for (const engine of engines) {
  for (const who of ["sender", "receiver"] as const) {
    test(`${engine}: R15: when the ${who} pauses, nothing moves until it resumes, and both sides show it`, async (t) => {
      const { alice, bob, send } = await scene(engine, t);
      const { sending, receiving } = await send("large.bin", 2_000_000, { limit: 100_000 });
      const [own, other] = who === "sender" ? [sending, receiving] : [receiving, sending];
      await eventOf(sending, "progress");
      own.pause();
      await Promise.all([shows(own, "paused"), shows(other, "paused-by-peer")]);
      sending.limit(null);
      const beside = await send("small.bin", 1000);
      await beside.sending.done;
      await told(receiving, 2);
      const { bytes } = receiving.progress();
      await told(receiving, 2);
      assert.equal(receiving.progress().bytes, bytes);
      assert.ok(bytes < 2_000_000);

      own.resume();
      await Promise.all([sending.done, receiving.done]);

      assert.deepEqual(await bob.read("inbox/large.bin"), await alice.read("large.bin"));
      assert.deepEqual([sending, receiving].map(stateOf), ["moving", "moving"]);
    });

    test(`${engine}: R16: when the ${who} cancels one of three, the others arrive`, async (t) => {
      const { bob, send } = await scene(engine, t);
      const [first, second, third] = [
        await send("1.bin", size, { limit: slow }),
        await send("2.bin", size, { limit: slow }),
        await send("3.bin", size, { limit: slow }),
      ];
      await eventOf(second.sending, "progress");

      (who === "sender" ? second.sending : second.receiving).cancel();
      for (const { sending } of [first, third]) sending.limit(null);

      const codes = await Promise.all([second.sending, second.receiving].map(codeOf));
      assert.deepEqual(codes, ["CANCELLED", "CANCELLED"]);
      await Promise.all(
        [first, third].flatMap(({ sending, receiving }) => [sending.done, receiving.done]),
      );
      assert.deepEqual(await paths(bob), ["1.bin", "3.bin"]);
    });
  }

  test(`${engine}: a transfer that both sides have paused moves when both have resumed`, async (t) => {
    const { send } = await scene(engine, t);
    const { sending, receiving } = await send("large.bin", 1_000_000, { limit: 100_000 });
    await eventOf(sending, "progress");
    sending.pause();
    receiving.pause();
    await shows(receiving, "paused");
    sending.limit(null);

    sending.resume();
    await shows(sending, "paused-by-peer");
    receiving.resume();

    await Promise.all([sending.done, receiving.done]);
  });

  test(`${engine}: R14: a receiver's limit holds the sender, and both show it`, async (t) => {
    const { send } = await scene(engine, t);
    const { sending, receiving } = await send("large.bin", 500_000, { limit: slow });
    await eventOf(receiving, "progress");

    receiving.limit(1000);
    await until(sending, () => sending.progress().limit === 1000);
    assert.equal(receiving.progress().limit, 1000);
    sending.limit(null);
    receiving.limit(50_000_000);

    await until(sending, () => sending.progress().limit === 50_000_000);
    await Promise.all([sending.done, receiving.done]);
  });

  test(`${engine}: the limit for everything can be changed while a transfer runs`, async (t) => {
    const { alice, send } = await scene(engine, t, { limit: slow });
    const { sending, receiving } = await send("large.bin", 500_000);
    await until(receiving, () => receiving.progress().limit === slow);

    alice.peer.limits.set(null);

    await Promise.all([sending.done, receiving.done]);
  });

  test(`${engine}: R17: beyond the cap transfers wait for their turn and say so, the high ones first`, async (t) => {
    const { send } = await scene(engine, t, { tuning: { maxMoving: 1 } });
    const first = await send("first.bin", 100_000, { limit: slow });
    await eventOf(first.sending, "progress");
    const order: string[] = [];
    const waiting = [
      await send("low.bin", 1000, { priority: "low" }),
      await send("high.bin", 1000, { priority: "high" }),
    ];
    await Promise.all(waiting.map(({ receiving }) => shows(receiving, "queued")));
    for (const [at, { sending }] of waiting.entries()) {
      void sending.done.then(() => order.push(at === 0 ? "low" : "high"));
    }
    assert.equal(waiting[1]?.receiving.progress().bytes, 0);

    first.sending.limit(null);

    await Promise.all(waiting.map(({ sending }) => sending.done));
    await Promise.all([first, ...waiting].map(({ receiving }) => receiving.done));
    assert.deepEqual(order, ["high", "low"]);
  });

  test(`${engine}: a paused transfer leaves its turn to another`, async (t) => {
    const { send } = await scene(engine, t, { tuning: { maxMoving: 1 } });
    const first = await send("first.bin", 100_000, { limit: slow });
    await eventOf(first.sending, "progress");

    first.receiving.pause();

    await (await send("second.bin", 1000)).sending.done;
    first.receiving.resume();
    first.sending.limit(null);
    await Promise.all([first.sending.done, first.receiving.done]);
  });

  test(`${engine}: as many as one likes are offered, though a receiver looks at few at once`, async (t) => {
    const { bob, send } = await scene(engine, t);
    const names = Array.from({ length: 40 }, (_, at) => `${at}.bin`);

    const both = await Promise.all(names.map((name) => send(name, 3000)));
    await Promise.all(both.flatMap(({ sending, receiving }) => [sending.done, receiving.done]));

    assert.deepEqual((await paths(bob)).sort(), names.sort());
  });
}

test("pausing twice and resuming twice is like once, and before the offer as after it", async (t) => {
  const { alice, bob, send } = await scene("memory", t);
  await alice.write("early.bin", random(10_000));
  const early = alice.peer.send(alice.at("early.bin"), { to: bob.peer.peerId });
  early.pause();
  early.pause();
  await (await send("late.bin", 1000)).sending.done;
  assert.equal(early.progress().bytes, 0);

  early.resume();
  early.resume();

  await early.done;
});

test("a transfer that has ended can be paused, resumed and limited to no effect", async (t) => {
  const { send } = await scene("memory", t);
  const { sending, receiving } = await send("small.bin", 1000);
  await Promise.all([sending.done, receiving.done]);
  const events = (await eventsOf(sending)).length;

  for (const one of [sending, receiving]) {
    one.pause();
    one.limit(5);
    one.resume();
  }

  assert.equal((await eventsOf(sending)).length, events);
});

test("a limit below a byte a second is refused", async (t) => {
  const { alice, bob, send } = await scene("memory", t);
  const { sending } = await send("small.bin", 1000);
  const [path, to] = [alice.at("small.bin"), bob.peer.peerId];

  assert.throws(() => sending.limit(0), { code: "INVALID_ARGUMENT" });
  assert.throws(() => alice.peer.send(path, { to, limit: -1 }), { code: "INVALID_ARGUMENT" });
  await assert.rejects(scene("memory", t, { limit: Number.NaN }), { code: "INVALID_ARGUMENT" });
});

/** Resolves when a receiver has told so many times more how far it is. */
async function told(receiving: Transfer, times: number): Promise<void> {
  let left = times + 1;
  for await (const { type } of receiving) {
    if (type === "progress") left -= 1;
    if (left === 0) return;
  }
}

async function until(transfer: Transfer, isTrue: () => boolean): Promise<void> {
  if (isTrue()) return;
  for await (const _ of transfer) if (isTrue()) return;
  assert.fail("the transfer ended before");
}

function stateOf(transfer: Transfer): TransferState {
  return transfer.progress().state;
}
