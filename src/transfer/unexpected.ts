/** The failure of a peer that says something at the wrong time. */

import { TransferError } from "../errors.ts";

/** `INVALID_FRAME`: the message is well formed and means nothing here. */
export function unexpected(what: string): TransferError {
  return new TransferError(
    "INVALID_FRAME",
    `the peer sent "${what}" where it means nothing; are both sides of one version?`,
  );
}
