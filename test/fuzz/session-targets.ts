/**
 * Whole sessions on the memory engine: a peer that says anything, in any order, on any stream.
 *
 * Whatever it says, the transfers end in a failure of ours, nothing is written elsewhere, and
 * nothing gets a final name that was not proven.
 */

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createMemoryNetwork } from "../../src/engine/memory.ts";
import { TransferError } from "../../src/errors.ts";
import type { Transfer } from "../../src/index.ts";
import { blake3, memorySide } from "../peers.ts";
import {
  bundleHeader,
  cbor,
  file,
  folder,
  frame,
  hello,
  laneHeader,
  link,
  piece,
  RawPeer,
  runHeader,
  type Value,
} from "../raw-peer.ts";
import { assertHarmless, type Target } from "./target.ts";

const id = new Uint8Array(16).fill(3);
const content = Buffer.alloc(2058, 7);
const small = Buffer.from("small");
const expectedHashes = new Set([content, small, Buffer.alloc(0)].map(blake3));

const entries = cbor([
  folder("trip"),
  file("large.bin", content.length, 1),
  file("small.bin", small.length, 1),
  file("empty", 0, 1),
  link("best", "small.bin", 1),
]);
const offered = { type: "offered", transfer: id, entries: 5, bytes: 2063, skipped: [] };
const offer = [
  say({ type: "offer", transfer: id, targetDir: "", profile: "ultra" }),
  say({ type: "entries", transfer: id, batch: entries }),
  say(offered),
];
const whole = Buffer.concat([content, small]);
const hash = Buffer.from(blake3(whole), "hex");
const withContent = [
  ...offer.slice(0, 2),
  say({ ...offered, content: whole, hash }),
  say({ type: "settled", transfer: id }),
];
const pieces = [0, 1024, 2048].map((at) => piece(content.subarray(at, at + 1024), at));
const run = runHeader({ entry: 1, offset: 0, length: content.length });
const lanes = [
  stream(laneHeader(id, 0, 2), run, ...pieces),
  stream(laneHeader(id, 1, 2), bundleHeader([2, 3]), piece(small), piece(Buffer.alloc(0))),
];
const equal = say({ type: "equal", transfer: id, entry: 1, runs: [[0, 1]] });
const done = say({ type: "done", transfer: id, lanes: 2 });

const hostileSender: Target = {
  name: "hostile-sender",
  seeds: [
    Buffer.concat([say(hello), ...offer, ...lanes, done, say({ type: "settled", transfer: id })]),
    Buffer.concat([say(hello), ...offer, ...lanes, done, ...lanes]),
    Buffer.concat([
      say(hello),
      ...offer,
      say({ type: "cancel", transfer: id, code: 1, reason: "" }),
    ]),
    Buffer.concat([say(hello), ...withContent]),
    Buffer.concat([say(hello), ...offer, ...offer, ...lanes]),
    Buffer.concat([say(hello), ...offer, equal, ...lanes, done]),
  ],
  run: (input) =>
    during(async (t) => {
      const offered: string[] = [];
      const network = createMemoryNetwork();
      const onOffer = ({ transferId }: { transferId: string }) => {
        offered.push(transferId);
        return true;
      };
      const bob = await memorySide(t, network, { onOffer });
      const raw = await RawPeer.dial(t, network, bob);
      await perform(raw, input);
      raw.connection.close(0, "");
      const ends: string[] = [];
      for (const transferId of offered) ends.push(await endOf(bob.peer.getTransfer(transferId)));
      for (const { path, kind, hash } of await bob.tree("")) {
        assert.ok(path === "inbox" || path.startsWith("inbox/"), path);
        const isFinal = kind === "file" && !path.startsWith("inbox/.quiver-");
        assert.ok(!isFinal || expectedHashes.has(hash), `${path} was never proven`);
      }
      return ends.join() || "nothing offered";
    }),
};

const accept = say({ type: "accept", transfer: id });
const value = Buffer.alloc(32, 7);
const held = [
  say({ type: "have", transfer: id, files: [[2, 1]], pieces: [[1, 12, 0, 1]] }),
  say({ type: "compare", transfer: id, files: [[1, 12, 0, value]] }),
];
const progress = stream(
  Buffer.from("QVP\x01"),
  id,
  frame(cbor({ bytes: 1024, files: 0, lanes: [1024], current: [[1, 1024]] })),
);
const result: Value = [1, 0, Buffer.from(blake3(content), "hex"), "", 0, ""];
const results = [
  say({ type: "results", transfer: id, files: [result, [2, 1, Buffer.alloc(0), "", 0, ""]] }),
  say({ type: "receipt", transfer: id, bytes: 2058, seconds: 1 }),
];

const hostileReceiver: Target = {
  name: "hostile-receiver",
  seeds: [
    Buffer.concat([accept, progress, ...results]),
    Buffer.concat([say({ type: "skip", transfer: id, runs: [[1, 2]] }), accept, ...results]),
    Buffer.concat([
      accept,
      say({ type: "want", transfer: id, entry: 1, offset: 0, length: 2058 }),
      say({ type: "refuse", transfer: id, lane: 0, code: 14, reason: "" }),
      progress,
      progress,
      ...results,
    ]),
    Buffer.concat([...held, accept, progress, ...results]),
    Buffer.concat([accept, say({ type: "arrived", transfer: id, runs: [[1, value]] })]),
    say({ type: "reject", transfer: id, code: 6, reason: "no" }),
  ],
  run: (input) =>
    during(async (t) => {
      const network = createMemoryNetwork();
      const alice = await memorySide(t, network, { onOffer: () => false });
      await alice.write("trip/large.bin", content);
      await alice.write("trip/small.bin", small);
      const raw = await RawPeer.greet(t, network, alice);
      const sending = alice.peer.send(alice.at("trip"), { to: raw.peerId, retryForMs: 0 });
      await raw.hear("offered");
      await perform(raw, input, Buffer.from(sending.id, "hex"));
      raw.connection.close(0, "");
      return endOf(sending);
    }),
};

/** Does what an input says: kind, length and bytes of each thing that is written. */
export async function perform(
  raw: RawPeer,
  input: Uint8Array,
  transfer: Uint8Array = id,
): Promise<void> {
  const script = Buffer.from(input);
  for (let at = 0; at + 3 <= script.length; ) {
    const end = at + 3 + script.readUInt16BE(at + 1);
    const bytes = withId(script.subarray(at + 3, end), transfer);
    const isStream = script.readUInt8(at) % 2 === 1;
    // Not awaited: the other side may have closed it, or never read it.
    const writing = isStream ? raw.stream(bytes).then((lane) => lane.finish()) : raw.write(bytes);
    writing.catch(() => {});
    for (let turn = 0; turn < 5; turn += 1) await setImmediate();
    at = end;
  }
}

/** The id of the seeds, replaced by the one that the sender has chosen. */
function withId(bytes: Buffer, transfer: Uint8Array): Uint8Array {
  const copy = Buffer.from(bytes);
  for (let at = copy.indexOf(id); at >= 0; at = copy.indexOf(id, at + 16)) copy.set(transfer, at);
  return copy;
}

/** How a transfer ended. One that waits for its peer to come back is cancelled. */
async function endOf(transfer: Transfer | undefined): Promise<string> {
  if (!transfer) return "no transfer";
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
  transfer.cancel();
  try {
    await transfer.done;
    return "done";
  } catch (error) {
    if (!(error instanceof TransferError)) throw error;
    assertHarmless(error.message);
    return `${error.code} ${error.message.replace(/\d+/g, "N").slice(0, 60)}`;
  }
}

/** Runs with fixtures that go at the end; a rejection that nobody handles is a failure. */
export async function during(run: (t: TestContext) => Promise<string>): Promise<string> {
  const ends: (() => unknown)[] = [];
  const t = { after: (end: () => unknown) => ends.push(end) } as unknown as TestContext;
  const unhandled: unknown[] = [];
  const note = (error: unknown) => unhandled.push(error);
  process.on("unhandledRejection", note);
  try {
    const outcome = await run(t);
    for (const end of ends.reverse()) await end();
    await setImmediate();
    if (unhandled.length > 0) throw unhandled[0];
    return outcome;
  } finally {
    process.off("unhandledRejection", note);
  }
}

/** A message of a script. */
export function say(message: Value): Buffer {
  return chunk(0, frame(cbor(message)));
}

function stream(...parts: Uint8Array[]): Buffer {
  return chunk(1, ...parts);
}

function chunk(kind: number, ...parts: Uint8Array[]): Buffer {
  const bytes = Buffer.concat(parts);
  const head = Buffer.of(kind, 0, 0);
  head.writeUInt16BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

/** Both sides of a transfer against a peer that says anything. */
export const sessionTargets: readonly Target[] = [hostileSender, hostileReceiver];
