/** A receipt as a person reads it. Pure. */

import { join } from "node:path";
import {
  boundsText,
  displayText,
  notChosen,
  type Receipt,
  type ReceiptFile,
  type ReceiptFiles,
  TransferError,
} from "../index.ts";
import { formatBytes, formatCount, formatDuration, formatRate, groupDigits } from "./format.ts";
import { isSmaller } from "./progress-bar.ts";

/** The first line: how much, how long, how fast. */
export function receiptSummary(verb: "sent" | "received", receipt: Receipt): string {
  const { bytes, seconds, wireBytes, characters } = receipt;
  if (characters !== undefined) return `${verb} a text of ${formatCount(characters, "character")}`;
  const { received } = digestOf(receipt);
  const time = seconds > 0 ? ` in ${formatDuration(seconds)} (${formatRate(bytes / seconds)})` : "";
  const wire = isSmaller(wireBytes, bytes) ? `, ${formatBytes(wireBytes)} on the wire` : "";
  return `${verb} and verified ${formatCount(received, "file")}, ${formatBytes(bytes)}${time}${wire}`;
}

/** The lines below the first: where the files are, what held a long transfer, and each file that is not as it was offered. */
export function receiptDetails(receipt: Receipt): string[] {
  const { into, files, skipped, seconds, bounds } = receipt;
  const held = seconds >= worthAWhy ? boundsText(bounds) : "";
  const { failed, kept, unchosen, renamed } = digestOf(receipt);
  const lines = [
    ...(held === "" ? [] : [`  held by ${held}`]),
    ...(unchosen > 0 ? [`  not chosen by the receiver: ${formatCount(unchosen, "file")}`] : []),
    ...list("skipped", kept.first.map(withReason), kept.count),
    ...list("not sent", skipped.slice(0, mostLines).map(withReason), skipped.length),
    ...list("failed", failed.first.map(withReason), failed.count),
  ];
  // Where things are on the receiver's disk is for the receiver.
  if (into === undefined) return lines;
  const names = [...renamed].slice(0, mostLines);
  return [
    `  ${placeText(into, files)}`,
    ...list("under another name", names, renamed.size),
    ...lines,
  ];
}

/** Refuses a receipt in which a file failed, by the code of the first such file. */
export function requireComplete(receipt: Receipt): void {
  const { count, first: files } = digestOf(receipt).failed;
  const [first] = files;
  if (!first) return;
  const names = files.slice(0, 3).map((file) => displayText(file.path));
  const more = count > names.length ? ` and ${count - names.length} more` : "";
  const reason = first.reason ? ` (${displayText(first.reason)})` : "";
  throw new TransferError(
    first.code ?? "DISK_FAILED",
    `${formatCount(count, "file")} failed: ${names.join(", ")}${more}${reason}; ` +
      `send ${count === 1 ? "it" : "them"} again`,
  );
}

/** What people want to know of the files. */
interface Digest {
  received: number;
  failed: Some;
  kept: Some;
  /** Files that the receiver did not want. */
  unchosen: number;
  /** Each name that changed, once: of a folder under another name its files are not listed. */
  renamed: Set<string>;
}

/** The first of so many files. */
interface Some {
  count: number;
  first: ReceiptFile[];
}

/** One look at what is not as it was offered, however often it is asked for: there may be a million. */
function digestOf({ files }: Receipt): Digest {
  const known = digests.get(files);
  if (known) return known;
  const nothing = () => ({ count: 0, first: [] });
  const digest: Digest = {
    received: files.length,
    failed: nothing(),
    kept: nothing(),
    unchosen: 0,
    renamed: new Set(),
  };
  for (const file of files.notAsOffered) {
    if (file.status === "received") {
      if (file.savedAs !== undefined) digest.renamed.add(renaming(file.path, file.savedAs));
      continue;
    }
    digest.received -= 1;
    if (file.status === "skipped" && file.reason === notChosen) {
      digest.unchosen += 1;
      continue;
    }
    const some = file.status === "failed" ? digest.failed : digest.kept;
    some.count += 1;
    if (some.first.length < mostLines) some.first.push(file);
  }
  digests.set(files, digest);
  return digest;
}

/** The first parts of two paths up to where they differ. */
function renaming(path: string, savedAs: string): string {
  const from = path.split("/");
  const to = savedAs.split("/");
  while (from.length > 1 && to.length > 1 && from.at(-1) === to.at(-1)) {
    from.pop();
    to.pop();
  }
  return `${displayText(from.join("/"))} → ${displayText(to.join("/"))}`;
}

function placeText(folder: string, files: ReceiptFiles): string {
  // The sender has a say in its last parts.
  const into = displayText(folder);
  const [only] = files;
  if (files.length !== 1 || only?.status !== "received") return `in ${into}`;
  return `as ${join(into, displayText(only.savedAs ?? only.path))}`;
}

/** The first few lines below a title; nothing where there are none. */
function list(title: string, texts: readonly string[], count: number): string[] {
  if (count === 0) return [];
  const lines = texts.map((text) => `    ${text}`);
  const more = count - lines.length;
  if (more > 0) lines.push(`    … and ${groupDigits(more)} more`);
  return [`  ${title}:`, ...lines];
}

function withReason({ path, reason }: { path: string; reason?: string }): string {
  const name = displayText(path);
  return reason ? `${name}: ${displayText(reason)}` : name;
}

const digests = new WeakMap<ReceiptFiles, Digest>();
const mostLines = 20;
/** From so many seconds on people ask why it took so long. */
const worthAWhy = 10;
