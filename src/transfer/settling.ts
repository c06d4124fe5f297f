/** The end of a receiver's transfer: the sender must have its receipt before this side may go. */

import { type Clock, within } from "../clock.ts";
import type { Connection } from "../engine/engine.ts";
import { errorCodes, TransferError } from "../errors.ts";
import type { ControlMessage } from "../protocol/messages.ts";
import type { Mailbox } from "./mailbox.ts";
import { unexpected } from "./unexpected.ts";

/** Whether a sender has its receipt, did not take it in time, or may come back for it over another connection. */
export type Settling = "settled" | "silent" | "lost";

/** Waits for the sender's word that it has the receipt, or its end: a sender that has all it wants may say no more. */
export async function settle(
  { connection }: { connection: Pick<Connection, "closed"> },
  clock: Clock,
  word: Promise<unknown>,
): Promise<Settling> {
  const failure: unknown = await within(clock, settleMs, word, () => silent).catch(
    (error) => error,
  );
  if (failure === silent) return "silent";
  const isLost = failure instanceof TransferError && failure.code === "CONNECTION_LOST";
  if (!isLost) return "settled";
  const { by, code } = await connection.closed();
  const hasLeft = by === "peer" && code !== errorCodes.CONNECTION_LOST.wire;
  return hasLeft ? "settled" : "lost";
}

/** Hears that the sender has its receipt of what came without lanes; that it has sent all may be said before. */
export async function hearSettled(mailbox: Mailbox<ControlMessage>): Promise<void> {
  for (;;) {
    const message = await mailbox.next();
    if (message.type === "settled") return;
    if (message.type !== "done") throw unexpected(message.type);
  }
}

const silent = new TransferError("PEER_UNREACHABLE", "the sender did not take its receipt");
/** How long a receiver waits for the sender to have its receipt. */
const settleMs = 5000;
