/** The sender's end of a receipt: what the receiver says, held against what was sent. */

import { TransferError } from "../errors.ts";
import type { Manifest } from "../protocol/manifest.ts";
import type { FileResult } from "../protocol/messages.ts";
import type { Receipt, ReceiptFile, SkippedThing } from "./events.ts";
import type { SourceFiles } from "./source-files.ts";

/** Gathers the results of a transfer. */
export class ReceiptReader {
  readonly #manifest: Manifest;
  readonly #sent: SourceFiles;
  readonly #isHeld: (entry: number) => boolean;
  readonly #files: ReceiptFile[] = [];
  #lastEntry = -1;
  #settledFiles = 0;

  constructor(manifest: Manifest, sent: SourceFiles, isHeld: (entry: number) => boolean) {
    this.#manifest = manifest;
    this.#sent = sent;
    this.#isHeld = isHeld;
  }

  /** Adds results; they come in the manifest's order. `INVALID_FRAME` when they do not. */
  add(results: readonly FileResult[]): void {
    for (const result of results) {
      const { entry } = result;
      if (entry <= this.#lastEntry || entry >= this.#manifest.totals.entries) {
        throw new TransferError("INVALID_FRAME", "the peer's receipt is out of order");
      }
      this.#lastEntry = entry;
      if (this.#manifest.entry(entry).kind === "file") this.#settledFiles += 1;
      this.#files.push(this.#check(result));
    }
  }

  /** The receipt. `INVALID_FRAME` when it does not name every file. */
  finish(transferId: string, seconds: number, skipped: SkippedThing[]): Receipt {
    if (this.#settledFiles !== this.#manifest.totals.files) {
      throw new TransferError("INVALID_FRAME", "the peer's receipt does not name every file");
    }
    const received = this.#files.filter(({ status }) => status === "received");
    const bytes = received.reduce((sum, { size }) => sum + size, 0);
    return { transferId, files: this.#files, bytes, seconds, skipped };
  }

  #check(result: FileResult): ReceiptFile {
    const file = receiptFile(this.#manifest, result);
    const sent = this.#sent.hash(result.entry);
    if (result.status !== "received") return file;
    if (sent && Buffer.from(sent).equals(result.hash)) return file;
    // Of what the receiver had before, this side has read nothing: it is proven by its pieces.
    if (!sent && this.#isHeld(result.entry)) return file;
    return {
      ...file,
      status: "failed",
      code: "CONTENT_MISMATCH",
      reason: "the receiver's hash is not that of the file that was sent; send it again",
    };
  }
}

/** A result as people and programs see it. */
export function receiptFile(manifest: Manifest, result: FileResult): ReceiptFile {
  const { entry, status, hash, savedAs, code, reason } = result;
  const file: ReceiptFile = {
    path: manifest.path(entry),
    size: manifest.entry(entry).bytes,
    blake3: Buffer.from(hash).toString("hex"),
    status,
  };
  if (savedAs !== "") file.savedAs = savedAs;
  if (code !== null) file.code = code;
  if (reason !== "") file.reason = reason;
  return file;
}
