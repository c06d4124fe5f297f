/**
 * How well a limit is kept: `node bench/limits.ts [RATE...]`, in bytes a second; root, for the two hosts.
 *
 * Counts what comes in at the receiver's card, in windows of 2 s and steps of 100 ms, for a limit of either side.
 * A limit is of the files' bytes; the packets' headers are taken off by the share that they had of all.
 */

import { spawn } from "node:child_process";
import { closeSync, ftruncateSync, openSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { hosts, type Pair, type Stage, startPair, testFolder } from "../test/netlab/hosts.ts";
import type { Lab } from "./lab.ts";
import { warmMemory } from "./warm-memory.ts";

/** Bytes that had come at a time. */
interface Sample {
  atMs: number;
  bytes: number;
}

/** One transfer under a limit, as a line of text. */
async function measured(rate: number, side: "sender" | "receiver"): Promise<string> {
  const cleaning: (() => unknown)[] = [];
  const stage: Stage = { after: (clean) => cleaning.push(clean), diagnostic: console.log };
  try {
    const lab = hosts(stage, ...(process.env["WIRE"] ?? "ethernet").split(" "));
    const folder = testFolder(stage);
    const path = join(folder, "file");
    const fileBytes = Math.min(rate * seconds, mostBytes);
    warmMemory(fileBytes);
    const file = openSync(path, "w");
    ftruncateSync(file, Math.round(fileBytes));
    closeSync(file);
    const congestion = process.env["CONGESTION"] ?? "bbr";
    const flags = ["--limit", `${rate}`];
    const sampling = sample(lab);
    const pair = await startPair(lab, {
      ...{ path, folder },
      sendFlags: ["--congestion", congestion, ...(side === "sender" ? flags : [])],
      receiveFlags: side === "receiver" ? flags : [],
    });
    const samples = await sampling.until(ended(pair));
    const { bytes } = await pair.receiver.event("receipt");
    return `${rate} bytes/s, limit of the ${side}: ${summary(samples, bytes, rate)}`;
  } finally {
    for (const clean of cleaning.reverse()) await clean();
  }
}

async function ended({ sender, receiver }: Pair): Promise<void> {
  await Promise.all([sender.exit, receiver.exit]);
}

/** Reads the receiver's card every 100 ms, in a process on its host. */
function sample(lab: Lab): { until: (end: Promise<void>) => Promise<Sample[]> } {
  const [program = "", ...args] = [...lab.on("b"), process.execPath, "-e", sampler];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  const samples: Sample[] = [];
  createInterface(child.stdout).on("line", (line) => {
    const [atMs = 0, bytes = 0] = line.split(" ").map(Number);
    samples.push({ atMs, bytes });
  });
  return {
    async until(end) {
      await end;
      child.kill();
      return samples;
    },
  };
}

const sampler = `
  setInterval(() => {
    const lines = require("fs").readFileSync("/proc/net/dev", "utf8").split("\\n").slice(2);
    const cards = lines.map((line) => line.trim().split(/[:\\s]+/)).filter(([name]) => name && name !== "lo");
    console.log(performance.now(), cards.reduce((sum, fields) => sum + Number(fields[1]), 0));
  }, 100);
`;

function summary(samples: Sample[], fileBytes: number, rate: number): string {
  const moving = samples.filter(({ bytes }, at) => bytes - (samples[at - 1]?.bytes ?? 0) > 2000);
  const [first, last] = [moving[0], moving.at(-1)];
  if (!first || !last) return "nothing moved";
  const share = fileBytes / (last.bytes - first.bytes);
  // The first second is the connection's start, the last one its end.
  const steady = samples.filter(({ atMs }) => atMs > first.atMs + 1000 && atMs < last.atMs - 500);
  const windows = over(steady, 2000).map((bytesPerSecond) => (share * bytesPerSecond) / rate);
  const steps = over(steady, 100).map((bytesPerSecond) => (share * bytesPerSecond) / rate);
  const [low, high] = [Math.min(...windows), Math.max(...windows)];
  const lowAt = (steady[windows.indexOf(low)]?.atMs ?? 0) - first.atMs;
  const isKept = low >= 0.95 && high <= 1.05;
  return (
    `${windows.length} windows of 2 s ${low.toFixed(3)} (at ${(lowAt / 1000).toFixed(1)} s) to ${high.toFixed(3)} of it` +
    ` (${isKept ? "kept" : "NOT KEPT"}); steps of 100 ms ${Math.min(...steps).toFixed(2)} to` +
    ` ${Math.max(...steps).toFixed(2)}; headers ${((1 / share - 1) * 100).toFixed(1)} %`
  );
}

/** Bytes a second in every stretch of so many milliseconds. */
function over(samples: Sample[], ms: number): number[] {
  const found: number[] = [];
  let next = 0;
  for (const from of samples) {
    while (next < samples.length && (samples[next]?.atMs ?? 0) - from.atMs < ms - 5) next += 1;
    const to = samples[next];
    if (!to) break;
    found.push((1000 * (to.bytes - from.bytes)) / (to.atMs - from.atMs));
  }
  return found;
}

/** Long enough for the controller's look at the round trip, which comes every 10 s. */
const seconds = 25;
/** More memory than this a virtual machine may have to ask its host for, at 0.4 GB/s (docs/performance.md). */
const mostBytes = 3.5e9;

const rates = process.argv.slice(2).map(Number);
for (const rate of rates.length > 0 ? rates : [1e5, 1e6, 1e7, 1e8]) {
  for (const side of ["sender", "receiver"] as const) console.log(await measured(rate, side));
}
