/**
 * Copies a file through one TCP connection that stops and waits: `serve FILE PORT`, then
 * `fetch ADDRESS PORT FILE`.
 *
 * The server flushes each chunk and sends the next only when the receiver has acknowledged it.
 */

import { once } from "node:events";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";

async function serve(path: string, socket: Socket): Promise<void> {
  for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes })) {
    const acknowledged = once(socket, "data");
    await new Promise((flushed) => socket.write(chunk, flushed));
    // A short chunk is the last one: the end of the connection acknowledges it.
    if (chunk.length === chunkBytes) await acknowledged;
  }
  socket.end();
}

async function fetch(socket: Socket, path: string): Promise<void> {
  const file = await open(path, "wx");
  let missing = chunkBytes;
  for await (const part of socket) {
    await file.writeFile(part);
    missing -= part.length;
    if (missing > 0) continue;
    socket.write("a");
    missing = chunkBytes;
  }
  await file.close();
}

const chunkBytes = 64 * 2 ** 10;
const [verb, first = "", second = "", third = ""] = process.argv.slice(2);

if (verb === "serve") {
  const server = createServer({ noDelay: true }, async (socket) => {
    server.close();
    await serve(first, socket);
  });
  server.listen(Number(second), "0.0.0.0");
} else {
  await fetch(connect({ host: first, port: Number(second), noDelay: true }), third);
}
