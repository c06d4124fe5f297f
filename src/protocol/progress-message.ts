/** The one message of a progress stream. */

import { byteCount, entryNumber, fieldsOf, integer, list, tuple } from "./fields.ts";
import { decodeFrameBody, encodeFrame } from "./frame.ts";
import { maxEntries, maxLanes } from "./limits.ts";

/** What a receiver says on a progress stream. */
export interface ProgressMessage {
  /** Bytes proven. */
  bytes: number;
  /** Files whose every byte is proven. */
  files: number;
  /** Bytes taken from each lane, by its number. */
  lanes: number[];
  /** The files being received: entry and proven bytes. */
  current: [entry: number, bytes: number][];
}

/** A progress message as a frame. */
export function encodeProgress(message: ProgressMessage): Uint8Array {
  return encodeFrame(message);
}

/** The progress message of a frame's body. */
export function decodeProgress(body: Uint8Array): ProgressMessage {
  const fields = fieldsOf(decodeFrameBody(body), "progress");
  return {
    bytes: byteCount(fields["bytes"], "bytes"),
    files: integer(fields["files"], "files", 0, maxEntries),
    lanes: list(fields["lanes"], "lanes", maxLanes, (value) => byteCount(value, "lane")),
    current: list(fields["current"], "current", maxLanes, (value) => {
      const [entry, proven] = tuple(value, "current", 2);
      return [entryNumber(entry), byteCount(proven, "proven")];
    }),
  };
}
