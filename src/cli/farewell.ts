/** How a command that receives leaves its peers. */

import { setTimeout as wait } from "node:timers/promises";
import type { Peer } from "../index.ts";

/**
 * Does the work of a command that receives, or looks, with a peer, and closes it.
 *
 * Where all went well, the others have said that they know all that counts: that this side is gone is told them, but it
 * does not stay for the round trip in which that is heard. A failure it stays for: others would wait for it to come back.
 * A sender stays in any case, as its end may be all that its receiver hears of it.
 */
export async function withPeer(peer: Peer, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    await peer.close();
    throw error;
  }
  await Promise.race([peer.close(), wait(farewellMs, undefined, { ref: false })]);
}

/** Long enough for the last packet to leave, and to be answered by one who is near. */
const farewellMs = 20;
