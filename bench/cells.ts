/**
 * `npm run bench -- cells`: what quiver makes of long paths, one transfer on each, and the path unknown to it.
 *
 * docs/performance.md has the results.
 */

import { basename, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { verify } from "./data.ts";
import { commonFlags } from "./flags.ts";
import { runBenchmark, withLab } from "./interrupt.ts";
import { lastProgress, type Pair, startPair } from "./quiver-pair.ts";
import { ending } from "./side.ts";
import { eventsIn } from "./tools/quiver.ts";
import { warmMemory } from "./warm-memory.ts";

const usage = `npm run bench -- cells [options]   (root; Linux)

  --cells 100x150x1,500x20x0  Mbit/s x round trip in ms x loss in % each way; default: all of the table
  --rounds 1
  --quiver CMD                another quiver than this checkout's`;

/** A path. */
interface Cell {
  mbits: number;
  rttMs: number;
  /** In each direction. */
  lossPercent: number;
}

/** How a transfer went; shares are of the wire's rate. */
interface Shares {
  /** Of the whole command. */
  whole: number;
  /** From the offer's acceptance to the receipt. */
  own: number;
  /** Over the second half of the bytes, without the last three round trips. */
  started: number;
  /** Bytes on the wire for each byte of the file. */
  sentPerByte: number;
  /** The mean wait in queues over the second half, in round trips, as the sender's connection saw it. */
  queue: number;
}

/** What the receiver had, and when, by `performance.now()`. */
interface Look {
  atMs: number;
  bytes: number;
}

function measured(cell: Cell, command: string | undefined): Promise<Shares> {
  return withLab("/dev/shm", async (lab, folder) => {
    const { mbits, rttMs, lossPercent } = cell;
    lab.up(["wan", `rate=${mbits}`, `delay=${rttMs / 2}`, `loss=${lossPercent}`]);
    warmMemory(2 * fileBytes);
    const pair = await startPair(lab, folder, { bytes: fileBytes, command });
    const looks = await watch(pair);
    const [received, sent] = await Promise.all([pair.receiver.done, pair.sender.done]);
    if (received.exit !== 0) throw new Error(ending("receiver", received));
    if (sent.exit !== 0) throw new Error(ending("sender", sent));
    verify(pair.data, join(pair.into, basename(pair.data.path)));
    const ownSeconds = pair.plan.ownSeconds?.(received) ?? Number.NaN;
    const share = (bytes: number, ms: number) => (8 * bytes) / ms / 1000 / mbits;
    return {
      whole: share(fileBytes, received.endedAtMs - pair.startedAtMs),
      own: share(fileBytes, 1000 * ownSeconds),
      started: startedShare(looks, rttMs, share),
      sentPerByte: lab.bytesSent("a") / fileBytes,
      queue: queueOf(sent.output, rttMs),
    };
  });
}

/** Looks at the receiver's progress until the receiver has ended. */
async function watch({ receiver }: Pair): Promise<Look[]> {
  const looks: Look[] = [];
  let hasEnded = false;
  void receiver.done.then(() => {
    hasEnded = true;
  });
  while (!hasEnded) {
    await pause(20);
    const bytes = lastProgress(receiver.output);
    if (bytes > (looks.at(-1)?.bytes ?? 0)) looks.push({ atMs: performance.now(), bytes });
  }
  return looks;
}

function startedShare(
  looks: Look[],
  rttMs: number,
  share: (bytes: number, ms: number) => number,
): number {
  const endMs = (looks.at(-1)?.atMs ?? 0) - 3 * rttMs;
  const half = looks.filter(({ atMs, bytes }) => bytes >= fileBytes / 2 && atMs <= endMs);
  const [from, to] = [half[0], half.at(-1)];
  if (!from || !to || from === to) return Number.NaN;
  return share(to.bytes - from.bytes, to.atMs - from.atMs);
}

function queueOf(senderOutput: string, rttMs: number): number {
  const waits = eventsIn(senderOutput).flatMap((event) =>
    event.type === "progress" && event.bytes >= fileBytes / 2 ? event.rttMs / rttMs - 1 : [],
  );
  return waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
}

/** Two rates, four round trips, four losses; a campus; a satellite. */
function allCells(): string {
  const matrix = [100, 500].flatMap((mbits) =>
    [20, 50, 150, 300].flatMap((rttMs) =>
      [0, 0.1, 1, 5].map((lossPercent) => `${mbits}x${rttMs}x${lossPercent}`),
    ),
  );
  return [...matrix, "1000x10x0", "50x600x0"].join(",");
}

function readCell(text: string): Cell {
  const match = /^(\d+)x(\d+)x([\d.]+)$/.exec(text);
  if (!match) throw new Error(`not a cell: ${text}; write for example 100x150x1`);
  const [mbits = 0, rttMs = 0, lossPercent = 0] = match.slice(1).map(Number);
  return { mbits, rttMs, lossPercent };
}

const fileBytes = 256 * 2 ** 20;

async function cells(): Promise<number> {
  const { values } = parseArgs({
    options: {
      cells: { type: "string", default: allCells() },
      ...commonFlags,
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const paths = values.cells.split(",").map(readCell);
  console.log("| Mbit/s | round trip, ms | loss, % | whole | own | started | sent/byte | queue |");
  console.log("|---|---|---|---|---|---|---|---|");
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const cell of paths) {
      const { whole, own, started, sentPerByte, queue } = await measured(cell, values.quiver);
      const figures = [whole, own, started, sentPerByte, queue].map((figure) => figure.toFixed(2));
      const { mbits, rttMs, lossPercent } = cell;
      console.log(`| ${[mbits, rttMs, lossPercent, ...figures].join(" | ")} |`);
    }
  }
  return 0;
}

await runBenchmark(cells);
