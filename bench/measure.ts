/** One run of one tool: how long the receiving command takes, and what both sides use. */

import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Data, verify } from "./data.ts";
import type { Lab } from "./lab.ts";
import type { Options } from "./options.ts";
import { type Profile, profiled, readProfile } from "./profile.ts";
import { type Command, ending, readiness, Side } from "./side.ts";
import type { Job, Tool } from "./tools/tool.ts";
import { warmMemory } from "./warm-memory.ts";

/** What all runs share. */
export interface Bench {
  lab: Lab;
  data: Data;
  folder: string;
  options: Options;
  signal: AbortSignal;
}

/** What one run gave. Times in seconds. */
export interface Run {
  tool: string;
  round: number;
  /** From the start of the receiving command to its end. */
  seconds: number;
  /** The same, and until the receiver's file system has everything on disk. */
  syncedSeconds: number;
  /** The tool's own figure, where it tells one. */
  ownSeconds?: number;
  senderCpuSeconds: number;
  receiverCpuSeconds: number;
  senderPeakBytes: number;
  receiverPeakBytes: number;
  /** What the sending host put on the wire, for each byte of the data. */
  sentPerByte: number;
  /** Why the run does not count. */
  failure?: string;
  profiles?: { sender: Profile; receiver: Profile };
}

/** Runs a tool once. A tool that fails gives a run with a `failure`; only an interrupt throws. */
export async function measure(bench: Bench, tool: Tool, round: number): Promise<Run> {
  const into = join(bench.folder, "into");
  const times = join(bench.folder, "times");
  for (const folder of [into, times]) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
  }
  // What earlier runs wrote would otherwise go to disk during this one.
  execFileSync("sync");
  warmMemory(bench.data.bytes);
  bench.signal.throwIfAborted();
  const run = emptyRun(tool.name, round);
  try {
    await fill(run, bench, tool, { into, times });
  } catch (error) {
    bench.signal.throwIfAborted();
    run.failure = error instanceof Error ? error.message : String(error);
  } finally {
    bench.lab.killProcesses();
    rmSync(into, { recursive: true, force: true });
  }
  return run;
}

async function fill(
  run: Run,
  { lab, data, folder, options, signal }: Bench,
  tool: Tool,
  { into, times }: { into: string; times: string },
): Promise<void> {
  const job: Job = {
    data,
    into,
    address: lab.address("a"),
    folder: join(folder, "tools"),
    wire: options.wire,
    quiver: options.quiver,
    compress: options.compress,
  };
  const plan = tool.plan(job);
  const wrap = (command: Command, side: string) =>
    options.profile ? profiled(command, join(times, `${side}.perf`)) : command;
  const deadline = Date.now() + options.timeoutSeconds * 1000;

  const sentBefore = lab.bytesSent("a");
  const sender = new Side(lab.on("a"), wrap(plan.sender, "sender"), join(times, "sender"));
  const ready = await readiness(sender, () => plan.ready(sender.output, lab), signal);

  const start = performance.now();
  const command = wrap(plan.receiver(ready), "receiver");
  const receiver = new Side(lab.on("b"), command, join(times, "receiver"));
  const watch = setInterval(() => {
    sender.sample();
    receiver.sample();
    if (Date.now() > deadline) lab.killProcesses();
  }, sampleMs);
  try {
    const received = await receiver.done;
    run.seconds = (received.endedAtMs - start) / 1000;
    const syncStart = performance.now();
    execFileSync("sync", ["-f", into]);
    run.syncedSeconds = run.seconds + (performance.now() - syncStart) / 1000;
    signal.throwIfAborted();
    if (Date.now() > deadline) throw new Error(`not done after ${options.timeoutSeconds} s`);
    if (received.exit !== 0) throw new Error(ending("receiver", received));

    if (plan.staysUp) await terminateIdle(sender);
    const sent = await sender.done;
    if (sent.exit !== 0 && !plan.staysUp) throw new Error(ending("sender", sent));
    run.sentPerByte = (lab.bytesSent("a") - sentBefore) / data.bytes;
    run.senderCpuSeconds = sent.cpuSeconds;
    run.receiverCpuSeconds = received.cpuSeconds;
    run.senderPeakBytes = sent.peakBytes;
    run.receiverPeakBytes = received.peakBytes;
    const own = plan.ownSeconds?.(received);
    if (own !== undefined) run.ownSeconds = own;
    verify(data, join(into, basename(data.path)));
    if (options.profile) {
      run.profiles = {
        sender: readProfile(join(times, "sender.perf"), sent.cpuSeconds, run.seconds),
        receiver: readProfile(join(times, "receiver.perf"), received.cpuSeconds, run.seconds),
      };
    }
  } finally {
    clearInterval(watch);
  }
}

/** Ends a server when the process that served us is gone, so that its CPU time is counted. */
async function terminateIdle(server: Side): Promise<void> {
  // The shell and the server itself; what the server forked for us comes after them.
  for (let waited = 0; server.processes().length > 2 && waited < 2000; waited += pollMs) {
    await pause(pollMs);
  }
  server.terminate();
}

function emptyRun(tool: string, round: number): Run {
  return {
    tool,
    round,
    seconds: 0,
    syncedSeconds: 0,
    senderCpuSeconds: 0,
    receiverCpuSeconds: 0,
    senderPeakBytes: 0,
    receiverPeakBytes: 0,
    sentPerByte: 0,
  };
}

const sampleMs = 50;
const pollMs = 20;
