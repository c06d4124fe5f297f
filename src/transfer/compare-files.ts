/** The sender's half of a comparison by value: which pieces of a file the receiver has already. */

import { TransferError } from "../errors.ts";
import { valueBytes } from "../protocol/lane.ts";
import { maxItems } from "../protocol/limits.ts";
import { batches } from "./batches.ts";
import type { Channel } from "./channel.ts";
import { onesIn, provenRuns } from "./leftover.ts";
import type { ComparedFile } from "./outgoing-plan.ts";
import { changed, isUnchanged } from "./source.ts";
import type { SourceFiles } from "./source-files.ts";

/** What is compared, and who is told. */
export interface Compared {
  transfer: string;
  files: SourceFiles;
  compared: ReadonlyMap<number, ComparedFile>;
  channel: Channel;
  signal: AbortSignal;
}

/** Compares what the receiver asked for and tells it what is equal; returns that, one byte a piece. */
export async function sayEqual(about: Compared): Promise<Map<number, Uint8Array>> {
  const { transfer, files, compared, channel, signal } = about;
  const equal = new Map<number, Uint8Array>();
  for (const [entry, file] of compared) {
    signal.throwIfAborted();
    const same = await compareFile(files, entry, file);
    if (!same) continue;
    equal.set(entry, same);
    await files.leaveOut(entry, onesIn(same));
    for (const runs of batches(provenRuns(same), maxItems, () => wireRunBytes)) {
      await channel.say({ type: "equal", transfer, entry, runs });
    }
  }
  return equal;
}

/** Reads a file and says which pieces are equal, one byte a piece; null if it cannot be read. */
async function compareFile(
  files: SourceFiles,
  entry: number,
  { pieceBytes, pieces, runs }: ComparedFile,
): Promise<Uint8Array | null> {
  const offered = files.source.manifest.entry(entry);
  const fileBytes = offered.bytes;
  const equal = new Uint8Array(pieces);
  const most = Math.max(1, Math.floor(readBytes / pieceBytes));
  try {
    await files.borrow({ entry, offset: 0 }, async (file) => {
      for (const { first, end, values } of runs) {
        for (let at = first; at < end; at += most) {
          const offset = at * pieceBytes;
          const length = Math.min(Math.min(at + most, end) * pieceBytes, fileBytes) - offset;
          const found = await file.hashRun({ offset, length, pieceBytes, fileBytes });
          markEqual(equal, at, found, values.subarray((at - first) * valueBytes));
        }
      }
      if (!isUnchanged(await file.stat(), offered)) {
        throw changed(files.source.manifest.path(entry));
      }
    });
    return equal;
  } catch (error) {
    if (!(error instanceof TransferError)) throw error;
    files.fail(entry, error);
    return null;
  }
}

function markEqual(equal: Uint8Array, first: number, found: Uint8Array, told: Uint8Array): void {
  for (let at = 0; at < found.length; at += valueBytes) {
    const one = found.subarray(at, at + valueBytes);
    const isEqual = Buffer.compare(one, told.subarray(at, at + valueBytes)) === 0;
    if (isEqual) equal[first + at / valueBytes] = 1;
  }
}

/** Bytes that are read in one go. */
const readBytes = 16 * 1024 * 1024;

/** Of a run of pieces in CBOR, at most. */
const wireRunBytes = 32;
