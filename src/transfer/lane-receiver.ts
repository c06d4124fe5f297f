/** Reads one lane after another's header: runs and bundles into the files that are arriving. */

import type { Clock } from "../clock.ts";
import type {
  Folder,
  PartialFile,
  PieceRun,
  ReceivedRun,
  ReceiveStream,
  SpentTime,
} from "../engine/engine.ts";
import { TransferError } from "../errors.ts";
import { invalid } from "../protocol/fields.ts";
import {
  decodeBundleEntries,
  decodeUnitHeader,
  type LaneFormat,
  unitHeaderBytes,
} from "../protocol/lane.ts";
import { maxBundledFileBytes, maxRunPieces } from "../protocol/limits.ts";
import type { Manifest } from "../protocol/manifest.ts";
import type { Arrivals, Claim } from "./arrivals.ts";
import { discardRun, pieceOverheadBytes } from "./discard-run.ts";
import { isOfOneFile } from "./disk-failure.ts";

/** What a lane needs of its transfer. */
export interface LaneContext {
  clock: Clock;
  manifest: Manifest;
  arrivals: Arrivals;
  staging: Folder;
  pathOf: (entry: number) => string;
  /** Resolves when what arrives can be noted. */
  room: () => Promise<void>;
  /** Notes that pieces came, whatever they were worth: a wish for them is answered. */
  answered: (entry: number, offset: number) => void;
  /** Asks the sender for pieces once more. */
  want: (entry: number, offset: number, length: number) => Promise<void>;
}

/** One lane and how much it has brought. */
export class LaneReceiver {
  readonly #stream: ReceiveStream;
  readonly #format: LaneFormat;
  readonly #context: LaneContext;
  /** Pieces of the current run that the stream stands behind. */
  #passedPieces = 0;
  #settledBytes = 0;
  /** How long it has waited for what came before to be noted on disk. */
  #roomMs = 0;
  /** The step of a run that is arriving. */
  #current: { startedAt: number; bytes: number; pieceBytes: number } | null = null;

  constructor(stream: ReceiveStream, format: LaneFormat, context: LaneContext) {
    this.#stream = stream;
    this.#format = format;
    this.#context = context;
  }

  /** Bytes taken from the lane. */
  get wireBytes(): number {
    return this.#stream.receivedBytes;
  }

  /** Where its time went. */
  get spent(): SpentTime {
    const { spent } = this.#stream;
    return { ...spent, diskMs: spent.diskMs + this.#roomMs };
  }

  /** Bytes of whole pieces that this lane has brought and that are proven; of those that come encoded, at least. */
  get bytes(): number {
    if (!this.#current) return this.#settledBytes;
    const { startedAt, bytes, pieceBytes } = this.#current;
    const pieces = Math.floor(
      (this.#stream.receivedBytes - startedAt) / (pieceBytes + pieceOverheadBytes),
    );
    return this.#settledBytes + Math.min(bytes, Math.max(0, pieces) * pieceBytes);
  }

  /** Reads the lane to its end. */
  async run(): Promise<void> {
    for (;;) {
      await this.#waitForRoom();
      const bytes = await this.#stream.read(unitHeaderBytes(this.#format));
      if (bytes === null) return;
      const header = decodeUnitHeader(this.#format, bytes);
      if (header.kind === "bundle") await this.#takeBundle(header.files);
      else await this.#takeRun(header);
    }
  }

  async #waitForRoom(): Promise<void> {
    const { clock, room } = this.#context;
    const startedAtMs = clock.now();
    await room();
    this.#roomMs += clock.now() - startedAtMs;
  }

  async #takeRun(header: {
    entry: number;
    offset: number;
    length: number | null;
    pieceBytes: number;
  }): Promise<void> {
    const { arrivals, answered, want } = this.#context;
    const { entry, offset, length, pieceBytes } = header;
    if ((length ?? 0) > maxRunPieces * pieceBytes) throw invalid("a run of too many pieces");
    let again: { offset: number; length: number }[] = [];
    const claim = arrivals.claim(entry, offset, length, pieceBytes);
    const settledBefore = this.#settledBytes;
    this.#passedPieces = 0;
    try {
      again = await this.#receive(claim, await claim.partial);
    } catch (error) {
      // What this disk refuses fails one file; a full disk would fail all that follow.
      if (!isOfOneFile(error)) throw error;
      arrivals.fail(entry, { code: error.code, reason: error.message });
      this.#settledBytes = settledBefore;
      await discardRun(this.#stream, claim.run, this.#passedPieces);
    } finally {
      this.#current = null;
    }
    answered(entry, offset);
    for (const run of again) await want(entry, run.offset, run.length);
  }

  /** Receives a run in steps, so that the journal hears of each. Returns what must be sent again. */
  async #receive(
    claim: Claim,
    partial: PartialFile,
  ): Promise<{ offset: number; length: number }[]> {
    const { arrivals } = this.#context;
    const again: { offset: number; length: number }[] = [];
    for (const part of stepsOf(claim.run)) {
      const received = await this.#receiveStep(partial, part);
      again.push(...(await arrivals.settle(claim, part, received)));
      if (received.failure) throw received.failure;
      if (received.absentFrom * part.pieceBytes >= part.length) {
        this.#settle(part.length);
        continue;
      }
      // What does not come counts as done, too.
      this.#settle(claim.run.offset + claim.run.length - part.offset);
      arrivals.release(claim, part.offset + part.length);
      break;
    }
    return again;
  }

  async #receiveStep(partial: PartialFile, part: PieceRun): Promise<ReceivedRun> {
    const { length: bytes, pieceBytes } = part;
    this.#current = { startedAt: this.#stream.receivedBytes, bytes, pieceBytes };
    let passed = 1;
    try {
      const received = await this.#stream.receiveRun(partial, part);
      passed = received.absentFrom + (received.failure ? 1 : 0);
      return received;
    } finally {
      this.#passedPieces += passed;
    }
  }

  async #takeBundle(files: number): Promise<void> {
    const { manifest, arrivals, staging, pathOf, answered, want } = this.#context;
    const list = await this.#stream.read(4 * files);
    if (list === null) throw invalid("a bundle without files");
    const entries = decodeBundleEntries(list);
    arrivals.checkBundle(entries);
    const targets = entries.map((entry) => {
      const { bytes, mode, mtimeMs } = manifest.entry(entry);
      if (bytes > maxBundledFileBytes) throw invalid("a large file in a bundle");
      return { path: pathOf(entry), bytes, mode, mtimeMs };
    });
    const results = await this.#stream.receiveBundle(staging, targets);
    for (const [at, { status, hash, failure }] of results.entries()) {
      const entry = entries[at] ?? 0;
      const bytes = targets[at]?.bytes ?? 0;
      answered(entry, 0);
      if (status === "ok") arrivals.arrivedInBundle(entry, hash);
      else if (status === "bad") await want(entry, 0, bytes);
      else if (status === "failed") {
        const known = failure instanceof TransferError ? failure : null;
        if (known?.code === "DISK_FULL") throw known;
        const reason = failure?.message ?? "the file cannot be written";
        arrivals.fail(entry, { code: known?.code ?? "DISK_FAILED", reason });
      }
      this.#settle(status === "ok" ? bytes : 0);
    }
  }

  #settle(bytes: number): void {
    this.#current = null;
    this.#settledBytes += bytes;
  }
}

/** Cuts a run into runs of some pieces. */
function* stepsOf(run: PieceRun): Generator<PieceRun> {
  const { offset, length, pieceBytes } = run;
  const step = Math.max(pieceBytes, stepBytes);
  let done = 0;
  do {
    yield { ...run, offset: offset + done, length: Math.min(step, length - done) };
    done += step;
  } while (done < length);
}

/** Bytes after which a lane's pieces are noted. */
const stepBytes = 2 * 1024 * 1024;
