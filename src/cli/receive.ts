/** `quiver receive`: shows what a ticket or a known peer offers, asks, and brings it here. */

import type { Command } from "commander";
import {
  type Peer,
  type ReceiveOptions,
  requireTicket,
  type Transfer,
  TransferError,
} from "../index.ts";
import { addReceiveFlags, bring, openReceiver, type ReceiveFlags, requireUsable } from "./bring.ts";
import { withPeer } from "./farewell.ts";
import type { JsonOutput } from "./json-output.ts";
import { type Output, openOutput } from "./output.ts";
import { preflightText } from "./preflight-text.ts";
import { readTicket } from "./ticket-text.ts";

/** Adds the command to a program. */
export function addReceiveCommand(program: Command, json: JsonOutput): void {
  const command = program
    .command("receive")
    .description("receive what a ticket offers, or the next offer of a known peer")
    .argument("[ticket]", "the ticket; - reads it from standard input (default: QUIVER_TICKET)")
    .option("--from <peers>", "wait for an offer of known peers: NAME,NAME; no ticket is needed")
    .option("--listen <addr:port>", "address to wait on; port 0 takes a free one");
  command.addOption(
    command
      .createOption("--dry-run", "only report what would happen; the ticket stays good")
      .conflicts("from"),
  );
  addReceiveFlags(command);
  const examples = "quiver receive TICKET --into downloads\n  quiver receive --from anna";
  command.addHelpText("after", `\nExample:\n  ${examples}`);
  command.action((ticket: string | undefined, flags: ReceiveCommandFlags) => {
    return receive(ticket, flags, json);
  });
}

interface ReceiveCommandFlags extends ReceiveFlags {
  from?: string;
  listen?: string;
  dryRun?: true;
}

async function receive(
  argument: string | undefined,
  flags: ReceiveCommandFlags,
  json: JsonOutput,
): Promise<void> {
  const origin = await originOf(argument, flags);
  if (!flags.dryRun) requireUsable(flags);
  const output = await openOutput(flags, json);
  const peer = await openReceiver(flags, output, flags.listen);
  await withPeer(peer, async () => {
    if ("ticket" in origin) output.display.status("connecting to the sender");
    if ("ticket" in origin && flags.dryRun) return await report(peer, origin.ticket, flags, output);
    await bring({ begin: (options) => begin(peer, origin, options), flags, output });
  });
}

/** Who sends. */
type Origin = { ticket: string } | { peers: string[] };

async function originOf(
  argument: string | undefined,
  { from, listen }: ReceiveCommandFlags,
): Promise<Origin> {
  if (from !== undefined) {
    if (argument !== undefined) throw twoSources;
    return { peers: from.split(",") };
  }
  if (listen !== undefined) throw listenAlone;
  const environment = process.env["QUIVER_TICKET"];
  const ticket = await readTicket({ argument, environment, input: process.stdin });
  requireTicket(ticket);
  return { ticket };
}

function begin(peer: Peer, origin: Origin, options: ReceiveOptions): Transfer {
  if ("ticket" in origin) return peer.receive(origin.ticket, options);
  return peer.receiveFrom(origin.peers, options);
}

/** Shows the pre-flight report on standard output: it is what was asked for. */
async function report(
  peer: Peer,
  ticket: string,
  { into, onConflict, only, exclude }: ReceiveFlags,
  { json, display }: Output,
): Promise<void> {
  const looking = peer.preflight(ticket, { into, onConflict, only, exclude });
  const found = await looking.finally(() => display.close());
  if (json) await json.write({ type: "preflight", ...found });
  else if (!display.isSilent) process.stdout.write(`${preflightText(found).join("\n")}\n`);
}

const twoSources = new TransferError(
  "INVALID_ARGUMENT",
  "a ticket and --from are two senders; leave out one of them",
);
const listenAlone = new TransferError(
  "INVALID_ARGUMENT",
  "--listen is for waiting; say with --from for whom",
);
