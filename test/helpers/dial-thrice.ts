/**
 * Dials a peer that shares something: first as a stranger to it, then as somebody who was there, then with
 * its hello in the first flight. Says as a line of JSON after how many milliseconds each had its answers.
 */

import { openNativeEngine } from "../../src/engine/native.ts";
import { defaultTuning, loadIdentity } from "../../src/index.ts";
import { cbor, frame, hello, RawPeer } from "../raw-peer.ts";

const [home = "", peerId = "", ...addresses] = process.argv.slice(2);
const { secretKey } = await loadIdentity(home);
const endpoint = await openNativeEngine(defaultTuning).bind({
  ...defaultTuning,
  secretKey,
  listen: ["0.0.0.0:0"],
  alpn: "quiver/1",
});
const request = new Uint8Array(16).fill(1);
const said = [];
for (const isEarly of [false, false, true]) {
  const start = performance.now();
  const dial = isEarly ? RawPeer.early : RawPeer.late;
  const raw = await dial(endpoint, { peerId, addresses }, frame(cbor(hello)));
  await raw.hear("hello");
  const helloMs = Math.round(performance.now() - start);
  await raw.say({ type: "list", request, path: "", after: "" });
  await raw.hear("listing");
  const listingMs = Math.round(performance.now() - start);
  said.push({ wasEarly: raw.connection.early !== null, helloMs, listingMs });
  raw.connection.close(0, "");
}
await endpoint.close();
process.stdout.write(`${JSON.stringify(said)}\n`);
