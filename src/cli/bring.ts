/** What every command that receives does once it knows from whom: asks, follows, and tells the end. */

import type { Command } from "commander";
import {
  type ConflictChoice,
  type OfferSummary,
  Peer,
  type PeerOptions,
  type ReceiveOptions,
  type Transfer,
  TransferError,
  type TransferEvent,
} from "../index.ts";
import { addEntryChoiceFlags, type EntryChoiceFlags } from "./choice-flags.ts";
import { follow, showCommon } from "./follow.ts";
import { introduction, ownName } from "./introduction.ts";
import { addLimitFlag, type LimitFlag } from "./limit.ts";
import { askAboutOffer } from "./offer-question.ts";
import { offerText } from "./offer-text.ts";
import { addOutputFlags, type Output, type OutputFlags } from "./output.ts";
import { ConflictQuestions, canAsk } from "./question.ts";
import { requireComplete } from "./receipt-text.ts";
import { openStandardOutput, type StandardOutput } from "./standard-output.ts";
import { showText } from "./text.ts";
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

/** The flags of every command that receives. */
export interface ReceiveFlags
  extends OutputFlags,
    TuningFlags,
    RetryFlag,
    LimitFlag,
    CompressFlag,
    EntryChoiceFlags {
  into: string;
  yes?: true;
  stdout?: true;
  onConflict: ConflictChoice | "ask";
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
}

/** Opens a peer that receives as the flags say. */
export function openReceiver(
  flags: ReceiveFlags,
  { logger }: Output,
  listen?: PeerOptions["listen"],
): Promise<Peer> {
  const { limit, compress } = flags;
  const options = { listen, limit, tuning: tuningOf(flags), codecs: codecsOf(compress), logger };
  return Peer.open(options);
}

/** One run of a command that receives, after everything is found and open. */
export interface Bringing {
  begin: (options: ReceiveOptions) => Transfer;
  flags: ReceiveFlags;
  output: Output;
}

/** Asks what there is to ask, follows the transfer, and fails for what did not come. */
export async function bring(bringing: Bringing): Promise<void> {
  if (!bringing.flags.stdout) return receive(bringing);
  // A folder of its own, from where the one file goes to standard output.
  const standard = await openStandardOutput(process.stdout);
  try {
    await receive(bringing, standard);
  } finally {
    await standard.remove();
  }
}

async function receive(
  { begin, flags, output }: Bringing,
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
  const transfer = begin({
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
  if (event.type === "listening") {
    const command = `quiver send PATH --to ${ownName()}`;
    for (const line of introduction(event, [command])) display.print(line);
    display.status("waiting for an offer (Ctrl-C ends)");
  }
  if (event.type !== "offer" || !flags.yes || event.text !== undefined) return;
  for (const line of offerText(event)) display.print(line);
}

/** Refuses before connecting what nobody could answer, or what must not reach a terminal. */
export function requireUsable({ into, yes, stdout, onConflict }: ReceiveFlags): void {
  if (into === "") throw noFolder;
  if (stdout && process.stdout.isTTY) throw isTerminal;
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

/** A variable that is not set must not mean the current folder. */
const noFolder = new TransferError(
  "INVALID_ARGUMENT",
  "--into is empty; name a folder, or write . for the current one",
);

/** What somebody else wrote must not act on a terminal. */
const isTerminal = new TransferError(
  "INVALID_ARGUMENT",
  "standard output is a terminal; send the file on to another program, or leave out --stdout",
);
