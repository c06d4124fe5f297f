/** Writes a received file to standard output, and keeps it out of the person's folders meanwhile. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ByteWriter, type ErrorCode, TransferError } from "../index.ts";
import { standardStreamsWritten } from "./standard-streams.ts";

/** A private folder for the time of a transfer, and who takes the bytes. */
export interface StandardOutput {
  into: string;
  output: ByteWriter;
  remove: () => Promise<void>;
}

/** Makes the folder in the system's folder for temporary files, which TMPDIR chooses. */
export async function openStandardOutput(stream: NodeJS.WritableStream): Promise<StandardOutput> {
  const into = await mkdtemp(join(tmpdir(), "quiver-"));
  return {
    into,
    output: (bytes) => write(stream, bytes),
    remove: () => rm(into, { recursive: true, force: true }),
  };
}

/** Resolves when the stream has handed the bytes to the system. */
function write(stream: NodeJS.WritableStream, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(bytes, (error) => {
      if (error) reject(outputFailure(error));
      else resolve();
    });
  });
}

/** Waits until standard output has taken all that was written. `DISK_FULL` or `DISK_FAILED` if it could not. */
export async function requireStandardOutput(): Promise<void> {
  const error = await standardStreamsWritten();
  if (error) throw outputFailure(error);
}

/** Why standard output did not take everything. */
function outputFailure(cause: NodeJS.ErrnoException): TransferError {
  const failed = (code: ErrorCode, why: string) =>
    new TransferError(code, `${why}; not all of standard output was written`, { cause });
  if (cause.code === "EPIPE") return failed("DISK_FAILED", "its reader went away");
  if (cause.code === "ENOSPC" || cause.code === "EDQUOT")
    return failed("DISK_FULL", "no space left");
  return failed("DISK_FAILED", cause.message);
}
