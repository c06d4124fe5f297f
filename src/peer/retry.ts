/** Goes on after a lost connection: waits a little longer each time, and says so. */

import type { Clock } from "../clock.ts";
import { TransferError } from "../errors.ts";
import type { TransferRecord } from "../transfer/transfer.ts";

/** How long to go on, and who is told. */
export interface RetryOptions {
  clock: Clock;
  record: TransferRecord;
  /** How long after the loss the last try is made, in milliseconds; 0 for no try. */
  retryForMs: number;
  /** Whether the other side is reached already, so that the next try need not wait. */
  isReached?: () => boolean;
}

/** One try, which says when it has reached the other side. */
export type Attempt<T> = (reached: () => void) => Promise<T>;

/**
 * Tries until it succeeds, fails for another reason than the connection, or the time is over.
 *
 * Only a transfer that had reached the other side is tried again.
 */
export async function withRetries<T>(options: RetryOptions, attempt: Attempt<T>): Promise<T> {
  const { clock, record, retryForMs, isReached } = options;
  let hasBegun = false;
  let lostAtMs: number | null = null;
  let delayMs = firstDelayMs;
  for (;;) {
    try {
      return await attempt(() => {
        hasBegun = true;
        lostAtMs = null;
        delayMs = firstDelayMs;
      });
    } catch (error) {
      record.signal.throwIfAborted();
      if (!hasBegun || !isConnectionFailure(error)) throw error;
      lostAtMs ??= clock.now();
      const leftMs = lostAtMs + retryForMs - clock.now();
      if (leftMs <= 0) throw error;
      const retryMs = isReached?.() ? 0 : Math.min(delayMs, leftMs);
      const { id: transferId } = record;
      record.emit({ type: "waiting", transferId, reason: error.message, retryMs, leftMs });
      await clock.wait(retryMs, record.signal);
      delayMs = Math.min(2 * delayMs, longestDelayMs);
    }
  }
}

/** Whether a failure is of the connection, which may come back. */
export function isConnectionFailure(error: unknown): error is TransferError {
  if (!(error instanceof TransferError)) return false;
  return error.code === "CONNECTION_LOST" || error.code === "PEER_UNREACHABLE";
}

const firstDelayMs = 1000;
const longestDelayMs = 30_000;
