/** Peers that say almost what the document says. A failing run prints the seed that repeats it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { errorCodes } from "../src/errors.ts";
import { assertStillReceives, assertStillSends, senderVictim, victims } from "./hostile-victims.ts";
import { codeOf, random } from "./peers.ts";
import {
  cbor,
  file,
  folder,
  frame,
  laneHeader,
  piece,
  RawPeer,
  runHeader,
  type Value,
} from "./raw-peer.ts";

const runs = 150;
const a = random(1024);

/** A change of bytes: some are taken out at a place, others put in. */
const change = fc.record({
  at: fc.nat({ max: 2 ** 20 }),
  takeOut: fc.oneof(fc.constant(0), fc.nat({ max: 40 })),
  putIn: fc.oneof(
    fc.uint8Array({ maxLength: 8 }),
    fc.constantFrom(
      Buffer.from("ffffffff", "hex"),
      Buffer.from("1bffffffffffffffff", "hex"),
      Buffer.from("bf", "hex"),
      Buffer.from("00000000", "hex"),
    ),
  ),
});
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

function changed(bytes: Uint8Array, { at, takeOut, putIn }: Change): Uint8Array {
  const place = at % bytes.length;
  return Buffer.concat([bytes.subarray(0, place), putIn, bytes.subarray(place + takeOut)]);
}

test("H1: a sender whose messages are changed anywhere ends its own session at most", async (t) => {
  const victim = await victims(t);
  const { bob, network } = victim;

  await check(change, async (mutation) => {
    const raw = await RawPeer.greet(t, network, bob);
    const transfer = random(16);
    const entries = [folder("f"), file("a.bin", 1024, 1)];
    const messages: Value[] = [
      { type: "offer", transfer, targetDir: "", profile: "ultra" },
      { type: "entries", transfer, batch: cbor(entries) },
      { type: "offered", transfer, entries: 2, bytes: 1024, skipped: [["x", "is a socket"]] },
      { type: "absent", transfer, failures: [[1, 9, "locked"]] },
      { type: "done", transfer, lanes: 0 },
    ];
    const bytes = Buffer.concat(messages.map((message) => frame(cbor(message))));

    await raw.write(changed(bytes, mutation)).catch(() => {});
    await turn();
    raw.connection.close(0, "");

    await assertEnded(bob.peer, transfer);
  });

  await assertStillReceives(t, victim);
});

test("H1, H2: a sender whose lane is changed anywhere ends its own transfer at most", async (t) => {
  const victim = await victims(t);
  const { bob, network } = victim;

  await check(change, async (mutation) => {
    const raw = await RawPeer.greet(t, network, bob);
    const transfer = await raw.offer([file("a.bin", 1024)]);
    await raw.hear("accept");
    const unit = [runHeader({ entry: 0, offset: 0, length: 1024 }), piece(a)];
    const bytes = changed(Buffer.concat([laneHeader(transfer, 0, 2), ...unit]), mutation);

    const lane = await raw.stream(bytes).catch(() => null);
    await lane?.finish().catch(() => {});
    await turn();
    raw.connection.close(0, "");

    await assertEnded(bob.peer, Buffer.from(transfer));
  });

  await assertStillReceives(t, victim);
});

test("H1: a receiver whose messages are changed anywhere ends its own session at most", async (t) => {
  const victim = await senderVictim(t);
  const { alice, network } = victim;

  await check(change, async (mutation) => {
    const raw = await RawPeer.greet(t, network, alice);
    const sending = alice.peer.send(alice.at("album"), { to: raw.peerId, retryForMs: 0 });
    const transfer = Buffer.from(sending.id, "hex");
    await raw.hear("offered");
    const messages: Value[] = [
      { type: "skip", transfer, runs: [[0, 1]] },
      { type: "accept", transfer },
      { type: "want", transfer, entry: 1, offset: 0, length: 5000 },
      { type: "refuse", transfer, lane: 0, code: 14, reason: "format 2" },
      { type: "results", transfer, files: [[1, 2, Buffer.alloc(0), "a (2)", 8, "full"]] },
      { type: "receipt", transfer, bytes: 0, seconds: 0.5 },
    ];
    const bytes = Buffer.concat(messages.map((message) => frame(cbor(message))));

    await raw.write(changed(bytes, mutation)).catch(() => {});
    await turn();
    raw.connection.close(0, "");

    assertKnown(await codeOf(sending));
  });

  await assertStillSends(t, victim);
});

/** Runs a property; the transfer, if there was one, has ended in a way that has a name. */
async function check<T>(values: fc.Arbitrary<T>, run: (value: T) => Promise<void>): Promise<void> {
  await fc.assert(fc.asyncProperty(values, run), { numRuns: runs });
}

async function assertEnded(
  peer: Parameters<typeof RawPeer.greet>[2]["peer"],
  transfer: Buffer,
): Promise<void> {
  const record = peer.getTransfer(transfer.toString("hex"));
  if (record) assertKnown(await codeOf(record));
}

function assertKnown(code: string): void {
  assert.ok(code === "done" || code in errorCodes, String(code));
}

/** Lets the other side act on what was said. */
async function turn(): Promise<void> {
  for (let n = 0; n < 10; n += 1) await setImmediate();
}
