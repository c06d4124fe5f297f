/** Serves one file by HTTP, whole or in the ranges that are asked for: `FILE PORT`. */

import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";

const [path = "", port] = process.argv.slice(2);
const { size } = statSync(path);

const server = createServer(({ headers: { range } }, response) => {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
  const start = Number(first ?? 0);
  const end = last ? Number(last) : size - 1;
  response.writeHead(first === undefined ? 200 : 206, {
    "accept-ranges": "bytes",
    "content-length": end - start + 1,
    ...(first !== undefined && { "content-range": `bytes ${start}-${end}/${size}` }),
  });
  const bytes = createReadStream(path, { start, end, highWaterMark: 2 ** 20 });
  // A client that has enough closes its connection; the file must not stay open for it.
  response.on("close", () => bytes.destroy());
  bytes.pipe(response);
});
server.listen(Number(port), "0.0.0.0");
