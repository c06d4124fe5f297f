/** The plainest transfer there is: every chunk waits for the acknowledgement of the one before. */

import { basename, join } from "node:path";
import { listening, type Tool } from "./tool.ts";

export const ackedTcp: Tool = {
  name: "acked-tcp",
  title: "TCP, each chunk of 64 KiB acknowledged (node)",
  carries: "file",
  encrypts: false,
  needs: [],
  version: () => `node ${process.version}`,
  plan: ({ data, into, address }) => ({
    sender: { argv: [process.execPath, copier, "serve", data.path, `${port}`] },
    ready: listening(port),
    receiver: () => ({
      argv: [
        ...[process.execPath, copier, "fetch", address, `${port}`],
        join(into, basename(data.path)),
      ],
    }),
  }),
};

const copier = join(import.meta.dirname, "acked-tcp-copier.ts");
const port = 5003;
