/** What goes in and comes out where many pieces move in one call. */

/** A small file, sent whole as one piece. */
export interface BundledSource {
  path: string;
  /** The size that was offered, at most 1 MiB. */
  bytes: number;
  /** The mtime that was offered, in milliseconds since 1970. */
  mtimeMs: number;
}

/** Where a small file goes. The file must not exist; its folder must. */
export interface BundledTarget {
  path: string;
  bytes: number;
  /** Permission bits; the process's umask applies. */
  mode: number;
  /** Milliseconds since 1970. */
  mtimeMs: number;
}

/** What encoding has taken in and given; pieces that are not to be encoded do not count. */
export interface EncodedBytes {
  /** Bytes of pieces. */
  rawBytes: number;
  /** Bytes sent for them. */
  sentBytes: number;
  /** Time that it took, in milliseconds of one thread. */
  encodeMs: number;
}

/** Where the time of a stream's calls went so far, in milliseconds; what is under way counts. */
export interface SpentTime {
  /** In calls of the file system, and waiting for them. */
  diskMs: number;
  /** Waiting at limiters. */
  limitMs: number;
  /** Waiting for the connection: to take bytes, or to bring them. */
  streamMs: number;
  /** All the rest: hashing, encoding, waiting for a processor. */
  workMs: number;
}

/** What became of a run that was sent. */
export interface SentRun {
  /** 32 bytes for each piece that was sent, in order. */
  values: Uint8Array;
  /** Why the run ended early (the source shrank or cannot be read): an absent piece was sent. */
  failure: Error | null;
}

/** What became of a run that was received. */
export interface ReceivedRun {
  /** 32 bytes a piece, in order, as computed here; meaningless for the bad and the absent. */
  values: Uint8Array;
  /** Positions in the run of pieces whose bytes are not what their value says. */
  bad: readonly number[];
  /** Position in the run of the first piece that did not come; the number of pieces if all did. */
  absentFrom: number;
  /** Why it did not come, unless the sender could not read it. */
  failure: Error | null;
}

/** What became of one file of a bundle, in the bundle's order. */
export interface BundledResult {
  /** The file's BLAKE3 hash. */
  hash: Uint8Array;
  /**
   * `ok`; `bad`: bytes and value differ (nothing stays on disk); `absent`: the sender could not read it;
   * `failed`: this side's disk refused, see `failure`.
   */
  status: "ok" | "bad" | "absent" | "failed";
  failure: Error | null;
}
