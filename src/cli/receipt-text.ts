/** A receipt as a person reads it. Pure. */

import { join } from "node:path";
import {
  displayText,
  type FileStatus,
  type Receipt,
  type ReceiptFile,
  type ReceiptFiles,
  TransferError,
} from "../index.ts";
import { formatBytes, formatCount, formatDuration, formatRate, groupDigits } from "./format.ts";

/** The first line: how much, how long, how fast. */
export function receiptSummary(verb: "sent" | "received", receipt: Receipt): string {
  const { bytes, seconds } = receipt;
  let files = 0;
  for (const { status } of receipt.files) if (status === "received") files += 1;
  const time = seconds > 0 ? ` in ${formatDuration(seconds)} (${formatRate(bytes / seconds)})` : "";
  return `${verb} and verified ${formatCount(files, "file")}, ${formatBytes(bytes)}${time}`;
}

/** The lines below the first: where the files are, and each that is not as it was offered. */
export function receiptDetails(receipt: Receipt): string[] {
  const { into, files, skipped } = receipt;
  const lines = [
    ...list("skipped", map(withStatus(files, "skipped"), withReason)),
    ...list("not sent", map(skipped, withReason)),
    ...list("failed", map(withStatus(files, "failed"), withReason)),
  ];
  // Where things are on the receiver's disk is for the receiver.
  if (into === undefined) return lines;
  return [`  ${placeText(into, files)}`, ...list("under another name", renames(files)), ...lines];
}

/** Refuses a receipt in which a file failed, by the code of the first such file. */
export function requireComplete(receipt: Receipt): void {
  let count = 0;
  let first: ReceiptFile | undefined;
  const names: string[] = [];
  for (const file of withStatus(receipt.files, "failed")) {
    first ??= file;
    count += 1;
    if (count <= 3) names.push(displayText(file.path));
  }
  if (!first) return;
  const more = count > names.length ? ` and ${count - names.length} more` : "";
  const reason = first.reason ? ` (${displayText(first.reason)})` : "";
  throw new TransferError(
    first.code ?? "DISK_FAILED",
    `${formatCount(count, "file")} failed: ${names.join(", ")}${more}${reason}; ` +
      `send ${count === 1 ? "it" : "them"} again`,
  );
}

function placeText(folder: string, files: ReceiptFiles): string {
  // The sender has a say in its last parts.
  const into = displayText(folder);
  const [only] = files;
  if (files.length !== 1 || only?.status !== "received") return `in ${into}`;
  return `as ${join(into, displayText(only.savedAs ?? only.path))}`;
}

/** Each name that changed, once: of a folder under another name its files are not listed. */
function renames(files: ReceiptFiles): Set<string> {
  const lines = new Set<string>();
  for (const { path, savedAs } of withStatus(files, "received")) {
    if (savedAs === undefined) continue;
    const from = path.split("/");
    const to = savedAs.split("/");
    while (from.length > 1 && to.length > 1 && from.at(-1) === to.at(-1)) {
      from.pop();
      to.pop();
    }
    lines.add(`${displayText(from.join("/"))} → ${displayText(to.join("/"))}`);
  }
  return lines;
}

/** The first few of so many texts below a title; nothing where there are none. */
function list(title: string, texts: Iterable<string>): string[] {
  const lines: string[] = [];
  let more = 0;
  for (const text of texts) {
    if (lines.length < mostLines) lines.push(`    ${text}`);
    else more += 1;
  }
  if (lines.length === 0) return [];
  if (more > 0) lines.push(`    … and ${groupDigits(more)} more`);
  return [`  ${title}:`, ...lines];
}

function* withStatus(files: ReceiptFiles, status: FileStatus): Generator<ReceiptFile> {
  for (const file of files) if (file.status === status) yield file;
}

function* map<T>(things: Iterable<T>, text: (thing: T) => string): Generator<string> {
  for (const thing of things) yield text(thing);
}

function withReason({ path, reason }: { path: string; reason?: string }): string {
  const name = displayText(path);
  return reason ? `${name}: ${displayText(reason)}` : name;
}

const mostLines = 20;
