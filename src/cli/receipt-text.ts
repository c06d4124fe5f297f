/** A receipt as a person reads it. Pure. */

import { join } from "node:path";
import { displayText, type Receipt, type ReceiptFile, TransferError } from "../index.ts";
import { formatBytes, formatCount, formatDuration, formatRate, groupDigits } from "./format.ts";

/** The first line: how much, how long, how fast. */
export function receiptSummary(verb: "sent" | "received", receipt: Receipt): string {
  const { bytes, seconds } = receipt;
  const files = receipt.files.filter((file) => file.status === "received").length;
  const time = seconds > 0 ? ` in ${formatDuration(seconds)} (${formatRate(bytes / seconds)})` : "";
  return `${verb} and verified ${formatCount(files, "file")}, ${formatBytes(bytes)}${time}`;
}

/** The lines below the first: where the files are, and each that is not as it was offered. */
export function receiptDetails(receipt: Receipt): string[] {
  const { into, files, skipped } = receipt;
  const failed = files.filter((file) => file.status === "failed");
  const kept = files.filter((file) => file.status === "skipped");
  const lines = [
    ...list("skipped", kept.map(withReason)),
    ...list("not sent", skipped.map(withReason)),
    ...list("failed", failed.map(withReason)),
  ];
  // Where things are on the receiver's disk is for the receiver.
  if (into === undefined) return lines;
  return [`  ${placeText(into, files)}`, ...list("under another name", renames(files)), ...lines];
}

/** Refuses a receipt in which a file failed, by the code of the first such file. */
export function requireComplete(receipt: Receipt): void {
  const failed = receipt.files.filter((file) => file.status === "failed");
  const [first] = failed;
  if (!first) return;
  const names = failed.slice(0, 3).map((file) => displayText(file.path));
  const more = failed.length > names.length ? ` and ${failed.length - names.length} more` : "";
  const reason = first.reason ? ` (${displayText(first.reason)})` : "";
  throw new TransferError(
    first.code ?? "DISK_FAILED",
    `${formatCount(failed.length, "file")} failed: ${names.join(", ")}${more}${reason}; ` +
      `send ${failed.length === 1 ? "it" : "them"} again`,
  );
}

function placeText(folder: string, files: readonly ReceiptFile[]): string {
  // The sender has a say in its last parts.
  const into = displayText(folder);
  const [only] = files;
  if (files.length !== 1 || only?.status !== "received") return `in ${into}`;
  return `as ${join(into, displayText(only.savedAs ?? only.path))}`;
}

/** Each name that changed, once: of a folder under another name its files are not listed. */
function renames(files: readonly ReceiptFile[]): string[] {
  const lines = new Set<string>();
  for (const { path, savedAs, status } of files) {
    if (status !== "received" || savedAs === undefined) continue;
    const from = path.split("/");
    const to = savedAs.split("/");
    while (from.length > 1 && to.length > 1 && from.at(-1) === to.at(-1)) {
      from.pop();
      to.pop();
    }
    lines.add(`${displayText(from.join("/"))} → ${displayText(to.join("/"))}`);
  }
  return [...lines];
}

function list(title: string, texts: readonly string[]): string[] {
  if (texts.length === 0) return [];
  const lines = texts.slice(0, mostLines).map((text) => `    ${text}`);
  const more = texts.length - lines.length;
  if (more > 0) lines.push(`    … and ${groupDigits(more)} more`);
  return [`  ${title}:`, ...lines];
}

function withReason({ path, reason }: { path: string; reason?: string }): string {
  const name = displayText(path);
  return reason ? `${name}: ${displayText(reason)}` : name;
}

const mostLines = 20;
