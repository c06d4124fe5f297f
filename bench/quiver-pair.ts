/** Two quivers that move one file between netlab's hosts, looked at while they do. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Data, makeData } from "./data.ts";
import { interrupt } from "./interrupt.ts";
import type { Lab } from "./lab.ts";
import { readiness, Side } from "./side.ts";
import { inEvents, quiver } from "./tools/quiver.ts";
import type { Plan } from "./tools/tool.ts";

/** A transfer that is under way, or has ended. */
export interface Pair {
  data: Data;
  /** The folder that the copy goes to. */
  into: string;
  plan: Plan;
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
  const data = makeData(choice, join(folder, "data"), interrupt);
  const into = join(folder, "into");
  mkdirSync(into);
  const told = { wire: [], quiver: command, compress: undefined };
  const plan = inEvents(quiver.plan({ data, into, address: lab.address("a"), folder, ...told }));
  const sender = new Side(lab.on("a"), plan.sender, join(folder, "sender"));
  const ready = await readiness(sender, () => plan.ready(sender.output, lab), interrupt);
  const startedAtMs = performance.now();
  const receiver = new Side(lab.on("b"), plan.receiver(ready), join(folder, "receiver"));
  return { data, into, plan, sender, receiver, startedAtMs };
}

/** The bytes on the last whole line of a side's output that tells of progress; 0 before. */
export function lastProgress(output: string): number {
  const line = output
    .split("\n")
    .findLast((text) => text.includes('"progress"') && text.endsWith("}"));
  return line === undefined ? 0 : Number(JSON.parse(line).bytes);
}
