/**
 * Draws how far a transfer is, in characters.
 *
 * Pure: text of a given width, without colour; the display paints it.
 */

import type { TransferProgress } from "../index.ts";
import {
  formatBytes,
  formatCount,
  formatPercent,
  formatRate,
  formatTimeLeft,
  groupDigits,
} from "./format.ts";

/** The done and the open part of a bar; together they are as wide as was asked. */
export interface Bar {
  done: string;
  open: string;
}

/** A bar of `width` characters, filled to `fraction` in steps of half a character. */
export function progressBar(fraction: number, width: number): Bar {
  const halves = Math.floor(Math.min(1, Math.max(0, fraction)) * width * 2);
  const done = "━".repeat(Math.floor(halves / 2)) + (halves % 2 === 1 ? "╸" : "");
  return { done, open: "─".repeat(width - done.length) };
}

/**
 * One block a lane, as high as the lane's part of its even share of the bytes.
 *
 * More lanes than `width`: neighbours share a block that shows their mean.
 *
 * @example
 * laneMap({ laneBytes: [0, 50, 100], total: 300, width: 10 }); // "▁▅█"
 */
export function laneMap(lanes: { laneBytes: readonly number[]; total: number; width: number }) {
  const { laneBytes, total, width } = lanes;
  const cells = Math.max(0, Math.min(laneBytes.length, width));
  const share = total / laneBytes.length;
  let map = "";
  for (let cell = 0; cell < cells; cell += 1) {
    const first = Math.floor((cell * laneBytes.length) / cells);
    const last = Math.floor(((cell + 1) * laneBytes.length) / cells);
    let bytes = 0;
    for (const moved of laneBytes.slice(first, last)) bytes += moved;
    const fraction = share > 0 ? bytes / (last - first) / share : 1;
    map += laneBlock(fraction);
  }
  return map;
}

/** What a progress view says below its bar, as much of it as fits into `width` characters. */
export function progressFacts(progress: TransferProgress, width: number): string {
  const { bytes, total, files, totalFiles, etaMs, wireBytes, laneBytes } = progress;
  const facts = [shareText(bytes, total), rateText(progress)];
  const left = bytes < total ? formatTimeLeft(etaMs) : "";
  if (left !== "") facts.push(left);
  if (isSmaller(wireBytes, sum(laneBytes))) facts.push(`${formatBytes(wireBytes)} on the wire`);
  if (totalFiles > 1) {
    facts.push(`${groupDigits(files)} of ${formatCount(totalFiles, "file")}`);
  }
  return joinFitting(facts, width);
}

/** A progress view on one line, for logs and pipes. */
export function progressLine(progress: TransferProgress): string {
  const { bytes, total, etaMs, lanes, wireBytes, laneBytes } = progress;
  const facts = [
    hasSize(progress)
      ? `${formatPercent(bytes, total)}: ${shareText(bytes, total)}`
      : shareText(bytes, total),
    rateText(progress),
    formatCount(lanes, "lane"),
  ];
  const left = bytes < total ? formatTimeLeft(etaMs) : "";
  if (left !== "") facts.splice(2, 0, left);
  if (isSmaller(wireBytes, sum(laneBytes))) facts.push(`${formatBytes(wireBytes)} on the wire`);
  return facts.join(", ");
}

/** Whether it is known how much there is: of a stream only at its end. */
export function hasSize({ total }: Pick<TransferProgress, "total">): boolean {
  return Number.isFinite(total);
}

/** How much of how much. */
export function shareText(bytes: number, total: number): string {
  if (!hasSize({ total })) return `${formatBytes(bytes)} so far`;
  return `${formatBytes(bytes)} of ${formatBytes(total)}`;
}

/** The rate and its limit, or why nothing moves. */
function rateText({ throughput, state, limit }: TransferProgress): string {
  if (state !== "moving") return holdTexts[state];
  const rate = formatRate(throughput);
  return limit === null ? rate : `${rate} (limit ${formatRate(limit)})`;
}

const holdTexts = {
  paused: "paused",
  "paused-by-peer": "paused by the other side",
  queued: "waiting for its turn",
};

/** Whether so many bytes on the wire are fewer than those of the files, by so much that a person cares. */
export function isSmaller(wireBytes: number, fileBytes: number): boolean {
  return wireBytes < 0.95 * fileBytes;
}

function sum(parts: readonly number[]): number {
  return parts.reduce((all, part) => all + part, 0);
}

function joinFitting(facts: readonly string[], width: number): string {
  let text = "";
  for (const fact of facts) {
    const longer = text === "" ? fact : `${text} · ${fact}`;
    if (longer.length > width) break;
    text = longer;
  }
  return text;
}

function laneBlock(fraction: number): string {
  const step = Math.min(7, Math.max(0, Math.floor(fraction * 8)));
  return "▁▂▃▄▅▆▇█".charAt(step);
}
