/** The result for people. */

import type { Data } from "./data.ts";
import type { Machine } from "./machine.ts";
import type { Run } from "./measure.ts";
import type { Options } from "./options.ts";
import type { Spread, Summary } from "./summary.ts";

/** One run, told as soon as it is over. */
export function progressLine({ tool, round, seconds, failure }: Run, { bytes }: Data): string {
  const result = failure
    ? `failed: ${failure}`
    : `${seconds.toFixed(2)} s, ${(bytes / 1e6 / seconds).toFixed(1)} MB/s`;
  return `round ${round}  ${tool.padEnd(10)} ${result}`;
}

/** The table, and what a reader must know to judge it. */
export function summaryTable({ machine, options, data, summaries }: Result): string {
  const rows = [header, ...summaries.map(row)];
  const widths = header.map((_, column) =>
    Math.max(...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  const table = rows.map((cells) =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  "),
  );
  return [...about({ machine, options, data }), "", ...table, "", legend].join("\n");
}

/** All that a table is made of. */
export interface Result {
  machine: Machine;
  options: Options;
  data: Data;
  summaries: Summary[];
}

function about({ machine, options, data }: Omit<Result, "summaries">): string[] {
  const { cpu, cores, memoryBytes, system, kernel, node, tcpCongestionControl } = machine;
  return [
    "",
    `wire ${options.wire.join(" ")}; ${options.data.text} (${data.files} files, ${data.bytes} bytes); ` +
      `${options.rounds} rounds; files in ${options.disk}${options.profile ? "; under perf" : ""}`,
    `${machine.date}; ${cpu}, ${cores} cores, ${gibibytes(memoryBytes)} GiB; ${system}, ` +
      `kernel ${kernel}, TCP ${tcpCongestionControl}; node ${node}`,
    ...Object.entries(machine.versions).map(([tool, version]) => `${tool}: ${version}`),
  ];
}

function row(summary: Summary): string[] {
  const { tool, runs, failures, timesQuiver, ownSeconds } = summary;
  const name = failures > 0 ? `${tool} (${failures} failed)` : tool;
  if (runs === 0) return [name, ...header.slice(1).map(() => "-")];
  return [
    name,
    figures(summary.megabytesPerSecond, 1),
    figures(summary.seconds, 2),
    ownSeconds ? ownSeconds.median.toFixed(2) : "-",
    summary.syncedSeconds.median.toFixed(2),
    timesQuiver === undefined ? "-" : timesQuiver.toFixed(2),
    `${summary.senderCpuPerGiB.toFixed(2)} + ${summary.receiverCpuPerGiB.toFixed(2)}`,
    `${mebibytes(summary.senderPeakBytes)} + ${mebibytes(summary.receiverPeakBytes)}`,
    summary.sentPerByte.toFixed(3),
  ];
}

function figures({ median, least, most }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${least.toFixed(digits)}-${most.toFixed(digits)})`;
}

function gibibytes(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(0);
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}

const header = [
  "tool",
  "MB/s",
  "seconds",
  "own s",
  "synced s",
  "x quiver",
  "CPU s/GiB",
  "peak MiB",
  "sent/byte",
];
const legend = `Medians (least-most). MB is 10^6 bytes. seconds: the receiving command, start to end, its process
start included; own s: the tool's own figure; synced s: seconds plus a sync of the target's file system;
x quiver: the tool's time by quiver's; CPU and peak anonymous memory: sender + receiver;
sent/byte: bytes on the wire from the sender for each byte of data.`;
