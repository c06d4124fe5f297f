/** A peer that a hostile one plays with, and the checks that it took no harm. */

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createMemoryNetwork, type MemoryNetwork } from "../src/engine/memory.ts";
import type { OfferSummary, PeerOptions, Transfer } from "../src/index.ts";
import { type MemorySide, memorySide, paths, random } from "./peers.ts";
import { RawPeer } from "./raw-peer.ts";

/** What {@link assertUnharmed} looks at. */
export interface Victims {
  bob: MemorySide;
  network: MemoryNetwork;
  /** An honest transfer to `bob` that goes on beside the hostile one; `finish` lets it end. */
  beside: { done: Transfer["done"]; finish: () => void };
}

/** `bob` takes every offer, into `inbox`; an honest one waits for its answer all the while. */
export async function victims(t: TestContext, options: PeerOptions = {}): Promise<Victims> {
  const network = createMemoryNetwork();
  const { promise: free, resolve: finish } = Promise.withResolvers<void>();
  const offered = Promise.withResolvers<void>();
  const onOffer = async (offer: OfferSummary) => {
    if (offer.items[0]?.name !== besideName) return options.onOffer?.(offer) ?? true;
    offered.resolve();
    return free.then(() => true);
  };
  const bob = await memorySide(t, network, { ...options, onOffer });
  const alice = await honestSender(t, network, bob);
  await alice.write(besideName, "beside");
  const { done } = alice.peer.send(alice.at(besideName), { to: bob.peer.peerId });
  await offered.promise;
  return { bob, network, beside: { done, finish } };
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

/** Nothing was written, and {@link assertStillReceives}. */
export async function assertUnharmed(t: TestContext, victim: Victims): Promise<void> {
  assert.deepEqual(await paths(victim.bob, ""), ["inbox"]);
  await assertStillReceives(t, victim);
}

/** The transfer beside goes on to its end, and the next sender is served. */
export async function assertStillReceives(
  t: TestContext,
  { bob, network, beside }: Victims,
): Promise<void> {
  beside.finish();
  await beside.done;
  assert.equal(String(await bob.read(`inbox/${besideName}`)), "beside");
  const alice = await honestSender(t, network, bob);
  await alice.write("honest.txt", "honest");
  await alice.peer.send(alice.at("honest.txt"), { to: bob.peer.peerId }).done;
  assert.equal(String(await bob.read("inbox/honest.txt")), "honest");
}

async function honestSender(
  t: TestContext,
  network: MemoryNetwork,
  { peer }: MemorySide,
): Promise<MemorySide> {
  const alice = await memorySide(t, network);
  await peer.start();
  const [address = ""] = peer.addresses;
  await alice.peer.connectToPeer(address, peer.peerId);
  return alice;
}

/** A sender with a hostile receiver, to whom it has offered the folder `album` with 5,000 bytes in `a.bin`. */
export interface SenderVictim {
  alice: MemorySide;
  network: MemoryNetwork;
  raw: RawPeer;
  /** The transfer to the hostile receiver, offered and not answered. */
  sending: Transfer;
  transfer: Uint8Array;
}

/** Makes a {@link SenderVictim}; `hello` is what the hostile receiver says of itself. */
export async function senderVictim(
  t: TestContext,
  hello: Parameters<typeof RawPeer.greet>[3] = {},
): Promise<SenderVictim> {
  const network = createMemoryNetwork();
  const alice = await memorySide(t, network, { onOffer: () => false });
  await alice.write("album/a.bin", random(5000));
  const raw = await RawPeer.greet(t, network, alice, hello);
  const sending = alice.peer.send(alice.at("album"), { to: raw.peerId, retryForMs: 0 });
  await raw.hear("offered");
  return { alice, network, raw, sending, transfer: Buffer.from(sending.id, "hex") };
}

/** The source is as it was, and an honest receiver gets it whole. */
export async function assertStillSends(
  t: TestContext,
  { alice, network }: Pick<SenderVictim, "alice" | "network">,
): Promise<void> {
  assert.deepEqual(await paths(alice, "album"), ["a.bin"]);
  const bob = await memorySide(t, network, { onOffer: () => true });
  await bob.peer.start();
  const [address = ""] = bob.peer.addresses;
  await alice.peer.connectToPeer(address, bob.peer.peerId);
  await alice.peer.send(alice.at("album"), { to: bob.peer.peerId }).done;
  assert.deepEqual(await bob.read("inbox/album/a.bin"), await alice.read("album/a.bin"));
}

const besideName = "beside.txt";
