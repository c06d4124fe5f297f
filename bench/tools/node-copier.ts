/** What the small programs that copy one file through TCP have in common. */

import { basename, join } from "node:path";
import { listening, type Tool } from "./tool.ts";

/** A tool made of a program of this folder: `serve FILE PORT`, then `fetch ADDRESS PORT FILE`. */
export function nodeCopier(name: string, title: string, program: string, port: number): Tool {
  const copier = [process.execPath, join(import.meta.dirname, program)];
  return {
    name,
    title,
    carries: "file",
    encrypts: false,
    needs: [],
    version: () => `node ${process.version}`,
    plan: ({ data, into, address }) => ({
      sender: { argv: [...copier, "serve", data.path, `${port}`] },
      ready: listening(port),
      receiver: () => ({
        argv: [...copier, "fetch", address, `${port}`, join(into, basename(data.path))],
      }),
    }),
  };
}
