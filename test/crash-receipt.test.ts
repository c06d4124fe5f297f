/** The connection is lost while the receipt travels: all is there once, and both sides learn it. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createMemoryNetwork } from "../src/engine/memory.ts";
import { type Transfer, TransferError } from "../src/index.ts";
import { ReceiptReader } from "../src/transfer/receipt-reader.ts";
import {
  begin,
  engines,
  leftovers,
  type MemorySide,
  memorySide,
  paths,
  peersOn,
  random,
  smallTables,
  ticketOf,
} from "./peers.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** Ways to send one file, and to begin with it. */
const ways = {
  "with a ticket": async (alice: MemorySide, bob: MemorySide): Promise<Transfer[]> => {
    const sending = alice.peer.send(alice.at("large.bin"));
    return [sending, bob.peer.receive(await ticketOf(sending))];
  },
  "to a connected peer": async (alice: MemorySide, bob: MemorySide): Promise<Transfer[]> => {
    await bob.peer.start();
    await alice.peer.connectToPeer(bob.peer.addresses[0] ?? "", bob.peer.peerId);
    return [alice.peer.send(alice.at("large.bin"), { to: bob.peer.peerId })];
  },
};

for (const [way, start] of Object.entries(ways)) {
  test(`${way}: a cut at any of the last bytes leaves one file and no failure`, async (t) => {
    const whole = await sendOnce(t, start, Number.POSITIVE_INFINITY);
    for (let cut = whole - 400; cut <= whole; cut += 5) {
      await sendOnce(t, start, cut);
    }
  });
}

/** Sends a file over a cable that breaks once, and is mended; returns the bytes that were carried. */
async function sendOnce(
  t: TestContext,
  start: (alice: MemorySide, bob: MemorySide) => Promise<Transfer[]>,
  cut: number,
): Promise<number> {
  const network = createMemoryNetwork();
  const clock = new VirtualClock();
  const options = { clock, tuning: smallTables };
  const alice = await memorySide(t, network, options);
  const bob = await memorySide(t, network, { ...options, onOffer: () => true });
  await alice.write("large.bin", random(20_000));
  network.cutAfter(cut);
  const stop = clock.every(300, () => network.mend());

  for (const { done } of await start(alice, bob)) await done;
  await bob.peer.close();
  stop();

  const why = `a cut after ${cut} bytes`;
  assert.deepEqual(await paths(bob), ["large.bin"], why);
  assertOnlyJournal(await leftovers(bob), why);
  return network.carriedBytes;
}

for (const engine of engines) {
  test(`${engine}: a sender that has lost the receipt gets it again`, async (t) => {
    const { alice, bob } = await peersOn(engine, t);
    await alice.write("notes.txt", "notes");
    loseReceipt(t, () => {});

    const { sending, receiving } = await begin({ alice, bob }, ["notes.txt"]);
    const [sent] = await Promise.all([sending.done, receiving.done]);

    assert.equal([...sent.files][0]?.status, "received");
    assert.deepEqual(await paths(bob), ["notes.txt"]);
    assert.deepEqual(await leftovers(bob), []);
  });

  test(`${engine}: a receiver ends well though the sender has gone without its receipt`, async (t) => {
    const tuning = { connectTimeoutMs: 200 };
    const { alice, bob } = await peersOn(engine, t, { bob: { tuning } });
    await alice.write("notes.txt", "notes");
    loseReceipt(t, () => void alice.peer.close());

    const { receiving } = await begin({ alice, bob }, ["notes.txt"]);
    const { files } = await receiving.done;

    assert.equal([...files][0]?.status, "received");
    assert.deepEqual(await paths(bob), ["notes.txt"]);
    assertOnlyJournal(await leftovers(bob));
  });
}

/** A sender that may come back for its receipt is not forgotten; nothing else is left. */
function assertOnlyJournal(left: string[], why?: string): void {
  const others = left.filter((path) => !/\.partial(\/files|\/journal)?$/.test(path));
  assert.deepEqual(others, [], why);
}

/** Lets the connection break when the first receipt comes. */
function loseReceipt(t: TestContext, act: () => void): void {
  const reading = t.mock.method(ReceiptReader.prototype, "add", () => {
    reading.mock.restore();
    act();
    throw new TransferError("CONNECTION_LOST", "the cable broke");
  });
}
