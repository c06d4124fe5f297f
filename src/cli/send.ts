/** `quiver send`: offers files under a ticket and waits until someone has them. */

import type { Command } from "commander";
import {
  displayText,
  Peer,
  type ProfileName,
  type Sendable,
  type SendOptions,
  type SourceOptions,
  sourcePreflight,
  TransferError,
  type TransferEvent,
  ticketLifeMs,
} from "../index.ts";
import { addSourceChoiceFlags, type SourceChoiceFlags } from "./choice-flags.ts";
import { type Following, follow, showCommon } from "./follow.ts";
import { formatCount } from "./format.ts";
import type { JsonOutput } from "./json-output.ts";
import { addLimitFlag, type LimitFlag } from "./limit.ts";
import { addOutputFlags, type Output, type OutputFlags, openOutput } from "./output.ts";
import { sourcePreflightText } from "./preflight-text.ts";
import { requireComplete } from "./receipt-text.ts";
import { type ServedTicket, ServedTickets } from "./served-tickets.ts";
import { sendableOf } from "./standard-input.ts";
import { requireStandardOutput } from "./standard-output.ts";
import { readText } from "./text.ts";
import { ticketView } from "./ticket-text.ts";
import {
  addCompressFlag,
  addRetryFlag,
  addTuningFlags,
  type CompressFlag,
  positiveInteger,
  type RetryFlag,
  type TuningFlags,
  tuningOf,
} from "./tuning-flags.ts";

/** Adds the command to a program. */
export function addSendCommand(program: Command, json: JsonOutput): void {
  const command = program.command("send").description("send files and folders");
  command
    .argument("[path...]", "files and folders; - alone is standard input")
    .option("--as <name>", "what standard input is to be called there")
    .option("--text <text>", "show a text there, in place of files; - reads it from standard input")
    .option("--listen <addr:port>", "address to listen on; port 0 takes a free one")
    .addOption(
      command.createOption("--profile <name>", "how to plan").choices(["ultra", "standard"]),
    )
    .option("--lanes <n>", "lanes at most", positiveInteger)
    .option("--to <peer>", "send to a known peer: a name, or PEER-ID@ADDRESS; no ticket is made")
    .addOption(
      command
        .createOption("--keep", "serve the ticket again and again, until Ctrl-C")
        .conflicts("to"),
    )
    .option("--memory-map", "read the files through a memory mapping");
  addLimitFlag(command);
  addCompressFlag(command, "auto, none, lz4, zstd or zstd:LEVEL; auto measures what is quickest");
  command.option("--dry-run", "only report what would be sent; no network is used");
  addSourceChoiceFlags(command);
  addRetryFlag(command);
  addTuningFlags(command);
  addOutputFlags(command);
  const examples =
    "quiver send holiday-photos notes.txt\n  quiver send notes.txt --to anna\n" +
    "  tar c project | quiver send - --as project.tar";
  command.addHelpText("after", `\nExample:\n  ${examples}`);
  command.action((paths: string[], flags: SendFlags) => send(paths, flags, json));
}

interface SendFlags
  extends OutputFlags,
    TuningFlags,
    RetryFlag,
    LimitFlag,
    CompressFlag,
    SourceChoiceFlags {
  listen?: string;
  profile?: ProfileName;
  lanes?: number;
  keep?: true;
  dryRun?: true;
  memoryMap?: true;
  text?: string;
  as?: string;
  to?: string;
}

/** Sends to a known peer, which must run something that takes offers. */
async function push(
  sendable: Sendable,
  what: SourceOptions,
  to: string,
  { flags, output }: { flags: SendFlags; output: Output },
): Promise<void> {
  const { listen, limit, profile, lanes, compress, retryFor: retryForMs } = flags;
  const tuning = tuningOf(flags);
  const peer = await Peer.open({ listen, limit, tuning, logger: output.logger });
  try {
    const transfer = peer.send(sendable, { to, profile, lanes, compress, retryForMs, ...what });
    output.display.status(`connecting to ${displayText(to, 80)}`);
    requireComplete(await follow({ transfer, output, ...onceView(output, flags) }));
  } finally {
    await peer.close();
  }
}

async function send(paths: string[], flags: SendFlags, json: JsonOutput): Promise<void> {
  const sendable = sendableOf(paths, flags, process.stdin);
  const output = await openOutput(flags, json);
  const { exclude, gitignore } = flags;
  const text = flags.text === undefined ? undefined : await readText(flags.text, process.stdin);
  const what = { exclude, gitignore, text };
  if (flags.dryRun) return report(paths, what, output);
  if (flags.to !== undefined) return push(sendable, what, flags.to, { flags, output });
  // Of a text nothing stays on this side's disk, not even its hash, and a stream is served by no other run.
  const isOfFiles = text === undefined && flags.as === undefined;
  const served = isOfFiles ? new ServedTickets(paths, what) : null;
  const { peer, earlier } = await openPeer(flags, output, (await served?.find(Date.now())) ?? null);
  try {
    await peer.start();
    const expiresAtMs = earlier?.expiresAtMs ?? Date.now() + ticketLifeMs;
    const options: SendOptions = {
      profile: flags.profile,
      lanes: flags.lanes,
      compress: flags.compress,
      keep: flags.keep,
      ...what,
      retryForMs: flags.retryFor,
      ticket: earlier?.ticket,
      ticketLifeMs: expiresAtMs - Date.now(),
    };
    const transfer = peer.send(sendable, options);
    const { show, farewell } = (flags.keep ? servingView : onceView)(output, flags);
    const unshown = Promise.withResolvers<never>();
    const keep = (event: TransferEvent) => {
      if (event.type !== "ready") return;
      served?.keep({ ticket: event.ticket, listen: [...peer.addresses], expiresAtMs });
    };
    const showAndLook = (event: TransferEvent) => {
      show(event);
      // Nobody comes for a ticket that could not be shown.
      if (event.type === "ready") void requireStandardOutput().catch(unshown.reject);
    };
    const following = follow({ transfer, output, prepare: keep, show: showAndLook, farewell });
    requireComplete(await Promise.race([following, unshown.promise]));
    served?.forget();
  } finally {
    await peer.close();
  }
}

/** Shows what would be sent on standard output: it is what was asked for. */
async function report(paths: string[], options: SourceOptions, { json, display }: Output) {
  const found = await sourcePreflight(paths, options);
  if (json) await json.write({ type: "preflight", ...found });
  else if (!display.isSilent) process.stdout.write(`${sourcePreflightText(found).join("\n")}\n`);
}

/** Opens the peer where an earlier run of this command listened, if its ticket is still good. */
async function openPeer(
  flags: SendFlags,
  { logger }: Output,
  earlier: ServedTicket | null,
): Promise<{ peer: Peer; earlier: ServedTicket | null }> {
  const { listen, limit } = flags;
  const options = { listen, limit, tuning: tuningOf(flags), logger };
  if (!earlier || !isAmong(flags.listen, earlier.listen)) {
    return { peer: await Peer.open(options), earlier: null };
  }
  try {
    return { peer: await Peer.open({ ...options, listen: earlier.listen }), earlier };
  } catch (error) {
    // That run goes on, or another program has the port.
    const isTaken = error instanceof TransferError && error.code === "ADDRESS_IN_USE";
    if (!isTaken) throw error;
    return { peer: await Peer.open(options), earlier: null };
  }
}

/** Whether an address that was asked for is one of those; port 0 fits any port. */
function isAmong(asked: string | undefined, listen: readonly string[]): boolean {
  if (asked === undefined) return true;
  const host = asked.endsWith(":0") ? asked.slice(0, -1) : null;
  return listen.some((one) => one === asked || (host !== null && one.startsWith(host)));
}

/** How a transfer is shown, and what ends it. */
type View = Pick<Following, "show" | "farewell">;

function onceView(output: Output, { compress }: SendFlags): View {
  const isForced = compress !== "none" && compress !== "auto";
  return {
    show(event) {
      showCommon(event, "sent", output.display);
      if (event.type === "lanes" && event.compress === "none" && isForced) {
        output.display.print(
          `the receiver does not take ${compress}: the files are sent as they are`,
        );
      }
      if (event.type === "ready") showTicket(event.ticket, output);
      if (event.type === "offer" && event.excluded !== undefined) {
        output.display.print(`left out by pattern: ${formatCount(event.excluded, "thing")}`);
      }
    },
  };
}

/** Shows one receiver after the other: what ends with one does not end the serving. */
function servingView(output: Output, flags: SendFlags): View {
  const { display } = output;
  const once = onceView(output, flags);
  let served = 0;
  let isServing = false;
  return {
    show(event) {
      once.show(event);
      if (event.type === "connected") isServing = true;
      if (event.type === "error" && isServing)
        display.print(`not sent to this receiver: ${event.message}`);
      if (event.type === "receipt") served += 1;
      if (event.type !== "error" && event.type !== "receipt") return;
      isServing = false;
      display.status(waiting);
    },
    farewell() {
      if (isServing) return undefined;
      const receivers = formatCount(served, "receiver");
      return `cancelled: ${receivers} got everything, and the ticket is of no use any more`;
    },
  };
}

function showTicket(ticket: string, { json, display }: Output): void {
  if (!json) printTicket(ticket);
  display.status(waiting);
}

/** A ticket alone on a line is for programs; a terminal gets what a person can use. */
function printTicket(ticket: string): void {
  const { stdout } = process;
  stdout.write(stdout.isTTY ? `${ticketView(ticket, stdout)}\n` : `${ticket}\n`);
}

const waiting = "waiting for the receiver (Ctrl-C ends)";
