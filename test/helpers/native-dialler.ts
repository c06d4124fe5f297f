/** Dials the peer that its arguments name, says so, and waits to be killed. */

import { openNativeEngine } from "../../src/engine/native.ts";

const [peerId = "", ...addresses] = process.argv.slice(2);
const endpoint = await openNativeEngine({ workerThreads: 1 }).bind({
  secretKey: crypto.getRandomValues(new Uint8Array(32)),
  listen: ["127.0.0.1:0"],
  alpn: "quiver-contract/1",
  congestion: "bbr",
  streamWindowBytes: 1_048_576,
  receiveWindowBytes: 1_048_576,
  sendWindowBytes: 1_048_576,
  maxStreams: 8,
  idleTimeoutMs: 1_000,
  keepAliveMs: 300,
  initialRttMs: 100,
  handshakeTimeoutMs: 10_000,
  strangerWindowBytes: 16_384,
  maxStrangers: 256,
  maxStrangersPerAddress: 16,
  maxStrangerFailures: 10,
  refusalMs: 60_000,
  writeConcurrency: 1,
  encodeConcurrency: 1,
});
await endpoint.connect(peerId, addresses, 10_000);
process.stdout.write("connected\n");
setInterval(() => {}, 1_000);
