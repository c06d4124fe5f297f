/** quiver itself, as its npm package has it: two commands; the start of the process is in the time. */

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { TransferEvent } from "../../src/index.ts";
import type { Command } from "../side.ts";
import { firstLine } from "./program.ts";
import type { Job, Plan, Tool } from "./tool.ts";

export const quiver: Tool = {
  name: "quiver",
  title: "quiver",
  carries: "both",
  encrypts: true,
  needs: [],
  version: () => `${firstLine(...built, "--version")} (${commit()})`,
  plan,
};

function plan({ data, into, address, folder, quiver: other, compress }: Job): Plan {
  const command = other ? other.split(" ") : built;
  const how = compress ? ["--compress", compress] : [];
  return {
    sender: {
      argv: [...command, "send", ...how, data.path, "--listen", `${address}:0`],
      env: { QUIVER_HOME: join(folder, "quiver-sender") },
    },
    ready(output) {
      return /(quiver[a-z0-9]+)["\n]/.exec(output)?.[1];
    },
    receiver: (ticket) => ({
      argv: [...command, "receive", "-", "--into", into, "--yes", "--verbose"],
      env: { QUIVER_HOME: join(folder, "quiver-receiver") },
      input: `${ticket}\n`,
    }),
    ownSeconds({ errors }) {
      const seconds = /transfer complete: .* in ([\d.]+)s/.exec(errors)?.[1];
      return seconds === undefined ? undefined : Number(seconds);
    },
  };
}

/** The same commands, telling of themselves in events. */
export function inEvents(plan: Plan): Plan {
  const withJson = (command: Command) => ({ ...command, argv: [...command.argv, "--json"] });
  const receiver = (ready: string) => withJson(plan.receiver(ready));
  return { ...plan, sender: withJson(plan.sender), receiver };
}

/** The events on the lines of an output that are complete. */
export function eventsIn(output: string): TransferEvent[] {
  const lines = output.split("\n").slice(0, -1);
  return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
}

function commit(): string {
  try {
    const args = ["-C", import.meta.dirname, "describe", "--always", "--dirty"];
    return execFileSync("git", args, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "not from git";
  }
}

/** What `npm run build` makes of this checkout. */
const built = [
  process.execPath,
  join(import.meta.dirname, "..", "..", "dist", "cli", "main.js"),
] as const;
