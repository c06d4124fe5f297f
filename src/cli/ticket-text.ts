/** A ticket on its way from one person to the other: shown by the sender, read by the receiver. */

import { createInterface } from "node:readline";
import { styleText } from "node:util";
import { renderUnicodeCompact } from "uqr";
import { TransferError } from "../index.ts";

/** A terminal that a ticket is shown on. */
export type TicketStream = NodeJS.WritableStream & { columns?: number };

/** What a terminal shows for a ticket: a QR code, if it is wide enough, and the command to type. */
export function ticketView(ticket: string, stream: TicketStream): string {
  // In capitals, which the library reads as well, the code is a quarter smaller.
  const rows = renderUnicodeCompact(ticket.toUpperCase(), { border: 2 }).split("\n");
  const fits = (rows[0]?.length ?? 0) <= (stream.columns ?? 80);
  // Dark on light whatever the terminal's own colours are: not every reader takes the inverse.
  const code = rows.map((row) => styleText(["bgBlack", "whiteBright"], row, { stream }));
  const command = styleText("bold", `quiver receive ${ticket}`, { stream });
  return `${fits ? `${code.join("\n")}\n\n` : ""}On the other machine:\n\n  ${command}\n`;
}

/** Where a receiver's ticket can come from. */
export interface TicketSources {
  /** The command's argument; `-` stands for standard input. */
  argument: string | undefined;
  /** The value of QUIVER_TICKET. */
  environment: string | undefined;
  input: NodeJS.ReadableStream;
}

/** The ticket that a person gave, in whichever way; whether it is a good one is not looked at. */
export async function readTicket({ argument, environment, input }: TicketSources): Promise<string> {
  const ticket = argument === "-" ? await firstLine(input) : (argument ?? environment ?? "").trim();
  if (ticket !== "") return ticket;
  throw new TransferError(
    "INVALID_ARGUMENT",
    argument === "-"
      ? "standard input holds no ticket; pipe in the line that quiver send printed"
      : "there is no ticket; give the one that quiver send printed, or set QUIVER_TICKET",
  );
}

async function firstLine(input: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input })) {
    if (line.trim() !== "") return line.trim();
  }
  return "";
}
