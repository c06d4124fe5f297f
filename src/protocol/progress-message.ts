/** The one message of a progress stream. */

import { byteCount, entryNumber, fieldsOf, integer, list, tuple } from "./fields.ts";
import { decodeFrameBody, encodeFrame } from "./frame.ts";
import { maxEntries, maxLanes } from "./limits.ts";

/** What one side of a transfer has done, in milliseconds. */
export interface SideTimes {
  /** That have passed. */
  elapsedMs: number;
  /** Of its lanes, one added to the other: in calls of the file system; */
  diskMs: number;
  /** at limits; */
  limitMs: number;
  /** waiting for the connection, to take bytes or to bring them; */
  streamMs: number;
  /** and at all else while there was something to do. */
  workMs: number;
  /** That the busiest of its threads was not waiting. */
  busyMs: number;
}

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
  /** How it has spent its time since it accepted the offer; older peers do not say. */
  times?: SideTimes;
}

/** A progress message as a frame. */
export function encodeProgress(message: ProgressMessage): Uint8Array {
  const { times, ...fields } = message;
  return encodeFrame(times ? { ...fields, times: timeFields.map((name) => times[name]) } : fields);
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
    ...("times" in fields ? { times: timesOf(fields["times"]) } : {}),
  };
}

function timesOf(value: unknown): SideTimes {
  const times = tuple(value, "times", timeFields.length);
  const [elapsedMs = 0, diskMs = 0, limitMs = 0, streamMs = 0, workMs = 0, busyMs = 0] = times
    .slice(0, timeFields.length)
    .map((ms) => integer(ms, "time", 0, Number.MAX_SAFE_INTEGER));
  return { elapsedMs, diskMs, limitMs, streamMs, workMs, busyMs };
}

/** In the order of the wire. */
const timeFields = ["elapsedMs", "diskMs", "limitMs", "streamMs", "workMs", "busyMs"] as const;
