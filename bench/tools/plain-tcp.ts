/** Plain TCP without netcat: for machines that have none. */

import { basename, join } from "node:path";
import { listening, type Tool } from "./tool.ts";

export const plainTcp: Tool = {
  name: "plain-tcp",
  title: "plain TCP (node)",
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

const copier = join(import.meta.dirname, "plain-tcp-copier.ts");
const port = 5002;
