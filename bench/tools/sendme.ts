/** sendme: iroh-blobs by a ticket, straight from host to host. */

import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { firstLine, program } from "./program.ts";
import type { Tool } from "./tool.ts";

export const sendme: Tool = {
  name: "sendme",
  title: "sendme, no relay",
  carries: "both",
  encrypts: true,
  needs: [program("sendme", "cargo install sendme")],
  version: () => firstLine("sendme", "--version"),
  plan({ data, into, folder }) {
    // The sender leaves its hashes where it runs.
    const own = join(folder, "sendme");
    rmSync(own, { recursive: true, force: true });
    mkdirSync(own);
    return {
      sender: { argv: ["sendme", "send", ...direct, data.path], cwd: own },
      staysUp: true,
      ready: (output) => /^sendme receive (\S+)\n/m.exec(output)?.[1],
      receiver: (ticket) => ({ argv: ["sendme", "receive", ...direct, ticket], cwd: into }),
    };
  },
};

const direct = ["--relay", "disabled", "--no-progress"];
