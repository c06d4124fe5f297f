/**
 * A crowd of strangers, for `hostile-crowd.test.ts`: each sends all that it may before hello, and stays.
 *
 * Arguments: a JSON text of {@link Crowd}. Says how many stand there, a line a second, and ends by itself.
 */

import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Connection, Endpoint } from "../../src/engine/engine.ts";
import { openNativeEngine } from "../../src/engine/native.ts";
import { defaultTuning } from "../../src/options.ts";

/** What the crowd must be told. */
export interface Crowd {
  peerId: string;
  addresses: string[];
  connections: number;
  /** Connections from one address; each next lot comes from another one of this machine. */
  perAddress: number;
  seconds: number;
}

const crowd: Crowd = JSON.parse(process.argv[2] ?? "");
const engine = openNativeEngine({ workerThreads: 1 });
const until = performance.now() + crowd.seconds * 1000;
const standing = new Set<Connection>();
let dialled = 0;

setInterval(() => {
  process.stdout.write(`${JSON.stringify({ standing: standing.size, dialled })}\n`);
  if (performance.now() > until) process.exit();
}, 1000);

await Promise.all(
  Array.from({ length: Math.ceil(crowd.connections / crowd.perAddress) }, (_, lot) => send(lot)),
);

/** Keeps one address's part of the crowd up. */
async function send(lot: number): Promise<void> {
  const endpoint = await engine.bind({
    ...defaultTuning,
    secretKey: randomBytes(32),
    listen: [`127.1.${lot >> 8}.${(lot & 255) + 1}:0`],
    alpn: "quiver/1",
  });
  const places = Math.min(crowd.perAddress, crowd.connections - lot * crowd.perAddress);
  await Promise.all(Array.from({ length: places }, () => stand(endpoint)));
}

/** Dials again and again. */
async function stand(endpoint: Endpoint): Promise<void> {
  while (performance.now() < until) {
    const connection = await endpoint
      .connect(crowd.peerId, crowd.addresses, 10_000)
      .catch(() => null);
    dialled += 1;
    if (!connection) {
      await pause(1000);
      continue;
    }
    standing.add(connection);
    flood(connection);
    await Promise.race([connection.closed(), pause(Math.max(0, until - performance.now()))]);
    standing.delete(connection);
  }
}

/** Opens all streams that it may, and writes into each until nothing more is taken. */
function flood(connection: Connection): void {
  const pour = async (stream: { write(bytes: Uint8Array): Promise<void> }) => {
    // The longest hello there is, but for its last byte.
    await stream.write(Buffer.from("00008000", "hex"));
    await stream.write(new Uint8Array(0x7fff));
  };
  const open = async () => {
    for (;;) void pour(await connection.openUnidirectional()).catch(() => {});
  };
  const openBoth = async () => {
    for (;;) void pour((await connection.openBidirectional()).send).catch(() => {});
  };
  void open().catch(() => {});
  void openBoth().catch(() => {});
}
