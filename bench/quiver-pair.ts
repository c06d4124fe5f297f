/** Two quivers that move one file between netlab's hosts, looked at while they do. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Data, makeData } from "./data.ts";
import type { Lab } from "./lab.ts";
import { Side } from "./side.ts";
import { quiver } from "./tools/quiver.ts";

/** A transfer that is under way, or has ended. */
export interface Pair {
  data: Data;
  /** The folder that the copy goes to. */
  into: string;
  sender: Side;
  receiver: Side;
  /** When the receiver was started, by `performance.now()`. */
  startedAtMs: number;
}

/** Starts a transfer of so many random bytes from host `a` to host `b`; all its files are below a folder. */
export async function startPair(
  lab: Lab,
  folder: string,
  { bytes, command }: { bytes: number; command: string | undefined },
): Promise<Pair> {
  const choice = { kind: "random", bytes, files: 0, tree: "", text: "random" } as const;
  const data = makeData(choice, join(folder, "data"), new AbortController().signal);
  const into = join(folder, "into");
  mkdirSync(into);
  const told = { wire: [], quiver: command, compress: undefined };
  const plan = quiver.plan({ data, into, address: lab.address("a"), folder, ...told });
  const sender = new Side(lab.on("a"), plan.sender, join(folder, "sender"));
  const ready = await until(() => plan.ready(sender.output, lab));
  const startedAtMs = performance.now();
  const receiver = new Side(lab.on("b"), plan.receiver(ready), join(folder, "receiver"));
  return { data, into, sender, receiver, startedAtMs };
}

/** The last whole line of a side's output that tells of progress. */
export function lastProgress(output: string): { bytes: number } | undefined {
  const line = output
    .split("\n")
    .findLast((text) => text.includes('"progress"') && text.endsWith("}"));
  return line === undefined ? undefined : JSON.parse(line);
}

/** Looks ten times a second until there is something; gives up after 20 s. */
export async function until<T>(look: () => T | undefined): Promise<T> {
  for (let tries = 0; tries < 200; tries += 1) {
    const found = look();
    if (found !== undefined) return found;
    await pause(100);
  }
  throw new Error("a flow did not start within 20 s");
}
