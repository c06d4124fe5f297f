/** Plain TCP: nothing is encrypted, verified or synced. The mark to reach. */

import { basename, dirname, join } from "node:path";
import type { Command } from "../side.ts";
import { firstLine, program } from "./program.ts";
import { listening, type Program, type Tool } from "./tool.ts";

/** One file through one TCP connection. */
export const netcat: Tool = {
  name: "nc",
  title: "netcat, plain TCP",
  carries: "file",
  encrypts: false,
  needs: [openbsdNetcat()],
  version: () => firstLine("nc", "-h"),
  plan: ({ data, into, address }) => ({
    sender: { argv: ["nc", "-N", "-l", `${port}`], inputFile: data.path },
    ready: listening(port),
    receiver: () => ({
      argv: ["nc", "-d", address, `${port}`],
      outputFile: join(into, basename(data.path)),
    }),
  }),
};

/** A folder as one tar stream through one TCP connection. */
export const tarNetcat: Tool = {
  name: "tar-nc",
  title: "tar | netcat | tar",
  carries: "folder",
  encrypts: false,
  needs: [openbsdNetcat(), program("tar", "apt install tar")],
  version: () => firstLine("tar", "--version"),
  plan: ({ data, into, address }) => ({
    sender: shell('tar -cf - -C "$1" "$2" | nc -N -l "$3"', [
      dirname(data.path),
      basename(data.path),
      `${port}`,
    ]),
    ready: listening(port),
    receiver: () => shell('nc -d "$1" "$2" | tar -xf - -C "$3"', [address, `${port}`, into]),
  }),
};

/** Other netcats have other options, and some do not end when the file does. */
function openbsdNetcat(): Program {
  return {
    isThere: () => firstLine("nc", "-h").includes("OpenBSD"),
    install: "apt install netcat-openbsd",
  };
}

function shell(script: string, args: string[]): Command {
  return { argv: ["sh", "-c", script, "sh", ...args] };
}

const port = 5001;
