/** `quiver share`: lets known peers read a folder, until Ctrl-C. */

import { styleText } from "node:util";
import type { Command } from "commander";
import { displayText, Peer, type Transfer, TransferError, type TransferEvent } from "../index.ts";
import { formatBytes, formatCount } from "./format.ts";
import { watchInterrupts } from "./interrupt.ts";
import { introduction, ownName } from "./introduction.ts";
import type { JsonOutput } from "./json-output.ts";
import { addLimitFlag, type LimitFlag } from "./limit.ts";
import { addOutputFlags, type Output, type OutputFlags, openOutput } from "./output.ts";
import { receiptSummary } from "./receipt-text.ts";
import { addTuningFlags, type TuningFlags, tuningOf } from "./tuning-flags.ts";

/** Adds the command to a program. */
export function addShareCommand(program: Command, json: JsonOutput): void {
  const command = program
    .command("share")
    .description("let known peers read a folder, and nobody else, until Ctrl-C")
    .argument("<dir>", "the folder; it is only read")
    .option("--name <name>", "what it is called to them (default: the folder's name)")
    .option("--peers <peers>", "who may read it: NAME,NAME (default: nobody)")
    .option("--listen <addr:port>", "address to listen on; port 0 takes a free one");
  addLimitFlag(command);
  addTuningFlags(command);
  addOutputFlags(command);
  command.addHelpText("after", "\nExample:\n  quiver share photos --peers anna,bob");
  command.action((folder: string, flags: ShareFlags) => share(folder, flags, json));
}

interface ShareFlags extends OutputFlags, TuningFlags, LimitFlag {
  name?: string;
  peers?: string;
  listen?: string;
}

async function share(folder: string, flags: ShareFlags, json: JsonOutput): Promise<void> {
  if (flags.peers === undefined) throw nobody;
  const output = await openOutput(flags, json);
  const { listen, limit, name } = flags;
  const peer = await Peer.open({ listen, limit, tuning: tuningOf(flags), logger: output.logger });
  const interrupted = Promise.withResolvers<void>();
  const unwatch = watchInterrupts({ politely: interrupted.resolve });
  const shown = new Set<Promise<void>>();
  try {
    const shared = await peer.share(folder, {
      name,
      peers: flags.peers.split(","),
      onTransfer(transfer) {
        const showing = show(transfer, peer, output).finally(() => shown.delete(showing));
        shown.add(showing);
      },
    });
    await tell(peer, shared.name, output);
    await interrupted.promise;
    await shared.close();
    await Promise.all(shown);
    throw new TransferError("CANCELLED", `ended: ${shared.name} is shared no more`);
  } finally {
    unwatch();
    output.display.close();
    await peer.close();
  }
}

/** Says where the share is, and what to type to read it. */
async function tell(peer: Peer, name: string, { display, json }: Output): Promise<void> {
  const where = { peerId: peer.peerId, addresses: peer.reachableAddresses };
  await json?.write({ type: "listening", transferId: "", ...where });
  const commands = [`quiver list ${ownName()}`, `quiver get ${ownName()}:${shellWord(name)}`];
  for (const line of introduction(where, commands)) display.print(line);
  display.status(waiting);
}

/** Shows one transfer to its end; its failure is the reader's, and the share goes on. */
async function show(transfer: Transfer, peer: Peer, { display, json }: Output): Promise<void> {
  let reader = "";
  for await (const event of transfer) {
    await json?.write(event);
    if (event.type === "connected") {
      reader = peer.peers.find(event.peerId)?.name ?? event.peerId.slice(0, 16);
    }
    const line = lineOf(event, displayText(reader));
    if (line !== null) display.print(line);
  }
  display.status(waiting);
}

function lineOf(event: TransferEvent, reader: string): string | null {
  if (event.type === "offer") {
    const names = event.items.slice(0, mostNames).map(({ name }) => displayText(name, 60));
    const more = event.items.length > mostNames ? ", …" : "";
    const size = `${formatCount(event.files, "file")}, ${formatBytes(event.bytes)}`;
    return `${reader} asks for ${names.join(", ")}${more} (${size})`;
  }
  if (event.type === "receipt") {
    const mark = styleText("green", "✔", { stream: process.stderr });
    return `${mark} ${reader}: ${receiptSummary("sent", event)}`;
  }
  return event.type === "error" ? `not sent to ${reader}: ${event.message}` : null;
}

/** A word as a shell takes it. */
function shellWord(text: string): string {
  const shown = displayText(text);
  return /^[\w.,-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", "'\\''")}'`;
}

const waiting = "waiting for readers (Ctrl-C ends)";
const mostNames = 5;

const nobody = new TransferError(
  "INVALID_ARGUMENT",
  "nobody may read it: name known peers with --peers anna,bob (quiver peers lists them)",
);
