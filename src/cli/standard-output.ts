/** Writes a received file to standard output, and keeps it out of the person's folders meanwhile. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ByteWriter, TransferError } from "../index.ts";

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
      if (!error) return resolve();
      const message = "whoever reads standard output went away; not all was written";
      reject(new TransferError("DISK_FAILED", message, { cause: error }));
    });
  });
}
