/**
 * One TCP connection that never ends, to share a wire with: `serve PORT`, then `fetch ADDRESS PORT`.
 *
 * The fetching side prints what has arrived, as quiver prints its progress.
 */

import { connect, createServer } from "node:net";

const [verb, first = "", second = ""] = process.argv.slice(2);

if (verb === "serve") {
  const block = Buffer.alloc(2 ** 18);
  createServer((socket) => {
    const fill = () => {
      while (socket.write(block));
    };
    socket.on("drain", fill).on("error", () => process.exit());
    fill();
  }).listen(Number(first), "0.0.0.0");
} else {
  let bytes = 0;
  const socket = connect({ host: first, port: Number(second) });
  socket.on("data", (chunk) => {
    bytes += chunk.length;
  });
  setInterval(() => console.log(JSON.stringify({ type: "progress", bytes })), 100);
}
