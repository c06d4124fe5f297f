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

import type { Codec, Coding } from "../codec.ts";
import type { CloseReason, ConnectionStats, PathFigures, PeerLimits } from "./connection-facts.ts";
import type { Folder, PartialFile, PieceRun, SourceFile } from "./file-system.ts";

export type * from "./connection-facts.ts";
export type * from "./file-system.ts";

import type {
  BundledResult,
  BundledSource,
  BundledTarget,
  EncodedBytes,
  ReceivedRun,
  SentRun,
  SpentTime,
} from "./runs.ts";

export type * from "./runs.ts";

/** An engine: endpoints on a network and folders on a disk. */
export interface Engine {
  /** Opens an endpoint that can dial and be dialled. Fails with `ADDRESS_IN_USE` or `INVALID_ARGUMENT`. */
  bind(options: EndpointOptions): Promise<Endpoint>;
  /** Opens a folder of this machine by its path in the system's notation. */
  openFolder(path: string): Promise<Folder>;
  /**
   * The bytes of a small ordinary file, by its absolute path: for lists of patterns, not for what travels.
   *
   * A link is not followed. `DISK_*`, or `LIMIT_EXCEEDED` for more than `mostBytes`.
   */
  readFile(path: string, mostBytes: number): Promise<Uint8Array>;
  /**
   * Merges the values of all pieces of a file into its BLAKE3 hash (32 bytes), the one `b3sum` prints.
   *
   * `values` holds 32 bytes a piece, in order. A file of one piece (or empty) has its hash as the value.
   */
  mergePieces(values: Uint8Array, fileBytes: number, pieceBytes: number): Uint8Array;
  /**
   * Bytes that stand at `offset` of what has no file of its own, as a file to send runs of.
   *
   * They are copied, and held until it is closed.
   */
  holdBytes(bytes: Uint8Array, offset: number): SourceFile;
  /** A limit that streams can be held to. */
  createLimiter(): RateLimiter;
  /**
   * How long each thread that everything passes has not been waiting so far, in milliseconds: JavaScript's and
   * those of the network. Who asks twice knows how busy they were in between.
   */
  busyMs(): number[];
  /** So many bytes that nobody can guess; in a simulation, those that its seed gives. */
  random(bytes: number): Uint8Array;
}

/** A rate that the bytes of one or many streams keep to, in each moment and not only on average. */
export interface RateLimiter {
  /** Bytes a second from now on, also for what waits: `Infinity` lets all pass, 0 nothing. */
  setRate(bytesPerSecond: number): void;
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
  /** Receive window of a connection that this side dials, in bytes. */
  receiveWindowBytes: number;
  /** Bytes a connection holds that were sent and not yet acknowledged, at most. */
  sendWindowBytes: number;
  /** Streams of either kind that a peer that this side dials may have open at once. */
  maxStreams: number;
  /** A connection that hears nothing for so long is lost. */
  idleTimeoutMs: number;
  /** A connection that is silent for so long sends a ping; it never fires while data flows. */
  keepAliveMs: number;
  /** Round trip that a path is thought to have until one is measured; above 0. */
  initialRttMs: number;
  /** A peer that dials and does not end its handshake within this time is dropped, and so is one that nobody accepts. */
  handshakeTimeoutMs: number;
  /**
   * Receive window of a stranger, in bytes: a peer that dialled and that nobody has admitted yet.
   *
   * It may have one stream both ways open, and no others.
   */
  strangerWindowBytes: number;
  /** Strangers at once; the one who came first makes room for the next. */
  maxStrangers: number;
  /** Strangers at once from one IPv4 address or IPv6 /64; more are refused. */
  maxStrangersPerAddress: number;
  /** An address from which so many came, shook hands and went without being admitted must wait. */
  maxStrangerFailures: number;
  /** For how long such failures count, and for how long the address must wait. */
  refusalMs: number;
  /** File writes that may be under way at once, over all connections of the endpoint. */
  writeConcurrency: number;
  /** Pieces that may be encoded at once, over all connections of the endpoint. */
  encodeConcurrency: number;
  /** Whether a thread of its own drives it, not those that all others share. @default false */
  ownThread?: boolean;
}

/** One socket set with an identity. */
export interface Endpoint {
  /** The public key, 64 lower-case hex digits. */
  readonly peerId: string;
  /** The addresses it is bound to, `ip:port`, with the real ports. */
  readonly addresses: readonly string[];
  /** Dials a peer by key over any of the addresses. Fails with `PEER_UNREACHABLE` after `timeoutMs`. */
  connect(peerId: string, addresses: readonly string[], timeoutMs: number): Promise<Connection>;
  /**
   * Dials likewise, and has `bytes` travel in the first flight where an earlier connection of this endpoint
   * with the peer allows that (0-RTT); {@link Connection.early} tells whether they did.
   *
   * Who sees them pass can send the peer a copy: they must be harmless, however often they come.
   */
  connectEarly(
    peerId: string,
    addresses: readonly string[],
    timeoutMs: number,
    bytes: Uint8Array,
  ): Promise<Connection>;
  /** The next connection whose handshake is done; null after {@link Endpoint.close}. */
  accept(): Promise<Connection | null>;
  /**
   * The next call whose first bytes came before its handshake was done; null after {@link Endpoint.close}.
   *
   * Calls for which nobody waits here come out of {@link Endpoint.accept}, once their handshake is done.
   */
  acceptEarly(): Promise<EarlyCall | null>;
  /** Closes all connections politely and frees the port. Twice is fine. */
  close(): Promise<void>;
}

/** A call that may be a copy of another one, sent again by somebody else: nothing may be done for it yet. */
export interface EarlyCall {
  /** Whose earlier connection it goes on from, and who alone can read what is written. */
  readonly peerId: string;
  /** The stream of the first bytes, once; untaken, the connection's `acceptBidirectional` gives it. */
  takeStream(): Promise<BidirectionalStream>;
  /** The connection, once: when its handshake shows that it is no copy. Rejects with `CONNECTION_LOST`. */
  proven(): Promise<Connection>;
}

/** An authenticated, encrypted connection to one peer. */
export interface Connection {
  readonly peerId: string;
  /** The stream that begins with the bytes of {@link Endpoint.connectEarly}; null where they did not travel. */
  readonly early: BidirectionalStream | null;
  /** Lets a peer that dialled send more than a stranger may; it can be let send still more later. */
  admit(limits: PeerLimits): void;
  /** Opens a stream both ways. Waits while the peer allows no more. The peer sees it after the first write. */
  openBidirectional(): Promise<BidirectionalStream>;
  /** The peer's next stream both ways; rejects when the connection ends. */
  acceptBidirectional(): Promise<BidirectionalStream>;
  openUnidirectional(): Promise<SendStream>;
  acceptUnidirectional(): Promise<ReceiveStream>;
  /** Keying material of the TLS session (RFC 8446, 7.5), 32 bytes, the same at both ends and nowhere else. */
  exportKeyingMaterial(label: string, context: Uint8Array): Uint8Array;
  /**
   * Lets the path in use start near a rate that it had, carefully.
   *
   * Only the first call counts, and none after data was sent. A congestion control other than `bbr` does not listen.
   */
  knowPath(figures: PathFigures): void;
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

/** The sending half of a stream. Calls are made one at a time, except `reset`. */
export interface SendStream {
  /** Bytes handed to the stream so far. */
  readonly sentBytes: number;
  readonly spent: SpentTime;
  /**
   * Makes all that is written from now on pass these limits, its own first and the widest last; once a stream.
   *
   * Streams that share a narrower limit share a wider one as one.
   */
  limitBy(limiters: readonly RateLimiter[]): void;
  /** Whose bytes go first of those that wait on the connection: the higher number's; 0 is every stream's at first. */
  setPriority(priority: number): Promise<void>;
  /** What encoding has taken in and given so far. */
  readonly encoded: EncodedBytes;
  /**
   * Has the pieces of later calls encoded; a stream begins with `none`.
   *
   * A piece that does not get smaller is sent as it is. `INVALID_ARGUMENT` for a level that is none.
   */
  setCoding(coding: Coding): void;
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
  readonly spent: SpentTime;
  /** Makes all that is read from now on pass these limits, as {@link SendStream.limitBy} does. */
  limitBy(limiters: readonly RateLimiter[]): void;
  /** Takes pieces of these codecs in later calls; a stream begins with `none`, which is always taken. */
  takeCodecs(codecs: readonly Codec[]): void;
  /** Exactly `length` bytes; null when the stream ended before the first of them. Rejects with `INVALID_FRAME` when it ends between. */
  read(length: number): Promise<Uint8Array | null>;
  /**
   * Reads the run's pieces into the file, each checked against its value.
   *
   * A malformed piece (`INVALID_FRAME`), a file that cannot be written (`DISK_*`) or a lost connection ends
   * the run: rejects if nothing came before, and else tells of it in `failure`. After `DISK_*` the stream
   * stands behind the piece that could not be written.
   */
  receiveRun(partial: PartialFile, run: PieceRun): Promise<ReceivedRun>;
  /** Reads one piece a target, creates each file, writes it, and sets its mode and mtime. Nothing is synced. */
  receiveBundle(folder: Folder, targets: readonly BundledTarget[]): Promise<BundledResult[]>;
  /** Tells the peer to send no more of this stream, with an error number; pending calls reject. */
  stop(code: number): void;
}
