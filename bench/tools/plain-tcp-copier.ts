/** Copies a file through one TCP connection: `serve FILE PORT`, then `fetch ADDRESS PORT FILE`. */

import { createReadStream, createWriteStream } from "node:fs";
import { connect, createServer } from "node:net";
import { pipeline } from "node:stream/promises";

const [verb, first = "", second = "", third = ""] = process.argv.slice(2);
const bufferBytes = { highWaterMark: 2 ** 20 };

if (verb === "serve") {
  const server = createServer(async (socket) => {
    server.close();
    await pipeline(createReadStream(first, bufferBytes), socket);
  });
  server.listen(Number(second), "0.0.0.0");
} else {
  const socket = connect({ host: first, port: Number(second), ...bufferBytes });
  await pipeline(socket, createWriteStream(third, bufferBytes));
}
