/** Names what a disk has failed at, where the system only knows a handle. */

import { type ErrorCode, TransferError } from "../errors.ts";

/** The result of `work`; a failure of the disk says that it was at `what`. */
export async function naming<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isDiskFailure(error)) throw error;
    const text = error.message.replace(/^\.: /, "");
    throw new TransferError(error.code, `${what}: ${text}`, { cause: error });
  }
}

/** Whether something is a failure of this side's disk. */
export function isDiskFailure(error: unknown): error is TransferError {
  return error instanceof TransferError && isDiskCode(error.code);
}

/** Whether it is one that fails a file and not all that follow, as a full disk does. */
export function isOfOneFile(error: unknown): error is TransferError {
  return isDiskFailure(error) && error.code !== "DISK_FULL";
}

/** Whether a code tells of a disk, this side's or the peer's. */
export function isDiskCode(code: ErrorCode): boolean {
  return code.startsWith("DISK_");
}
