/** A peer that a hostile one plays with, and the checks that it took no harm. */

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createMemoryNetwork, type MemoryNetwork } from "../src/engine/memory.ts";
import type { PeerOptions, Transfer } from "../src/index.ts";
import { type MemorySide, memorySide } from "./peers.ts";

/** What {@link assertUnharmed} looks at. */
export interface Victims {
  bob: MemorySide;
  network: MemoryNetwork;
}

/** `bob` takes every offer, into `inbox`. */
export async function victims(t: TestContext, options: PeerOptions = {}): Promise<Victims> {
  const network = createMemoryNetwork();
  const bob = await memorySide(t, network, { onOffer: () => true, ...options });
  return { bob, network };
}

/** The transfer that an offer began at a peer, as soon as there is one. */
export async function transferOf({ peer }: MemorySide, id: Uint8Array): Promise<Transfer> {
  const hex = Buffer.from(id).toString("hex");
  for (;;) {
    const found = peer.getTransfer(hex);
    if (found) return found;
    await setImmediate();
  }
}

/** Nothing was written, and an honest sender is served as if nothing had happened. */
export async function assertUnharmed(t: TestContext, { bob, network }: Victims): Promise<void> {
  assert.deepEqual(
    (await bob.tree("")).map(({ path }) => path),
    ["inbox"],
  );
  const alice = await memorySide(t, network);
  await alice.write("honest.txt", "honest");
  const [address = ""] = bob.peer.addresses;
  await alice.peer.connectToPeer(address, bob.peer.peerId);
  await alice.peer.send(alice.at("honest.txt"), { to: bob.peer.peerId }).done;
  assert.equal(String(await bob.read("inbox/honest.txt")), "honest");
}
