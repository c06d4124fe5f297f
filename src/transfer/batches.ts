/** Cuts lists into messages that fit a frame, however long the paths and reasons in them are. */

import { maxFrameBytes } from "../protocol/limits.ts";

/** Yields the items in order, at most `most` and half a frame at a time. */
export function* batches<T>(
  items: Iterable<T>,
  most: number,
  bytesOf: (item: T) => number,
): Generator<T[]> {
  let batch: T[] = [];
  let bytes = 0;
  for (const item of items) {
    const itemBytes = bytesOf(item);
    if (batch.length === most || (batch.length > 0 && bytes + itemBytes > maxFrameBytes / 2)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += itemBytes;
  }
  if (batch.length > 0) yield batch;
}

/** The most that a name and a text for people take in CBOR, with small fields around them. */
export function textBytes(name: string, reason: string): number {
  return 3 * (name.length + reason.length) + 64;
}
