/** One ticket for several receivers at once, under one limit. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { PeerOptions, Transfer } from "../src/index.ts";
import {
  engines,
  eventsOf,
  memorySide,
  nativePeers,
  peers,
  random,
  smallTables,
  ticketOf,
} from "./peers.ts";

for (const engine of engines) {
  test(`${engine}: with keep, one ticket serves several receivers at once, under one limit`, async (t) => {
    const tuning = smallTables;
    const { alice, receivers } = await crowd(engine, t, { tuning });
    await alice.write("large.bin", random(300_000));
    const sending = alice.peer.send(alice.at("large.bin"), { keep: true, limit: 20_000 });
    const ticket = await ticketOf(sending);

    const all = receivers.map(({ peer }) => peer.receive(ticket));
    await Promise.all(all.map(hasBegun));
    assert.ok(all.every((one) => one.progress().bytes < 300_000));
    sending.limit(null);
    await Promise.all(all.map(({ done }) => done));

    for (const receiver of receivers) {
      assert.deepEqual(await receiver.read("inbox/large.bin"), await alice.read("large.bin"));
    }
    sending.cancel();
    const receipts = (await eventsOf(sending)).filter(({ type }) => type === "receipt");
    assert.equal(receipts.length, receivers.length);
  });
}

/** A sender and three receivers. */
async function crowd(engine: (typeof engines)[number], t: TestContext, options: PeerOptions) {
  const both = { alice: options, bob: options };
  if (engine === "memory") {
    const { alice, bob, network } = await peers(t, both);
    const more = [await memorySide(t, network, options), await memorySide(t, network, options)];
    return { alice, receivers: [bob, ...more] };
  }
  const [first, second] = [await nativePeers(t, both), await nativePeers(t, both)];
  return { alice: first.alice, receivers: [first.bob, second.alice, second.bob] };
}

async function hasBegun(receiving: Transfer): Promise<void> {
  for await (const event of receiving) if (event.type === "progress" && event.bytes > 0) return;
}
