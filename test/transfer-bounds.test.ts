/** What both sides say that holds a transfer. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bound, Receipt } from "../src/index.ts";
import { engines, eventsOf, peers, peersOn, random, smallTables, ticketOf } from "./peers.ts";

for (const engine of engines) {
  test(`${engine}: a transfer under a limit is held by it, and both sides say so`, async (t) => {
    const { alice, bob } = await peersOn(engine, t, {
      alice: { tuning: smallTables },
      bob: { tuning: smallTables, onOffer: () => true },
    });
    await alice.write("file", random(600_000));

    const sending = alice.peer.send(alice.at("file"), { limit: 500_000 });
    const receiving = bob.peer.receive(await ticketOf(sending));
    const [sent, received] = await Promise.all([sending.done, receiving.done]);

    assert.equal(longest(sent), "limit");
    assert.equal(longest(received), "limit");
    for (const transfer of [sending, receiving]) {
      const told = (await eventsOf(transfer)).filter(({ type }) => type === "progress");
      assert.ok(told.some((event) => "boundBy" in event && event.boundBy === "limit"));
    }
  });
}

test("a transfer onto a slow disk is held by it, and both sides say so", async (t) => {
  const { alice, bob } = await peers(t, {
    alice: { tuning: smallTables },
    bob: { tuning: { ...smallTables, streamWindowBytes: 4096 }, onOffer: () => true },
  });
  await alice.write("file", random(100_000));
  bob.disk.watch(({ kind }) => {
    if (kind === "write") spend(10);
  });

  const sending = alice.peer.send(alice.at("file"));
  const receiving = bob.peer.receive(await ticketOf(sending));
  const [sent, received] = await Promise.all([sending.done, receiving.done]);

  assert.equal(longest(sent), "receiver-disk");
  assert.equal(longest(received), "receiver-disk");
});

test("a text is held by nothing", async (t) => {
  const { alice, bob } = await peers(t, { bob: { onOffer: () => true } });

  const sending = alice.peer.send([], { text: "hello" });
  const receiving = bob.peer.receive(await ticketOf(sending));
  const [sent, received] = await Promise.all([sending.done, receiving.done]);

  assert.deepEqual([sent.bounds, received.bounds], [[], []]);
});

/** What held a transfer for the longest. */
function longest({ bounds }: Receipt): Bound | undefined {
  return bounds[0]?.by;
}

/** Keeps the thread as long as a slow disk would. */
function spend(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}
