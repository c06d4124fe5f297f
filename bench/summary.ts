/** Medians and ratios of what was measured. Pure. */

import type { Data } from "./data.ts";
import type { Run } from "./measure.ts";

/** One tool's runs in one line. */
export interface Summary {
  tool: string;
  /** Runs that count, and those that failed. */
  runs: number;
  failures: number;
  /** 10^6 bytes of data a second. */
  megabytesPerSecond: Spread;
  seconds: Spread;
  syncedSeconds: Spread;
  ownSeconds?: Spread;
  /** How many times as long as quiver's median: over 1 means that quiver is faster. */
  timesQuiver?: number;
  /** Seconds of CPU for each GiB of data. */
  senderCpuPerGiB: number;
  receiverCpuPerGiB: number;
  senderPeakBytes: number;
  receiverPeakBytes: number;
  sentPerByte: number;
}

/** Middle and ends of a row of figures. */
export interface Spread {
  median: number;
  least: number;
  most: number;
}

/** A line for each tool, in the order of the runs. */
export function summarize(runs: readonly Run[], { bytes }: Pick<Data, "bytes">): Summary[] {
  const names = [...new Set(runs.map((run) => run.tool))];
  const summaries = names.map((name) => summaryOf(name, runs, bytes));
  const quiver = summaries.find((summary) => summary.tool === "quiver" && summary.runs > 0);
  if (!quiver) return summaries;
  return summaries.map((summary) =>
    summary.runs === 0
      ? summary
      : { ...summary, timesQuiver: summary.seconds.median / quiver.seconds.median },
  );
}

function summaryOf(tool: string, runs: readonly Run[], bytes: number): Summary {
  const all = runs.filter((run) => run.tool === tool);
  const good = all.filter((run) => run.failure === undefined);
  const own = good.flatMap(({ ownSeconds }) => ownSeconds ?? []);
  const gibibytes = bytes / 2 ** 30;
  const median = (figure: (run: Run) => number) => spread(good.map(figure)).median;
  return {
    tool,
    runs: good.length,
    failures: all.length - good.length,
    megabytesPerSecond: spread(good.map(({ seconds }) => bytes / 1e6 / seconds)),
    seconds: spread(good.map(({ seconds }) => seconds)),
    syncedSeconds: spread(good.map(({ syncedSeconds }) => syncedSeconds)),
    ...(own.length > 0 && { ownSeconds: spread(own) }),
    senderCpuPerGiB: median(({ senderCpuSeconds }) => senderCpuSeconds) / gibibytes,
    receiverCpuPerGiB: median(({ receiverCpuSeconds }) => receiverCpuSeconds) / gibibytes,
    senderPeakBytes: Math.max(0, ...good.map(({ senderPeakBytes }) => senderPeakBytes)),
    receiverPeakBytes: Math.max(0, ...good.map(({ receiverPeakBytes }) => receiverPeakBytes)),
    sentPerByte: median(({ sentPerByte }) => sentPerByte),
  };
}

/** The spread of some figures; all zero for none. */
export function spread(figures: readonly number[]): Spread {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1] ?? 0;
  const high = sorted[Math.floor(middle)] ?? 0;
  return { median: (low + high) / 2, least: sorted[0] ?? 0, most: sorted.at(-1) ?? 0 };
}
