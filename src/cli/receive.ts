/** `quiver receive`: shows what a ticket offers, asks, and brings it here. */

import type { Command } from "commander";
import {
  type ConflictChoice,
  type OfferSummary,
  Peer,
  type ReceiveOptions,
  type Transfer,
  TransferError,
  type TransferEvent,
} from "../index.ts";
import { follow, showCommon } from "./follow.ts";
import { introduction, ownName } from "./introduction.ts";
import type { JsonOutput } from "./json-output.ts";
import { offerText } from "./offer-text.ts";
import { addOutputFlags, type Output, type OutputFlags, openOutput } from "./output.ts";
import { askYesOrNo, ConflictQuestions, canAsk } from "./question.ts";
import { requireComplete } from "./receipt-text.ts";
import { readTicket } from "./ticket-text.ts";
import {
  addRetryFlag,
  addTuningFlags,
  type RetryFlag,
  type TuningFlags,
  tuningOf,
} from "./tuning-flags.ts";

/** Adds the command to a program. */
export function addReceiveCommand(program: Command, json: JsonOutput): void {
  const command = program
    .command("receive")
    .description("receive what a ticket offers, or the next offer of a known peer")
    .argument("[ticket]", "the ticket; - reads it from standard input (default: QUIVER_TICKET)")
    .option("--from <peers>", "wait for an offer of known peers: NAME,NAME; no ticket is needed")
    .option("--listen <addr:port>", "address to wait on; port 0 takes a free one");
  addReceiveFlags(command);
  const examples = "quiver receive TICKET --into downloads\n  quiver receive --from anna";
  command.addHelpText("after", `\nExample:\n  ${examples}`);
  command.action((ticket: string | undefined, flags: ReceiveCommandFlags) => {
    return receive(ticket, flags, json);
  });
}

/** Adds the flags of every command that receives. */
export function addReceiveFlags(command: Command): void {
  command
    .option("--into <dir>", "folder for the files, made if it is not there", ".")
    .option("--yes", "accept without asking")
    .addOption(
      command
        .createOption("--on-conflict <choice>", "what to do where a name is taken")
        .choices(["rename", "skip", "overwrite", "ask"])
        .default("rename"),
    );
  addRetryFlag(command);
  addTuningFlags(command);
  addOutputFlags(command);
}

/** The flags of every command that receives. */
export interface ReceiveFlags extends OutputFlags, TuningFlags, RetryFlag {
  into: string;
  yes?: true;
  onConflict: ConflictChoice | "ask";
}

interface ReceiveCommandFlags extends ReceiveFlags {
  from?: string;
  listen?: string;
}

async function receive(
  argument: string | undefined,
  flags: ReceiveCommandFlags,
  json: JsonOutput,
): Promise<void> {
  requireSomeoneToAsk(flags);
  const begin = await beginning(argument, flags);
  const output = await openOutput(flags, json);
  const { listen } = flags;
  const peer = await Peer.open({ listen, tuning: tuningOf(flags), logger: output.logger });
  try {
    if (flags.from === undefined) output.display.status("connecting to the sender");
    await bring({ begin: (options) => begin(peer, options), flags, output });
  } finally {
    await peer.close();
  }
}

/** What begins the transfer: a ticket, or the wait for known peers. */
async function beginning(
  argument: string | undefined,
  { from, listen }: ReceiveCommandFlags,
): Promise<(peer: Peer, options: ReceiveOptions) => Transfer> {
  if (from !== undefined) {
    if (argument !== undefined) throw twoSources;
    const peers = from.split(",");
    return (peer, options) => peer.receiveFrom(peers, options);
  }
  if (listen !== undefined) throw listenAlone;
  const environment = process.env["QUIVER_TICKET"];
  const ticket = await readTicket({ argument, environment, input: process.stdin });
  return (peer, options) => peer.receive(ticket, options);
}

/** One run of a command that receives, after everything is found and open. */
export interface Bringing {
  begin: (options: ReceiveOptions) => Transfer;
  flags: ReceiveFlags;
  output: Output;
}

/** Asks what there is to ask, follows the transfer, and fails for what did not come. */
export async function bring({ begin, flags, output }: Bringing): Promise<void> {
  const { display } = output;
  const ended = new AbortController();
  const conflicts = new ConflictQuestions({
    display,
    signal: ended.signal,
    // In a question Ctrl-C is a key; here it becomes the signal that it is everywhere else.
    onCancel: () => process.emit("SIGINT"),
  });
  let isDeclined = false;
  const transfer = begin({
    into: flags.into,
    retryForMs: flags.retryFor,
    onConflict: flags.onConflict === "ask" ? (one) => conflicts.choose(one) : flags.onConflict,
    async accept(offer) {
      if (flags.yes) return true;
      const answer = await askToAccept(offer, output, ended.signal);
      isDeclined = answer !== true && !ended.signal.aborted;
      return answer === true;
    },
  });
  transfer.done.catch(() => ended.abort());
  try {
    const show = (event: TransferEvent) => showEvent(event, flags, output);
    requireComplete(await follow({ transfer, output, show }));
  } catch (error) {
    if (!isDeclined) throw error;
    throw new TransferError("CANCELLED", "declined: nothing was received", { cause: error });
  }
}

function askToAccept(offer: OfferSummary, { display }: Output, signal: AbortSignal) {
  return display.ask(() => {
    process.stderr.write(`${offerText(offer).join("\n")}\n\n`);
    return askYesOrNo("Receive this?", signal);
  });
}

function showEvent(event: TransferEvent, flags: ReceiveFlags, { display }: Output): void {
  showCommon(event, "received", display);
  if (event.type === "listening") {
    const command = `quiver send PATH --to ${ownName()}`;
    for (const line of introduction(event, [command])) display.print(line);
    display.status("waiting for an offer (Ctrl-C ends)");
  }
  if (event.type !== "offer" || !flags.yes) return;
  for (const line of offerText(event)) display.print(line);
}

/** Refuses before connecting what would need an answer that nobody can give. */
export function requireSomeoneToAsk({ yes, onConflict }: ReceiveFlags): void {
  if (canAsk()) return;
  if (!yes) {
    throw new TransferError(
      "INVALID_ARGUMENT",
      "there is no terminal to ask on; add --yes to accept what is offered",
    );
  }
  if (onConflict === "ask") {
    throw new TransferError(
      "INVALID_ARGUMENT",
      "there is no terminal to ask on; use --on-conflict rename, skip or overwrite",
    );
  }
}

const twoSources = new TransferError(
  "INVALID_ARGUMENT",
  "a ticket and --from are two senders; leave out one of them",
);
const listenAlone = new TransferError(
  "INVALID_ARGUMENT",
  "--listen is for waiting; say with --from for whom",
);
