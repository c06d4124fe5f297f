/** The sender's end of a receipt: what the receiver says, held against what was sent. */

import { TransferError } from "../errors.ts";
import { valueBytes } from "../protocol/lane.ts";
import type { Manifest } from "../protocol/manifest.ts";
import type { ArrivedRun, FileResult } from "../protocol/messages.ts";
import { isNotAsOffered, type Receipt, type ReceiptFile, type SkippedThing } from "./events.ts";
import { HashColumn } from "./hash-column.ts";
import { MadeFiles, receiptFile } from "./receipt-files.ts";
import type { SourceFiles } from "./source-files.ts";

/** What became of an entry, but for its hash. */
type Outcome = Omit<FileResult, "entry" | "hash">;

/**
 * Gathers the results of a transfer.
 *
 * Most say that a file arrived as it was sent, at its own name or with all of a folder under another
 * one: of a million of those nothing is kept.
 */
export class ReceiptReader {
  readonly #manifest: Manifest;
  readonly #sent: Pick<SourceFiles, "hash">;
  readonly #isHeld: (entry: number) => boolean;
  /** Outcomes that say anything else. */
  readonly #outcomes = new Map<number, Outcome>();
  /** Hashes that this side has not made. */
  readonly #hashes = new HashColumn();
  /** The names of top-level entries that landed under another one. */
  readonly #names = new Map<number, string>();
  #lastOutcome = arrived;
  #lastRoot = -1;
  #lastEntry = -1;
  #settledFiles = 0;
  #count = 0;
  #bytes = 0;

  constructor(
    manifest: Manifest,
    sent: Pick<SourceFiles, "hash">,
    isHeld: (entry: number) => boolean,
  ) {
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
      this.#count += 1;
      this.#keep(result, this.#check(result));
    }
  }

  /** The same for files of which there is no more to say. */
  addArrived(runs: readonly ArrivedRun[]): void {
    for (const { first, hashes } of runs) {
      const hash = (at: number) => hashes.subarray(at * valueBytes, (at + 1) * valueBytes);
      const count = hashes.length / valueBytes;
      const results = Array.from({ length: count }, (_, at) => {
        return { ...arrived, entry: first + at, hash: hash(at) };
      });
      this.add(results);
    }
  }

  /** The receipt. `INVALID_FRAME` when it does not name every file. */
  finish(
    transferId: string,
    seconds: number,
    skipped: SkippedThing[],
  ): Omit<Receipt, "wireBytes" | "bounds"> {
    if (this.#settledFiles !== this.#manifest.totals.files) {
      throw new TransferError("INVALID_FRAME", "the peer's receipt does not name every file");
    }
    const files = new MadeFiles(this.#count, {
      all: () => this.#files(),
      notAsOffered: () => this.#filesNotAsOffered(),
    });
    return { transferId, files, bytes: this.#bytes, seconds, skipped };
  }

  /** What a result is worth. */
  #check({ entry, status, hash, savedAs, code, reason }: FileResult): Outcome {
    const outcome = { status, savedAs, code, reason };
    const sent = this.#sent.hash(entry);
    if (status !== "received") return outcome;
    if (sent && Buffer.compare(sent, hash) === 0) return outcome;
    // Of what the receiver had before, this side has read nothing: it is proven by its pieces.
    if (!sent && this.#isHeld(entry)) return outcome;
    return {
      ...outcome,
      status: "failed",
      code: "CONTENT_MISMATCH",
      reason: "the receiver's hash is not that of the file that was sent; send it again",
    };
  }

  #keep({ entry, hash }: FileResult, outcome: Outcome): void {
    const { kind, bytes } = this.#manifest.entry(entry);
    const isReceived = outcome.status === "received";
    if (kind === "file") this.#settledFiles += 1;
    if (isReceived) this.#bytes += bytes;
    const isMade = isReceived && this.#sent.hash(entry);
    if (!isMade && hash.length > 0) this.#hashes.set(entry, hash);
    if (kind !== "file" || !isSame(outcome, this.#expected(entry, outcome))) {
      if (!isSame(outcome, this.#lastOutcome)) this.#lastOutcome = outcome;
      this.#outcomes.set(entry, this.#lastOutcome);
    }
  }

  /** The outcome of which nothing need be kept; the first one of a top-level entry may name that. */
  #expected(entry: number, { status, savedAs }: Outcome): Outcome {
    const root = this.#manifest.root(entry);
    if (root !== this.#lastRoot && status === "received") {
      this.#lastRoot = root;
      const below = this.#below(root, entry);
      if (savedAs !== "" && savedAs.endsWith(below)) {
        this.#names.set(root, savedAs.slice(0, savedAs.length - below.length));
      }
    }
    return this.#usual(root, entry);
  }

  /** The outcome of an entry of which nothing is kept. */
  #usual(root: number, entry: number): Outcome {
    const name = this.#names.get(root);
    return name === undefined ? arrived : { ...arrived, savedAs: name + this.#below(root, entry) };
  }

  /** The path of an entry from its top-level entry's name on. */
  #below(root: number, entry: number): string {
    return this.#manifest.path(entry).slice(this.#manifest.entry(root).name.length);
  }

  *#files(): Generator<ReceiptFile> {
    for (const [entry, { kind }] of this.#manifest) {
      const kept = this.#outcomes.get(entry);
      if (!kept && kind !== "file") continue;
      yield this.#file(entry, kept ?? this.#usual(this.#manifest.root(entry), entry));
    }
  }

  *#filesNotAsOffered(): Generator<ReceiptFile> {
    if (this.#names.size === 0) {
      for (const [entry, outcome] of this.#outcomes) yield this.#file(entry, outcome);
      return;
    }
    for (const file of this.#files()) if (isNotAsOffered(file)) yield file;
  }

  #file(entry: number, outcome: Outcome): ReceiptFile {
    const sent = outcome.status === "received" ? this.#sent.hash(entry) : undefined;
    const hash = sent ?? this.#hashes.get(entry) ?? none;
    return receiptFile(this.#manifest, { entry, hash, ...outcome });
  }
}

function isSame(one: Outcome, other: Outcome): boolean {
  return (
    one.status === other.status &&
    one.savedAs === other.savedAs &&
    one.code === other.code &&
    one.reason === other.reason
  );
}

const none = new Uint8Array();
const arrived: Outcome = { status: "received", savedAs: "", code: null, reason: "" };
