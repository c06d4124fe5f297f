/** aria2: several HTTP connections for one file. */

import { basename, join } from "node:path";
import { firstLine, program } from "./program.ts";
import { listening, type Tool } from "./tool.ts";

export const aria2: Tool = {
  name: "aria2",
  title: "aria2, plain HTTP, 16 connections",
  carries: "file",
  encrypts: false,
  needs: [program("aria2c", "apt install aria2")],
  version: () => firstLine("aria2c", "--version"),
  plan: ({ data, into, address }) => ({
    sender: { argv: [process.execPath, server, data.path, `${port}`] },
    staysUp: true,
    ready: listening(port),
    receiver: () => ({
      argv: [
        ...["aria2c", "--no-conf", "--quiet", "--file-allocation=none"],
        // 16 is the most that aria2 opens; by itself it splits only what has 20 MiB.
        ...["--max-connection-per-server=16", "--split=16", "--min-split-size=1M"],
        ...["--dir", into, "--out", basename(data.path), `http://${address}:${port}/`],
      ],
    }),
  }),
};

const server = join(import.meta.dirname, "range-server.ts");
const port = 8880;
