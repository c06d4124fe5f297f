/** `quiver receive`: shows what a ticket offers, asks, and brings it here. */

import type { Command } from "commander";
import {
  type ConflictChoice,
  type OfferSummary,
  Peer,
  TransferError,
  type TransferEvent,
} from "../index.ts";
import { addEntryChoiceFlags, type EntryChoiceFlags } from "./choice-flags.ts";
import { follow, showCommon } from "./follow.ts";
import type { JsonOutput } from "./json-output.ts";
import { addLimitFlag, type LimitFlag } from "./limit.ts";
import { askAboutOffer } from "./offer-question.ts";
import { offerText } from "./offer-text.ts";
import { addOutputFlags, type Output, type OutputFlags, openOutput } from "./output.ts";
import { preflightText } from "./preflight-text.ts";
import { ConflictQuestions, canAsk } from "./question.ts";
import { requireComplete } from "./receipt-text.ts";
import { openStandardOutput, type StandardOutput } from "./standard-output.ts";
import { showText } from "./text.ts";
import { readTicket } from "./ticket-text.ts";
import {
  addCompressFlag,
  addRetryFlag,
  addTuningFlags,
  type CompressFlag,
  codecsOf,
  type RetryFlag,
  type TuningFlags,
  tuningOf,
} from "./tuning-flags.ts";

/** Adds the command to a program. */
export function addReceiveCommand(program: Command, json: JsonOutput): void {
  const command = program.command("receive").description("receive what a ticket offers");
  command
    .argument("[ticket]", "the ticket; - reads it from standard input (default: QUIVER_TICKET)")
    .option("--into <dir>", "folder for the files, made if it is not there", ".")
    .option("--yes", "accept without asking")
    .option("--dry-run", "only report what would happen; the ticket stays good")
    .addOption(
      command
        .createOption("--on-conflict <choice>", "what to do where a name is taken")
        .choices(["rename", "skip", "overwrite", "ask"])
        .default("rename"),
    );
  addLimitFlag(command);
  addCompressFlag(command, "what the sender may use: auto for all, none, lz4 or zstd");
  command.addOption(
    command
      .createOption(
        "--stdout",
        "write one file to standard output, in order, each piece once it is proven; " +
          "it lies in the system's temporary folder meanwhile",
      )
      .conflicts(["json", "dryRun", "into", "onConflict"]),
  );
  addEntryChoiceFlags(command);
  addRetryFlag(command);
  addTuningFlags(command);
  addOutputFlags(command);
  command.addHelpText("after", "\nExample:\n  quiver receive TICKET --into downloads");
  command.action((ticket: string | undefined, flags: ReceiveFlags) => {
    return receive(ticket, flags, json);
  });
}

interface ReceiveFlags
  extends OutputFlags,
    TuningFlags,
    RetryFlag,
    LimitFlag,
    CompressFlag,
    EntryChoiceFlags {
  into: string;
  yes?: true;
  dryRun?: true;
  stdout?: true;
  onConflict: ConflictChoice | "ask";
}

async function receive(
  argument: string | undefined,
  flags: ReceiveFlags,
  json: JsonOutput,
): Promise<void> {
  requireSomeoneToAsk(flags);
  if (flags.stdout && process.stdout.isTTY) throw isTerminal;
  const environment = process.env["QUIVER_TICKET"];
  const ticket = await readTicket({ argument, environment, input: process.stdin });
  const output = await openOutput(flags, json);
  const { limit } = flags;
  const tuning = tuningOf(flags);
  const codecs = codecsOf(flags.compress);
  const peer = await Peer.open({ limit, tuning, codecs, logger: output.logger });
  try {
    const run = { peer, ticket, flags, output };
    await (flags.dryRun ? report(run) : flags.stdout ? pour(run) : bring(run));
  } finally {
    await peer.close();
  }
}

/** One run of the command, after everything is found and open. */
interface Run {
  peer: Peer;
  ticket: string;
  flags: ReceiveFlags;
  output: Output;
}

/** Shows the pre-flight report on standard output: it is what was asked for. */
async function report({ peer, ticket, flags, output }: Run): Promise<void> {
  const { json, display } = output;
  const { into, onConflict, only, exclude } = flags;
  display.status("connecting to the sender");
  const looking = peer.preflight(ticket, { into, onConflict, only, exclude });
  const found = await looking.finally(() => display.close());
  if (json) await json.write({ type: "preflight", ...found });
  else if (!display.isSilent) process.stdout.write(`${preflightText(found).join("\n")}\n`);
}

/** Receives one file into a folder of its own, from where it goes to standard output. */
async function pour(run: Run): Promise<void> {
  const standard = await openStandardOutput(process.stdout);
  try {
    await bring(run, standard);
  } finally {
    await standard.remove();
  }
}

async function bring(
  { peer, ticket, flags, output }: Run,
  standard?: StandardOutput,
): Promise<void> {
  const { display } = output;
  const ended = new AbortController();
  const conflicts = new ConflictQuestions({
    display,
    signal: ended.signal,
    // In a question Ctrl-C is a key; here it becomes the signal that it is everywhere else.
    onCancel: () => process.emit("SIGINT"),
  });
  let isDeclined = false;
  const transfer = peer.receive(ticket, {
    into: standard?.into ?? flags.into,
    output: standard?.output,
    only: flags.only,
    exclude: flags.exclude,
    retryForMs: flags.retryFor,
    onConflict: flags.onConflict === "ask" ? (one) => conflicts.choose(one) : flags.onConflict,
    async accept(offer) {
      if (offer.text !== undefined) {
        // It is shown before the sender hears that it was.
        if (!output.json) await display.ask(() => showText(offer.text ?? "", process.stdout));
        return true;
      }
      if (flags.yes) return true;
      const answer = await askToAccept(offer, output, ended.signal);
      isDeclined = answer === false && !ended.signal.aborted;
      return answer;
    },
  });
  transfer.done.catch(() => ended.abort());
  display.status("connecting to the sender");
  try {
    const show = (event: TransferEvent) => {
      // Where it lay meanwhile is nobody's business.
      const isPoured = standard && event.type === "receipt";
      showEvent(isPoured ? { ...event, into: undefined } : event, flags, output);
    };
    const farewell = () => (standard ? "cancelled: the output is cut short" : undefined);
    requireComplete(await follow({ transfer, output, show, farewell }));
  } catch (error) {
    if (!isDeclined) throw error;
    throw new TransferError("CANCELLED", "declined: nothing was received", { cause: error });
  }
}

/** Asks for a yes, a no, or which of several things. */
function askToAccept(offer: OfferSummary, { display }: Output, signal: AbortSignal) {
  return display.ask(() => {
    process.stderr.write(`${offerText(offer).join("\n")}\n\n`);
    return askAboutOffer(offer, signal);
  });
}

function showEvent(event: TransferEvent, flags: ReceiveFlags, { display }: Output): void {
  showCommon(event, "received", display);
  if (event.type !== "offer" || !flags.yes || event.text !== undefined) return;
  for (const line of offerText(event)) display.print(line);
}

/** What somebody else wrote must not act on a terminal. */
const isTerminal = new TransferError(
  "INVALID_ARGUMENT",
  "standard output is a terminal; send the file on to another program, or leave out --stdout",
);

/** Refuses before connecting what would need an answer that nobody can give. */
function requireSomeoneToAsk({ yes, dryRun, onConflict }: ReceiveFlags): void {
  if (dryRun || canAsk()) return;
  if (!yes) {
    throw new TransferError(
      "INVALID_ARGUMENT",
      "there is no terminal to ask on; add --yes to accept what the ticket offers",
    );
  }
  if (onConflict === "ask") {
    throw new TransferError(
      "INVALID_ARGUMENT",
      "there is no terminal to ask on; use --on-conflict rename, skip or overwrite",
    );
  }
}
