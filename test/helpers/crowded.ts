/**
 * The peer that a crowd stands around, for `hostile-crowd.test.ts`: serves a file to whoever has its ticket.
 *
 * Arguments: the file, and a JSON text of a part of the tuning. Says where it is, and the ticket.
 */

import { Peer } from "../../src/index.ts";
import { temporaryIdentity } from "../../src/peer/identity.ts";

const [path = "", tuning = "{}"] = process.argv.slice(2);
const peer = await Peer.open({
  listen: "127.0.0.1:0",
  identity: temporaryIdentity(),
  tuning: JSON.parse(tuning),
});
// The file is of zeros, which are to travel.
const sending = peer.send(path, { keep: true, compress: "none" });
for await (const event of sending) {
  if (event.type !== "ready") continue;
  const { peerId, addresses } = peer;
  process.stdout.write(`${JSON.stringify({ peerId, addresses, ticket: event.ticket })}\n`);
}
