/**
 * `npm run bench -- fairness`: what a quiver leaves to a TCP flow, and to another quiver, on one wire.
 *
 * Both flows start at once and send from host `a` to host `b`. Their bytes are looked at twice, so that
 * the starts do not count. docs/performance.md has the results.
 */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { commonFlags } from "./flags.ts";
import { interrupt, runBenchmark, withLab } from "./interrupt.ts";
import type { Lab } from "./lab.ts";
import { lastProgress, startPair } from "./quiver-pair.ts";
import { readiness, Side } from "./side.ts";
import { listening } from "./tools/tool.ts";

const usage = `npm run bench -- fairness [options]   (root; Linux)

  --wire rate=100,delay=20   netlab's words for the wan; delay is one way
  --beside cubic,bbr,quiver  what shares the wire with a quiver
  --settle 10                seconds before the shares count
  --seconds 30               seconds that count
  --rounds 1
  --quiver CMD               another quiver than this checkout's`;

/** A flow that is running: what it has brought to the other host. */
interface Flow {
  bytes(): number;
}

interface Settings {
  wire: string[];
  settleMs: number;
  countedMs: number;
  quiver: string | undefined;
}

/** Starts a flow on the wire. `port` and `folder` are its own. */
type Start = (lab: Lab, place: { port: number; folder: string }) => Promise<Flow>;

/** A transfer that takes longer than anybody looks at it. */
function quiverFlow(bytes: number, command: string | undefined): Start {
  return async (lab, { folder }) => {
    const { receiver } = await startPair(lab, folder, { bytes, command });
    return { bytes: () => lastProgress(receiver.output) };
  };
}

const tcpFlow: Start = async (lab, { port, folder }) => {
  const argv = (...args: string[]) => ({ argv: [process.execPath, tcpProgram, ...args] });
  const sender = new Side(lab.on("a"), argv("serve", `${port}`), join(folder, "sender"));
  await readiness(sender, () => listening(port)("", lab), interrupt);
  const command = argv("fetch", lab.address("a"), `${port}`);
  const receiver = new Side(lab.on("b"), command, join(folder, "receiver"));
  return { bytes: () => lastProgress(receiver.output) };
};

/** Runs a quiver beside another flow; returns what each of them got, in Mbit/s. */
function share(
  beside: string,
  { wire, settleMs, countedMs, quiver: command }: Settings,
): Promise<number[]> {
  return withLab("/dev/shm", async (lab, folder) => {
    lab.up(["wan", ...wire]);
    lab.set("ipv4/tcp_no_metrics_save", "1");
    const rate = Number(wire.find((word) => word.startsWith("rate="))?.slice(5) ?? 100);
    const ours = quiverFlow(Math.ceil(rate * 125 * (settleMs + countedMs) * 1.1), command);
    if (beside !== "quiver") lab.setTcpCongestionControl(beside);
    const flows: Flow[] = [];
    for (const [at, start] of [ours, beside === "quiver" ? ours : tcpFlow].entries()) {
      const own = join(folder, `${at}`);
      mkdirSync(own);
      flows.push(await start(lab, { port: 5000 + at, folder: own }));
    }
    await pause(settleMs, undefined, { signal: interrupt });
    const before = flows.map((flow) => flow.bytes());
    await pause(countedMs, undefined, { signal: interrupt });
    return flows.map((flow, at) => ((flow.bytes() - (before[at] ?? 0)) * 8) / countedMs / 1000);
  });
}

const tcpProgram = join(import.meta.dirname, "tools", "tcp-flow.ts");

async function fairness(): Promise<number> {
  const { values } = parseArgs({
    options: {
      wire: { type: "string", default: "rate=100,delay=20" },
      beside: { type: "string", default: "cubic,bbr,quiver" },
      settle: { type: "string", default: "10" },
      seconds: { type: "string", default: "30" },
      ...commonFlags,
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const settings: Settings = {
    wire: values.wire.split(","),
    settleMs: Number(values.settle) * 1000,
    countedMs: Number(values.seconds) * 1000,
    quiver: values.quiver,
  };
  console.log(
    "| beside | quiver, Mbit/s | the other, Mbit/s | quiver's share |\n|---|---|---|---|",
  );
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const beside of values.beside.split(",")) {
      const [ours = 0, other = 0] = await share(beside, settings);
      const part = (ours / (ours + other)).toFixed(2);
      console.log(`| ${beside} | ${ours.toFixed(1)} | ${other.toFixed(1)} | ${part} |`);
    }
  }
  return 0;
}

await runBenchmark(fairness);
