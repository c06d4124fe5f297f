/** The end of a transfer: who waits for whom, and who closes the connection. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { CloseReason } from "../src/engine/engine.ts";
import { errorCodes } from "../src/errors.ts";
import { closeFailure } from "../src/transfer/failure.ts";
import { type Settling, settle } from "../src/transfer/settling.ts";
import { peers, ticketOf } from "./peers.ts";
import { RawPeer } from "./raw-peer.ts";
import { VirtualClock } from "./virtual-clock.ts";

const endings: { why: string; closed: CloseReason | null; settling: Settling }[] = [
  { why: "left in peace", closed: { by: "peer", code: 0, reason: "" }, settling: "settled" },
  {
    why: "was cancelled",
    closed: { by: "peer", code: errorCodes.CANCELLED.wire, reason: "no more" },
    settling: "settled",
  },
  {
    why: "has found another way",
    closed: { by: "peer", code: errorCodes.CONNECTION_LOST.wire, reason: "moved" },
    settling: "lost",
  },
  { why: "fell silent", closed: { by: "lost", code: 0, reason: "timed out" }, settling: "lost" },
  { why: "says nothing for 5 s", closed: null, settling: "silent" },
];

for (const { why, closed, settling } of endings) {
  test(`a sender that ${why} in place of its last word is ${settling}`, async () => {
    const never = new Promise<never>(() => {});
    const connection = { closed: async () => closed ?? never };
    const word = closed ? Promise.reject(closeFailure(closed)) : never;

    const found = await settle({ connection }, new VirtualClock(), word);

    assert.equal(found, settling);
  });
}

test("a sender that has its receipt says so, and ends the connection itself", async (t) => {
  const { alice, network } = await peers(t);
  const sending = alice.peer.send([], { text: "hello" });
  const raw = await RawPeer.redeem(t, network, alice, await ticketOf(sending), ["text"]);
  const { transfer } = (await raw.hear("offer")) as { transfer: Uint8Array };

  await raw.say({ type: "accept", transfer });
  await raw.hear("done");
  await raw.say({ type: "receipt", transfer, bytes: 0, seconds: 0 });

  await raw.hear("settled");
  const { by, code } = await raw.connection.closed();
  assert.deepEqual([by, code], ["peer", 0]);
  assert.equal((await sending.done).characters, 5);
});
