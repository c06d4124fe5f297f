/** One transfer that stands still or fails, and others beside it on the same connection. */

import assert from "node:assert/strict";
import { truncateSync } from "node:fs";
import { test } from "node:test";
import type { Connection, ReceiveStream } from "../src/engine/engine.ts";
import { openNativeEngine } from "../src/engine/native.ts";
import { nativePeers, random } from "./peers.ts";
import { file, laneHeader, piece, RawPeer, runHeader, ultra } from "./raw-peer.ts";

const network = { engine: () => openNativeEngine({ workerThreads: 1 }) };
const MiB = 2 ** 20;

test("native: R16: a receiver that stops reading one transfer gets another over the same connection", async (t) => {
  const { alice } = await nativePeers(t, { alice: { onOffer: () => false } });
  await alice.write("large.img", "");
  truncateSync(alice.at("large.img"), 64 * MiB);
  await alice.write("small.bin", random(3 * MiB));
  const raw = await RawPeer.greet(t, network, alice);
  const large = alice.peer.send(alice.at("large.img"), { to: raw.peerId, retryForMs: 0 });
  await raw.hear("offered");
  await raw.say({ type: "accept", transfer: Buffer.from(large.id, "hex") });
  const held = await laneOf(raw.connection, large.id);

  const small = alice.peer.send(alice.at("small.bin"), { to: raw.peerId, retryForMs: 0 });
  const transfer = Buffer.from(small.id, "hex");
  await raw.hear("offered");
  await raw.say({ type: "accept", transfer });
  const most = readLanes(raw.connection, small.id, 2 * MiB);
  await raw.hear("done");
  await raw.say({ type: "results", transfer, files: [[0, 2, Buffer.alloc(0), "", 8, "full"]] });
  await raw.say({ type: "receipt", transfer, bytes: 0, seconds: 1 });
  await small.done;

  await most;
  assert.ok(held.receivedBytes < MiB);
  large.cancel();
});

test("native: a transfer that this side does not read leaves another one its room", async (t) => {
  const tuning = { receiveWindowBytes: MiB, streamWindowBytes: MiB };
  const { bob } = await nativePeers(t, { bob: { tuning, onOffer: () => true } });
  const raw = await RawPeer.greet(t, network, bob);
  const stalled = await raw.offer([file("stalled.bin", 2 * MiB)]);
  await raw.hear("accept");
  const moving = await raw.offer([file("moving.bin", 100_000)]);
  await raw.hear("accept");
  const receiving = bob.peer.getTransfer(Buffer.from(stalled).toString("hex"));
  assert.ok(receiving);
  receiving.limit(1);
  const run = runHeader({ entry: 0, pieceLog: 21, offset: 0, length: 2 * MiB });
  const lane = await raw.lane(stalled, 0, run);
  // More than a window takes.
  const stuck = assert.rejects(lane.write(piece(Buffer.alloc(2 * MiB))));

  const content = random(100_000);
  const whole = runHeader({ entry: 0, pieceLog: 17, offset: 0, length: content.length });
  const other = await raw.stream(laneHeader(moving, 0, ultra), whole, piece(content));
  await other.finish();
  await raw.say({ type: "done", transfer: moving, lanes: 1 });
  const [result] = await raw.settle(moving);

  assert.deepEqual(result?.slice(0, 2), [0, 0]);
  assert.deepEqual(await bob.read("inbox/moving.bin"), content);
  receiving.cancel();
  await stuck;
});

test("native: one of many transfers that cannot be read leaves the others alone", async (t) => {
  const { alice, bob } = await nativePeers(t, { bob: { onOffer: () => true } });
  await bob.peer.start();
  await alice.peer.connectToPeer(bob.peer.addresses[0] ?? "", bob.peer.peerId);
  const names = Array.from({ length: 10 }, (_, at) => `${at}.bin`);
  for (const name of names) await alice.write(name, random(200_000));
  const to = bob.peer.peerId;
  const all = names.map((name) => alice.peer.send(alice.at(name), { to }));
  const missing = alice.peer.send(alice.at("gone.bin"), { to });

  await assert.rejects(missing.done, { code: "DISK_MISSING" });
  const receipts = await Promise.all(all.map(({ done }) => done));
  // The receiver tidies up after its sender has the receipt.
  await Promise.all(all.map(({ id }) => bob.peer.getTransfer(id)?.done));

  assert.ok(receipts.every(({ bytes }) => bytes === 200_000));
});

/** The next stream, which must be a lane of the transfer; it has been read a little. */
async function laneOf(connection: Connection, transferId: string): Promise<ReceiveStream> {
  const stream = await connection.acceptUnidirectional();
  assert.equal(transferOf(await stream.read(22)), transferId);
  assert.ok(await stream.read(1000));
  return stream;
}

/** Reads the lanes of one transfer, and none of the others; resolves when so many bytes have come. */
function readLanes(connection: Connection, transferId: string, bytes: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let left = bytes;
  const drain = async (stream: ReceiveStream) => {
    for (let part = await stream.read(1000); part; part = await stream.read(1000)) {
      left -= part.length;
      if (left <= 0) resolve();
    }
  };
  const take = async () => {
    for (;;) {
      const stream = await connection.acceptUnidirectional();
      if (transferOf(await stream.read(22)) === transferId) void drain(stream).catch(reject);
    }
  };
  void take().catch(reject);
  promise.catch(() => {});
  return promise;
}

/** The transfer that a lane's header names. */
function transferOf(header: Uint8Array | null): string {
  return Buffer.from(header ?? [])
    .subarray(4, 20)
    .toString("hex");
}
