/**
 * What the rest of quiver needs of a QUIC engine and of a file system, and nothing about how.
 *
 * Two implementations: `native.ts` (Rust) and `memory.ts` (for tests). One contract suite holds both.
 *
 * Paths are relative to a {@link Folder}, parts joined by `/`, each part a lossless name
 * (`lossless-name.ts`); `""` is the folder itself. No path leads out of its folder, and no link is
 * followed at its last part. Offsets and sizes are bytes, exact to 2^53. Every failure is a
 * `TransferError`; a disk failure carries a `DISK_*` code.
 */

/** An engine: endpoints on a network and folders on a disk. */
export interface Engine {
  /** Opens an endpoint that can dial and be dialled. Fails with `ADDRESS_IN_USE` or `INVALID_ARGUMENT`. */
  bind(options: EndpointOptions): Promise<Endpoint>;
  /** Opens a folder of this machine by its path in the system's notation. */
  openFolder(path: string): Promise<Folder>;
  /**
   * Merges the values of all pieces of a file into its BLAKE3 hash (32 bytes), the one `b3sum` prints.
   *
   * `values` holds 32 bytes a piece, in order. A file of one piece (or empty) has its hash as the value.
   */
  mergePieces(values: Uint8Array, fileBytes: number, pieceBytes: number): Uint8Array;
}

/** Everything an endpoint must be told; the defaults are in `options.ts`. */
export interface EndpointOptions {
  /** The Ed25519 secret key, 32 bytes. */
  secretKey: Uint8Array;
  /** Addresses to listen on, `ip:port`; port 0 takes a free one. */
  listen: readonly string[];
  /** Application protocol; a peer with another one is refused in the handshake. */
  alpn: string;
  congestion: "bbr" | "cubic" | "newreno";
  /** Receive window of one stream, in bytes; at most 2 MiB (see docs/architecture.md). */
  streamWindowBytes: number;
  /** Receive window of a connection, in bytes. */
  receiveWindowBytes: number;
  /** Bytes a connection holds that were sent and not yet acknowledged, at most. */
  sendWindowBytes: number;
  /** Streams of either kind that a peer may have open at once. */
  maxStreams: number;
  /** A connection that hears nothing for so long is lost. */
  idleTimeoutMs: number;
  /** A connection that is silent for so long sends a ping; it never fires while data flows. */
  keepAliveMs: number;
  /** A peer that dials and does not end its handshake within this time is dropped. */
  handshakeTimeoutMs: number;
  /** Packets that the peer may leave unacknowledged before it must answer at once (draft-ietf-quic-ack-frequency). */
  ackThresholdPackets: number;
  /** File writes that may be under way at once, over all connections of the endpoint. */
  writeConcurrency: number;
}

/** One socket set with an identity. */
export interface Endpoint {
  /** The public key, 64 lower-case hex digits. */
  readonly peerId: string;
  /** The addresses it is bound to, `ip:port`, with the real ports. */
  readonly addresses: readonly string[];
  /** Dials a peer by key over any of the addresses. Fails with `PEER_UNREACHABLE` after `timeoutMs`. */
  connect(peerId: string, addresses: readonly string[], timeoutMs: number): Promise<Connection>;
  /** The next connection whose handshake is done; null after {@link Endpoint.close}. */
  accept(): Promise<Connection | null>;
  /** Closes all connections politely and frees the port. Twice is fine. */
  close(): Promise<void>;
}

/** How a connection ended. */
export interface CloseReason {
  /** `peer`: the other side closed it with `code`; `local`: this side; `lost`: time-out, reset or transport failure. */
  by: "peer" | "local" | "lost";
  /** The application's error number; 0 for `lost`. */
  code: number;
  /** Text for people; hostile when `by` is `peer`. */
  reason: string;
}

/** Counters of a connection since its start; 64-bit, bytes and milliseconds. */
export interface ConnectionStats {
  /** The selected path's far address, `ip:port`; `""` when none is known. */
  remoteAddress: string;
  rttMs: number;
  congestionWindowBytes: number;
  lostPackets: number;
  sentPackets: number;
  /** UDP payload bytes. */
  sentBytes: number;
  receivedBytes: number;
  pathMtuBytes: number;
}

/** An authenticated, encrypted connection to one peer. */
export interface Connection {
  readonly peerId: string;
  /** Opens a stream both ways. Waits while the peer allows no more. The peer sees it after the first write. */
  openBidirectional(): Promise<BidirectionalStream>;
  /** The peer's next stream both ways; rejects when the connection ends. */
  acceptBidirectional(): Promise<BidirectionalStream>;
  openUnidirectional(): Promise<SendStream>;
  acceptUnidirectional(): Promise<ReceiveStream>;
  /** Keying material of the TLS session (RFC 8446, 7.5), 32 bytes, the same at both ends and nowhere else. */
  exportKeyingMaterial(label: string, context: Uint8Array): Uint8Array;
  stats(): ConnectionStats;
  /** Resolves when the connection has ended, whoever ended it. */
  closed(): Promise<CloseReason>;
  /** Ends the connection at once; unfinished streams are lost. Twice is fine. */
  close(code: number, reason: string): void;
}

/** A stream both ways. */
export interface BidirectionalStream {
  readonly send: SendStream;
  readonly receive: ReceiveStream;
}

/** A run of pieces of one file. Only the last piece of the file is shorter than `pieceBytes`. */
export interface PieceRun {
  /** First byte; a multiple of `pieceBytes`. */
  offset: number;
  /** Bytes; a multiple of `pieceBytes` unless it ends at `fileBytes`. 0 only for an empty file: one empty piece. */
  length: number;
  /** A power of two, at least 1,024. */
  pieceBytes: number;
  fileBytes: number;
}

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
  /** Position in the run of the first piece that the sender could not read; the number of pieces if none. */
  absentFrom: number;
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

/** The sending half of a stream. Calls are made one at a time, except `reset`. */
export interface SendStream {
  /** Bytes handed to the stream so far. */
  readonly sentBytes: number;
  /** Resolves when the stream has taken all bytes. Rejects with the peer's code when it refused the stream. */
  write(bytes: Uint8Array): Promise<void>;
  /** Writes `header`, then the run's pieces in the wire form of docs/protocol.md. */
  sendRun(header: Uint8Array, source: SourceFile, run: PieceRun): Promise<SentRun>;
  /** Writes `header`, then each file as one piece. A file that changed or vanished is sent as absent. */
  sendBundle(
    header: Uint8Array,
    folder: Folder,
    files: readonly BundledSource[],
  ): Promise<BundledResult[]>;
  /** Ends the stream; what was written still arrives. */
  finish(): Promise<void>;
  /** Abandons the stream with an error number; pending calls reject. */
  reset(code: number): void;
}

/** The receiving half of a stream. Calls are made one at a time, except `stop`. */
export interface ReceiveStream {
  /** Bytes taken from the stream so far. */
  readonly receivedBytes: number;
  /** Exactly `length` bytes; null when the stream ended before the first of them. Rejects with `INVALID_FRAME` when it ends between. */
  read(length: number): Promise<Uint8Array | null>;
  /**
   * Reads the run's pieces into the file, each checked against its value.
   *
   * Rejects with `INVALID_FRAME` for a malformed piece and with `DISK_*` when the file cannot be written.
   */
  receiveRun(partial: PartialFile, run: PieceRun): Promise<ReceivedRun>;
  /** Reads one piece a target, creates each file, writes it, and sets its mode and mtime. Nothing is synced. */
  receiveBundle(folder: Folder, targets: readonly BundledTarget[]): Promise<BundledResult[]>;
  /** Tells the peer to send no more of this stream, with an error number; pending calls reject. */
  stop(code: number): void;
}

/** What kind of thing stands in a folder. `other`: a socket, device or FIFO. */
export type FileKind = "file" | "folder" | "link" | "other";

/** What a folder says of one thing in it, without following a link. */
export interface FileStat {
  kind: FileKind;
  /** Size in bytes; 0 for all but files. */
  bytes: number;
  /** Permission bits (0o777); a system without them says 0o755 or 0o644. */
  mode: number;
  /** Milliseconds since 1970, with fraction cut. */
  mtimeMs: number;
  /** Tells two files apart even when a path is reused: device and file number. */
  identity: string;
}

/** One thing in a folder. */
export interface FolderEntry extends FileStat {
  name: string;
}

/** A directory that is held open; everything below is resolved from the handle, never from a string. */
export interface Folder {
  /** Opens a folder below. A link on the way is refused. */
  openFolder(path: string): Promise<Folder>;
  /** The things in a folder below, sorted by the bytes of their names. */
  list(path: string): Promise<FolderEntry[]>;
  /** What stands at a path; null if nothing. */
  stat(path: string): Promise<FileStat | null>;
  /** The text of a link. */
  readLink(path: string): Promise<string>;
  /** Opens a file for reading. `memoryMap` reads it through a mapping instead of positioned reads. */
  openSource(path: string, options: { memoryMap: boolean }): Promise<SourceFile>;
  /** Creates a file that must not exist, with its blocks reserved. `DISK_FULL` when they are not to be had. */
  createPartial(path: string, bytes: number, mode: number): Promise<PartialFile>;
  /** Creates a folder; its parent must exist. `DISK_EXISTS` if the name is taken. */
  createFolder(path: string): Promise<void>;
  /** Creates a symbolic link with the text `target`. */
  createLink(path: string, target: string): Promise<void>;
  /** Moves what stands at `from` to `to` below another folder of the same disk; atomic. Without `replace`, `DISK_EXISTS` if `to` is taken. */
  rename(from: string, target: Folder, to: string, options: { replace: boolean }): Promise<void>;
  /** Removes a file, a link, or a folder with all that is in it; links are not followed. Nothing there is fine. */
  remove(path: string): Promise<void>;
  /** Sets permission bits and mtime of a file or folder; never through a link. */
  setMetadata(path: string, metadata: { mode: number; mtimeMs: number }): Promise<void>;
  /** Returns when everything written below this folder is on the disk, names included. */
  syncAll(): Promise<void>;
  /** Returns when the folder's own list of names is on the disk. */
  sync(): Promise<void>;
  /** Bytes that this user may still write on the folder's disk. */
  freeBytes(): Promise<number>;
  close(): Promise<void>;
}

/** A file that is read. */
export interface SourceFile {
  /** What it was when it was opened. */
  readonly opened: FileStat;
  /** What it is now. */
  stat(): Promise<FileStat>;
  close(): Promise<void>;
}

/** A file that is being received. Written at any offset, by any number of lanes. */
export interface PartialFile {
  /** Returns when its bytes and size are on the disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}
