/** What the peer is told of a failure of this side. */

import { TransferError } from "../errors.ts";
import type { WireFailure } from "../protocol/messages.ts";

/** A failure as it travels; `who` is this side, as the other one calls it. */
export function failureFor(error: unknown, who: string): WireFailure {
  if (!(error instanceof TransferError) || error.code === "CANCELLED") {
    return { code: "CANCELLED", reason: `${who} cancelled the transfer` };
  }
  const isDisk = error.code.startsWith("DISK_");
  const text = isDisk ? `${who}: ${error.message}` : error.message;
  return { code: error.code, reason: text.slice(0, mostReason).toWellFormed() };
}

const mostReason = 500;
