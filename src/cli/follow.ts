/** Follows a transfer to its end, for programs and for people. */

import { styleText } from "node:util";
import {
  displayText,
  type Receipt,
  type Transfer,
  TransferError,
  type TransferEvent,
} from "../index.ts";
import type { Display } from "./display.ts";
import { formatBytes, formatDuration } from "./format.ts";
import { watchInterrupts } from "./interrupt.ts";
import type { Output } from "./output.ts";
import { hasSize, shareText } from "./progress-bar.ts";
import { receiptDetails, receiptSummary } from "./receipt-text.ts";

/** A transfer and who watches it. */
export interface Following {
  transfer: Transfer;
  output: Output;
  /** Does what has to be done before anyone sees an event. */
  prepare?: (event: TransferEvent) => void;
  /** Shows an event to people; programs have got it already. */
  show: (event: TransferEvent) => void;
  /** What to say at Ctrl-C in place of what remains of the transfer. */
  farewell?: () => string | undefined;
}

/**
 * Shows every event of a transfer and returns its receipt.
 *
 * Cancelling: Ctrl-C cancels the transfer; the error then says what remains.
 */
export async function follow(following: Following): Promise<Receipt> {
  const { transfer, output, prepare, show, farewell } = following;
  const { display, json } = output;
  let isInterrupted = false;
  const unwatch = watchInterrupts({
    politely() {
      isInterrupted = true;
      display.status("ending the transfer; Ctrl-C again ends at once");
      transfer.cancel();
    },
  });
  try {
    for await (const event of transfer) {
      prepare?.(event);
      await json?.write(event);
      if (!isInterrupted) show(event);
    }
    return await transfer.done;
  } catch (error) {
    if (!isCancellation(error)) throw error;
    const who = isInterrupted ? "cancelled" : "the other side cancelled";
    const message = farewell?.() ?? `${who}: ${whatRemains(transfer)}`;
    throw new TransferError("CANCELLED", message, { cause: error });
  } finally {
    unwatch();
    display.close();
  }
}

/** Shows what both sides tell in the same way; the commands add what is theirs. */
export function showCommon(event: TransferEvent, verb: "sent" | "received", display: Display) {
  if (event.type === "connected") {
    display.status(`connected to ${displayText(event.peerName, 60)} at ${event.address}`);
  }
  if (event.type === "resumed") {
    display.print(`going on where it was: ${formatBytes(event.bytes)} are here already`);
  }
  if (event.type === "waiting") display.status(waitingText(event, verb));
  if (event.type === "progress") display.progress(event);
  if (event.type === "receipt" && !display.isSilent) {
    const mark = styleText("green", "✔", { stream: process.stderr });
    display.print(`${mark} ${receiptSummary(verb, event)}`);
    for (const line of receiptDetails(event)) display.print(line);
  }
}

function waitingText(
  { reason, retryMs }: Extract<TransferEvent, { type: "waiting" }>,
  verb: "sent" | "received",
): string {
  const next =
    retryMs === null
      ? `waiting for the ${verb === "sent" ? "receiver" : "sender"}`
      : `trying again in ${formatDuration(retryMs / 1000)}`;
  return `${displayText(reason, 200)}; ${next} (Ctrl-C ends)`;
}

/** What a cancelled transfer has done, and what is left of it. */
function whatRemains(transfer: Pick<Transfer, "direction" | "progress">): string {
  const { bytes, total, transferId } = transfer.progress();
  const isSend = transfer.direction === "send";
  if (transferId === "") return `nothing was ${isSend ? "sent" : "received"}`;
  const verb = isSend ? "sent" : "received";
  // Of a stream nobody has the rest any more.
  if (!hasSize({ total }))
    return `${formatBytes(bytes)} were ${verb}; nothing of the stream is kept`;
  return `${shareText(bytes, total)} were ${verb}; the same command goes on where it was`;
}

function isCancellation(error: unknown): boolean {
  return error instanceof TransferError && error.code === "CANCELLED";
}
