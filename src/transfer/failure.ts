/** What each side is told of a failure of the other. */

import { displayText } from "../display-text.ts";
import type { CloseReason } from "../engine/engine.ts";
import { codeOfWire, TransferError } from "../errors.ts";
import type { WireFailure } from "../protocol/messages.ts";
import { isDiskCode } from "./disk-failure.ts";

/** A failure as it travels; `who` is this side, as the other one calls it. */
export function failureFor(error: unknown, who: string): WireFailure {
  if (!(error instanceof TransferError) || error.code === "CANCELLED") {
    return { code: "CANCELLED", reason: `${who} cancelled the transfer` };
  }
  const text = isDiskCode(error.code) ? `${who}: ${error.message}` : error.message;
  return { code: error.code, reason: text.slice(0, mostReason).toWellFormed() };
}

/** A failure that the peer told; its words are hostile and made harmless here, once. */
export function peerFailure({ code, reason }: WireFailure): TransferError {
  return new TransferError(code, displayText(reason, mostReason));
}

/** Why a connection ended, as a failure. */
export function closeFailure({ by, code, reason }: CloseReason): TransferError {
  if (by === "peer" && code !== 0) {
    const told = reason || "the other side ended the connection";
    return peerFailure({ code: codeOfWire(code), reason: told });
  }
  if (by === "lost") {
    return new TransferError(
      "CONNECTION_LOST",
      `the connection was lost (${reason}); run the same command again`,
    );
  }
  return new TransferError(
    "CONNECTION_LOST",
    "the connection was closed before the transfer was done",
  );
}

const mostReason = 500;
