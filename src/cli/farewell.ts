/** How a command leaves its peers. */

import { setTimeout as wait } from "node:timers/promises";
import type { Peer } from "../index.ts";

/**
 * Does a command's work with a peer, and closes it.
 *
 * Where all went well, the others know all that counts by now: that this side is gone is said, but it does not stay
 * for the round trip in which that is heard. A failure it stays for: others would wait for it to come back.
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
const farewellMs = 50;
