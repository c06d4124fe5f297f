/** `quiver demo`: sends a folder between two processes of this machine, to see that it works. */

import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { styleText } from "node:util";
import type { Command } from "commander";
import {
  displayText,
  isNotAsOffered,
  type Receipt,
  type ReceiptFile,
  type ReceiptFiles,
  TransferError,
  type TransferEvent,
} from "../index.ts";
import { type Side, startSide } from "./demo-side.ts";
import type { Display } from "./display.ts";
import { formatBytes, formatCount } from "./format.ts";
import { watchInterrupts } from "./interrupt.ts";
import type { JsonOutput } from "./json-output.ts";
import { openOutput } from "./output.ts";
import { receiptDetails, receiptSummary, requireComplete } from "./receipt-text.ts";

/** Adds the command to a program. */
export function addDemoCommand(program: Command, json: JsonOutput): void {
  program
    .command("demo")
    .description("send files between two processes of this machine, into a folder that is removed")
    .argument("[path...]", "files and folders (default: quiver's own folder)")
    .addHelpText("after", "\nExample:\n  quiver demo holiday-photos")
    .action((paths: string[]) => demo(paths.length > 0 ? paths : [packageFolder], json));
}

async function demo(paths: string[], json: JsonOutput): Promise<void> {
  const { display } = await openOutput({}, json);
  const folder = await mkdtemp(join(tmpdir(), "quiver-demo-"));
  const sides: Side[] = [];
  let isInterrupted = false;
  const unwatch = watchInterrupts({
    politely() {
      isInterrupted = true;
      for (const side of sides) side.end();
    },
    atOnce() {
      for (const side of sides) side.endAtOnce();
      rmSync(folder, { recursive: true, force: true });
    },
  });
  try {
    const receipt = await runSides({ paths, folder, sides, display });
    display.close();
    process.stdout.write(`${demoReceipt(receipt).join("\n")}\n`);
    requireComplete(receipt);
  } catch (error) {
    for (const side of sides) side.end();
    await Promise.allSettled(sides.map((side) => side.ended));
    if (!isInterrupted) throw error;
    throw new TransferError("CANCELLED", "cancelled: the demo left nothing", { cause: error });
  } finally {
    display.close();
    unwatch();
    await rm(folder, { recursive: true, force: true });
  }
}

/** One run of a demo. */
interface Run {
  paths: string[];
  /** Holds the identities of both sides, and the receiver's inbox. */
  folder: string;
  /** Gets each side as it starts. */
  sides: Side[];
  display: Display;
}

async function runSides({ paths, folder, sides, display }: Run): Promise<Receipt> {
  const ticket = Promise.withResolvers<string>();
  const sender = startSide({
    args: ["send", "--json", "--listen", "127.0.0.1:0", "--", ...paths],
    environment: { QUIVER_HOME: join(folder, "sender") },
    onEvent(event) {
      if (event.type === "ready") ticket.resolve(event.ticket);
    },
  });
  sides.push(sender);
  await Promise.race([ticket.promise, sender.ended]);

  let receipt: Receipt | undefined;
  const receiver = startSide({
    args: ["receive", "--json", "--yes", "--into", join(folder, "inbox")],
    environment: {
      QUIVER_HOME: join(folder, "receiver"),
      QUIVER_TICKET: await ticket.promise,
    },
    onEvent(event) {
      if (event.type === "receipt") receipt = { ...event, files: listed(event.files) };
      showEvent(event, display);
    },
  });
  sides.push(receiver);
  await Promise.all([receiver.ended, sender.ended]);
  if (!receipt) throw new Error("the receiver ended without a receipt");
  return receipt;
}

function showEvent(event: TransferEvent, display: Display): void {
  if (event.type === "offer") {
    const what = `${formatCount(event.files, "file")}, ${formatBytes(event.bytes)}`;
    display.print(`sending ${what}, from one process of this machine to another`);
  }
  if (event.type === "progress") display.progress(event);
}

/** The files of a receipt that came as JSON. */
function listed(files: Iterable<ReceiptFile>): ReceiptFiles {
  const list = [...files];
  return Object.assign(list, { notAsOffered: list.filter(isNotAsOffered) });
}

/** The lines of a demo's receipt: the first hashes as `b3sum` prints them, and the total. */
function demoReceipt(receipt: Receipt): string[] {
  const lines: string[] = [];
  for (const { status, blake3, path } of receipt.files) {
    if (lines.length === mostHashes) break;
    if (status === "received") lines.push(`${blake3}  ${displayText(path)}`);
  }
  const more = receipt.files.length - lines.length;
  if (more > 0) lines.push(`… and ${formatCount(more, "more file")}`);
  const mark = styleText("green", "✔", { stream: process.stdout });
  const { into: _removed, ...rest } = receipt;
  return [...lines, `${mark} ${receiptSummary("received", receipt)}`, ...receiptDetails(rest)];
}

const mostHashes = 5;

/** Two levels up from here both in the sources and in the built package. */
const packageFolder = fileURLToPath(new URL("../..", import.meta.url));
