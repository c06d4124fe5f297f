/** What a transfer tells while it runs: the same objects for the library, the command and `--json`. */

import type { ErrorCode } from "../errors.ts";
import type { Bound, BoundShare } from "../protocol/messages.ts";
import type { Compression } from "./compression.ts";
import type { Rate } from "./limit.ts";

/**
 * What holds a transfer: the disk or the processor of either side, a flow control window, the path's capacity,
 * what gets lost on it, a limit that somebody set, or a relay.
 */
export type { Bound, BoundShare };

/** How a transfer is planned; see `plan.ts`. */
export type ProfileName = "ultra" | "standard";

/** Which way the file bytes go, seen from this peer. */
export type Direction = "send" | "receive";

/** One of the things a person chose to send. */
export interface OfferedItem {
  /** Its name, as the sender wrote it: hostile, show it with `displayText`. */
  name: string;
  kind: "file" | "folder" | "link";
  /** Files in it; 1 for a file. */
  files: number;
  /** Bytes of all files in it. */
  bytes: number;
}

/** Something of the source that does not travel, and why. */
export interface SkippedThing {
  /** Path from the top-level item on, parts joined by `/`. */
  path: string;
  reason: string;
}

/** What an offer holds. */
export interface OfferContents {
  files: number;
  folders: number;
  links: number;
  bytes: number;
  /** The top-level items, at most 1,000 of them; those whose names start with a dot come first. */
  items: OfferedItem[];
  /** Top-level items whose names start with a dot: most programs do not show them. */
  hiddenItems: number;
  /** Top-level items beyond those listed. */
  moreItems: number;
}

/** What a sender wishes to send. */
export interface OfferSummary extends OfferContents {
  transferId: string;
  /** The sender's peer id. */
  peerId: string;
  /** The name that the sender gives itself: hostile. */
  peerName: string;
  /** Things that the sender's own choice left out, a folder as one; only on its side, if there are any. */
  excluded?: number;
  /** Folder below the receiver's inbox that the sender would like; `""` for the inbox itself. */
  targetDir: string;
  profile: ProfileName;
  /**
   * A text that is offered in place of files: hostile. Who accepts it says that it was shown.
   *
   * `""` where an offer is only looked at.
   */
  text?: string;
  /** Its one file is a stream: how many bytes it has is known at its end. */
  isStream?: true;
  /** What of it is wanted; only on the side of a receiver that chooses. */
  chosen?: { files: number; bytes: number };
}

/** How far a transfer is. */
export interface TransferProgress {
  transferId: string;
  /** Bytes proven: received, verified and written by the receiver. */
  bytes: number;
  /** Bytes of all files; of a stream `Infinity` before its end, which JSON says as `null`. */
  total: number;
  /** Files whose every byte is proven. */
  files: number;
  totalFiles: number;
  /** Bytes per second over the last seconds. */
  throughput: number;
  /** Milliseconds left at this rate; null while unknown. */
  etaMs: number | null;
  /** Lanes opened. */
  lanes: number;
  /** Bytes moved by each lane, in the order of the lanes. */
  laneBytes: number[];
  /** Bytes that the lanes of this connection have carried: fewer than of the files where pieces are compressed. */
  wireBytes: number;
  /** Round trip of the path, in milliseconds. */
  rttMs: number;
  state: TransferState;
  /** Bytes a second that it may move at most, the lower of both sides' limits; null for no limit. */
  limit: Rate;
  /** What held it over the last second; null where it starts, stands still, or nothing is plain. */
  boundBy: Bound | null;
}

/**
 * Whether a transfer moves. `paused` is by this side (and perhaps by the other too), `paused-by-peer` by the
 * other alone; `queued` waits until fewer others move between the two.
 */
export type TransferState = "moving" | "paused" | "paused-by-peer" | "queued";

/** The reason of a file in a receipt that was skipped because the receiver did not want it. */
export const notChosen = "the receiver did not choose it";

/** What became of one entry. */
export type FileStatus = "received" | "skipped" | "failed";

/** One file in a receipt. */
export interface ReceiptFile {
  /** Path as the sender offered it, parts joined by `/`: hostile on the receiver's side. */
  path: string;
  /** Where it landed below the target folder, if that differs from `path`. */
  savedAs?: string;
  /** Bytes. */
  size: number;
  /** BLAKE3 hash in hex, as `b3sum` prints it; `""` when it failed. */
  blake3: string;
  status: FileStatus;
  /** Why it failed or was skipped. */
  code?: ErrorCode;
  reason?: string;
}

/** The files of a receipt. Each is made when it is looked at; `[...files]` holds them all at once. */
export interface ReceiptFiles extends Iterable<ReceiptFile> {
  readonly length: number;
  /** Those that were not received, or landed under another name: mostly few, and found without a look at the others. */
  readonly notAsOffered: Iterable<ReceiptFile>;
}

/** Whether a file was not received, or landed under another name. */
export function isNotAsOffered({ status, savedAs }: ReceiptFile): boolean {
  return status !== "received" || savedAs !== undefined;
}

/** The receiver's signed-off result. */
export interface Receipt {
  transferId: string;
  /** Every file, in the manifest's order; and folders and links only where they failed. */
  files: ReceiptFiles;
  /** Bytes of the files that were received. */
  bytes: number;
  /** Bytes that the lanes of the last connection have carried for them. */
  wireBytes: number;
  /** From the acceptance of the offer to the last file on disk. */
  seconds: number;
  /**
   * What held it over the last connection, the longest first; together less than 1 where that was not plain.
   * Empty on the receiver's side where the sender does not say.
   */
  bounds: BoundShare[];
  /** Things of the source that did not travel (sockets, devices, links that lead out). */
  skipped: SkippedThing[];
  /** Characters (UTF-16) of a text that was sent in place of files. */
  characters?: number;
  /** The folder where the files landed, in the system's notation; only on the receiver's side. */
  into?: string;
}

/** Something that happened in a transfer. */
export type TransferEvent =
  | { type: "ready"; transferId: string; ticket: string }
  | {
      /** This side waits to be dialled, under its own peer id at these addresses, `ip:port`. */
      type: "listening";
      transferId: string;
      peerId: string;
      addresses: string[];
    }
  | { type: "connected"; transferId: string; peerId: string; peerName: string; address: string }
  | ({ type: "offer" } & OfferSummary)
  | {
      type: "lanes";
      transferId: string;
      profile: ProfileName;
      lanes: number;
      /** How pieces are compressed; `none` if the receiver does not read what was asked for. */
      compress: Compression;
      /** Jobs and their usual size in bytes. */
      ranges: number;
      rangeBytes: number;
    }
  | {
      /** What an earlier try has left is taken over: these bytes need not travel. */
      type: "resumed";
      transferId: string;
      bytes: number;
    }
  | ({ type: "progress" } & TransferProgress)
  | {
      /** The connection was lost; this side stays and tries again. */
      type: "waiting";
      transferId: string;
      reason: string;
      /** Milliseconds until the next try; null on a side that waits to be dialled. */
      retryMs: number | null;
      /** Milliseconds until it gives up. */
      leftMs: number;
    }
  | ({ type: "receipt" } & Receipt)
  | { type: "error"; transferId: string; code: ErrorCode; message: string };

/** What to do where a name is taken on the receiver's disk. */
export type ConflictChoice = "rename" | "skip" | "overwrite";

/** A name that is taken. */
export interface Conflict {
  /** Path below the target folder. */
  path: string;
  kind: "file" | "folder" | "link";
  /** Bytes offered and bytes there. */
  bytes: number;
  existingBytes: number;
}

/** Takes the lines that tell what happens; any logger with these methods will do (pino, console). */
export interface Logger {
  info(message: string): void;
  warn(message: string): void;
}
