/** Brings to disk what has come with its offer. */

import type { Engine } from "../engine/engine.ts";
import type { SizeTable } from "../options.ts";
import { valueBytes } from "../protocol/lane.ts";
import type { Manifest } from "../protocol/manifest.ts";
import type { OfferContent } from "../protocol/messages.ts";
import { isOfOneFile } from "./disk-failure.ts";
import { bytesFor } from "./plan.ts";
import type { Reception } from "./reception.ts";
import { hashOf } from "./whole-hash.ts";

/** What has come, and for what. */
export interface ContentArrival {
  reception: Reception;
  engine: Engine;
  manifest: Manifest;
  pieceTable: SizeTable;
  content: OfferContent;
}

/**
 * Whether a reception can go on with it: if it is what its hash says, and no pieces of another try, or of another
 * version, are to be kept.
 */
export async function canTakeContent(
  engine: Engine,
  { arrivals, comparison, stream }: Reception,
  { bytes, hash }: OfferContent,
): Promise<boolean> {
  const isFresh = !stream && arrivals.current(1).length === 0 && comparison.isEmpty;
  return isFresh && Buffer.compare(await hashOf(engine, bytes), hash) === 0;
}

/** Writes all files that are missing. What the disk refuses fails one file; `DISK_FULL` is thrown. */
export async function takeContent(arrival: ContentArrival): Promise<void> {
  const { reception, manifest, content } = arrival;
  const { arrivals, journal, lanes } = reception;
  let at = 0;
  let provenBytes = 0;
  for (const [entry, { kind, bytes }] of manifest) {
    if (kind !== "file") continue;
    const part = content.bytes.subarray(at, at + bytes);
    at += bytes;
    if (!arrivals.isComing(entry) || arrivals.failures.has(entry)) continue;
    await journal.room();
    try {
      await takeFile(arrival, entry, part);
      provenBytes += bytes;
    } catch (error) {
      if (!isOfOneFile(error)) throw error;
      arrivals.fail(entry, { code: error.code, reason: error.message });
    }
  }
  lanes.cameBefore({ wireBytes: content.bytes.length, provenBytes });
}

async function takeFile(
  { reception, engine, pieceTable }: ContentArrival,
  entry: number,
  bytes: Uint8Array,
): Promise<void> {
  const { arrivals } = reception;
  const claim = arrivals.claim(entry, 0, bytes.length, bytesFor(pieceTable, bytes.length));
  const held = engine.holdBytes(bytes, 0);
  try {
    const partial = await claim.partial;
    await partial.copyFrom(held, claim.run);
    const values = await held.hashRun(claim.run);
    const absentFrom = values.length / valueBytes;
    await arrivals.settle(claim, claim.run, { values, bad: [], absentFrom, failure: null });
  } finally {
    await held.close();
  }
}
