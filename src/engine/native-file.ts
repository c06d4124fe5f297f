/** Reads small files by their paths, for what is neither sent nor received: lists of patterns. */

import { constants, lstat, open } from "node:fs/promises";
import type { ErrorCode } from "../errors.ts";
import { TransferError } from "../errors.ts";
import { encodeName } from "../lossless-name.ts";

/** See `Engine.readFile`. */
export async function readSmallFile(path: string, mostBytes: number): Promise<Uint8Array> {
  const bytes = Buffer.from(encodeName(path));
  try {
    // Where the system cannot refuse a link by itself.
    if (!(await lstat(bytes)).isFile()) throw notOrdinary(path);
    // Something else may have come into its place: a link is refused, a FIFO is not waited for.
    const flags = constants.O_RDONLY | orNone("O_NOFOLLOW") | orNone("O_NONBLOCK");
    const file = await open(bytes, flags);
    try {
      const { size } = await file.stat();
      if (size > mostBytes) throw tooLarge(path, mostBytes);
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof TransferError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new TransferError(codeOf(error), message, { cause: error });
  }
}

/** A flag that Windows does not have. */
function orNone(flag: "O_NOFOLLOW" | "O_NONBLOCK"): number {
  return constants[flag] ?? 0;
}

function notOrdinary(path: string): TransferError {
  return new TransferError("DISK_FAILED", `${path} is not an ordinary file`);
}

function tooLarge(path: string, mostBytes: number): TransferError {
  return new TransferError("LIMIT_EXCEEDED", `${path} has more than ${mostBytes} bytes`);
}

function codeOf(error: unknown): ErrorCode {
  const code = error instanceof Error && "code" in error ? error.code : "";
  if (code === "ENOENT") return "DISK_MISSING";
  return code === "EACCES" || code === "EPERM" ? "DISK_DENIED" : "DISK_FAILED";
}
