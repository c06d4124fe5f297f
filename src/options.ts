/** Every default in one place. A number says what it was measured at or who asked for it. */

import { availableParallelism } from "node:os";
import type { Coding } from "./codec.ts";

/** Which controller decides how fast a path is filled; see docs/architecture.md. */
export type CongestionControl = "bbr" | "cubic" | "newreno";

/** What can be tuned. Sizes are bytes, times milliseconds. */
export interface Tuning {
  /** Lanes of an ultra transfer at most (the specification's MAX_PARALLEL_STREAMS). @default 256 */
  maxLanes: number;
  /** Writes to disk under way at once (the specification's WRITE_CONCURRENCY). @default 64 */
  writeConcurrency: number;
  /** Pieces that are encoded at once. @default the machine's cores */
  encodeConcurrency: number;
  /** Size of the job given to a lane, by file size (the specification's calculate_optimal_chunk_size). */
  rangeTable: SizeTable;
  /** Size of a piece, by file size. Powers of two. */
  pieceTable: SizeTable;
  /**
   * Transfers that move at once over one connection; the others wait for their turn. 64 at once took twice as long
   * as four at a time on a busy machine, and few would let some that stand still hold up the rest. @default 16
   */
  maxMoving: number;
  /** @default "bbr" */
  congestion: CongestionControl;
  /** Receive window of one stream: over 2 MiB a socket overflow can end the connection. @default 1 MiB */
  streamWindowBytes: number;
  /** Receive window of a connection. @default 256 MiB */
  receiveWindowBytes: number;
  /** Bytes sent and not acknowledged that a connection holds. @default 64 MiB */
  sendWindowBytes: number;
  /** Streams that a peer may open. @default 1,024 */
  maxStreams: number;
  /** A connection that hears nothing for so long is lost. @default 30,000 */
  idleTimeoutMs: number;
  /** Silence after which a ping is sent; data keeps it from firing. Below `silenceMs`. @default 1,000 */
  keepAliveMs: number;
  /**
   * Round trip that a path is thought to have until its first packet comes back. What is lost before is sent again
   * after three of them: RFC 9002, 6.2.2 recommends 333, so a second; see docs/performance.md. @default 100
   */
  initialRttMs: number;
  /** How long a dial or a handshake may take. @default 10,000 */
  connectTimeoutMs: number;
  /** How long a stranger may take for its handshake, and then for its hello. @default 10,000 */
  handshakeTimeoutMs: number;
  /** Receive window of a stranger: a peer that dialled and has not said who it is. @default 16 KiB */
  strangerWindowBytes: number;
  /** Strangers at once; beyond, the first makes room. @default 256 */
  maxStrangers: number;
  /** Strangers at once from one address. @default 16 */
  maxStrangersPerAddress: number;
  /** Wrong tickets, silent and broken hellos from one address before it must wait. @default 10 */
  maxStrangerFailures: number;
  /** How long such an address must wait. @default 60,000 */
  refusalMs: number;
  /** Threads that move packets: one is the fastest on two cores (docs/performance.md). @default 1 */
  workerThreads: number;
  /**
   * Bytes a second above which a second connection, with a thread of its own on both sides, carries half of
   * the lanes; Infinity for never. Above, a thread is what holds a transfer, and no wire of a gigabit reaches it.
   * @default 150,000,000; never on a machine of one core
   */
  secondConnectionAbove: number;
  /** Bytes of files that travel with their offer, a round trip before any lane; at most 64 KiB. @default 64 KiB */
  contentBytes: number;
  /** Read sources through a memory mapping. @default false */
  memoryMap: boolean;
}

/** Rows of "files of at most `upTo` bytes take `bytes`", ascending; the last `upTo` is Infinity. */
export type SizeTable = readonly { upTo: number; bytes: number }[];

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

/** The values that hold where nothing else is said. */
export const defaultTuning: Tuning = {
  maxLanes: 256,
  writeConcurrency: 64,
  encodeConcurrency: availableParallelism(),
  rangeTable: [
    { upTo: 1 * GiB, bytes: 32 * MiB },
    { upTo: 4 * GiB, bytes: 64 * MiB },
    { upTo: 16 * GiB, bytes: 128 * MiB },
    { upTo: Number.POSITIVE_INFINITY, bytes: 256 * MiB },
  ],
  pieceTable: [
    { upTo: 10 * MiB, bytes: 64 * KiB },
    { upTo: 100 * MiB, bytes: 256 * KiB },
    { upTo: 1 * GiB, bytes: 512 * KiB },
    { upTo: Number.POSITIVE_INFINITY, bytes: 1 * MiB },
  ],
  maxMoving: 16,
  congestion: "bbr",
  streamWindowBytes: 1 * MiB,
  receiveWindowBytes: 256 * MiB,
  sendWindowBytes: 64 * MiB,
  maxStreams: 1024,
  idleTimeoutMs: 30_000,
  keepAliveMs: 1_000,
  initialRttMs: 100,
  connectTimeoutMs: 10_000,
  handshakeTimeoutMs: 10_000,
  strangerWindowBytes: 16 * KiB,
  maxStrangers: 256,
  maxStrangersPerAddress: 16,
  maxStrangerFailures: 10,
  refusalMs: 60_000,
  workerThreads: 1,
  secondConnectionAbove: availableParallelism() > 1 ? 150_000_000 : Number.POSITIVE_INFINITY,
  contentBytes: 64 * KiB,
  memoryMap: false,
};

/**
 * From how long on a call of the disk is slow, in milliseconds: the next is made apart from the thread that drives
 * the network. A call that the page cache answers takes well under one; Linux lets a writer wait for up to
 * 200 (`balance_dirty_pages`).
 */
export const slowDiskCallMs = 10;

/** Lanes of a standard transfer (the specification's 8 streams). */
export const standardLanes = 8;

/** Lanes that a file of as many pieces gets at least: one lane's window alone would cap it. */
export const fewestLanes = 8;

/**
 * Lanes that are busy at once, at least. On a local wire two, four and eight are alike (docs/performance.md),
 * and each costs a half-received piece where a process is killed.
 */
export const fewestBusyLanes = 2;

/** What a lane may wait for its next turn, in milliseconds; the path is kept full meanwhile by the others. */
export const laneTurnMs = 1;

/** From this round trip on turns are short and lanes are added ahead of the path's rate, in milliseconds (docs/performance.md#lanes). */
export const longPathRttMs = 100;

/** The longest turn of a lane: below it a turn's hand-over costs more than it evens out. */
export const mostTurnBytes = 8 * MiB;
/** The same in milliseconds, of a lane that carries its whole window in each round trip (docs/performance.md#lanes). */
export const mostTurnMs = 100;

/** A file of at most one piece of this size travels in a bundle. */
export const bundledFileBytes = 64 * KiB;

/** A bundle holds at most so many bytes and files: small enough to spread over the lanes. */
export const bundleBytes = 4 * MiB;
/** @see bundleBytes */
export const bundleFiles = 256;

/** Lanes that are opened for bundles alone: their windows hold what 150 ms at 800 Mbit/s hold. */
export const mostBundleLanes = 16;

/**
 * What is tried by itself, from the quickest to the smallest. Measured on text: between them nothing is both quicker and
 * smaller, and beyond the last a byte costs four times the time for 2 % less (docs/performance.md#compression).
 */
export const automaticCodings: readonly Coding[] = [
  { codec: "lz4", level: 0 },
  { codec: "zstd", level: 1 },
  { codec: "zstd", level: 3 },
  { codec: "zstd", level: 6 },
  { codec: "zstd", level: 9 },
];

/**
 * A transfer of so many bytes goes before larger ones of its priority: it is done sooner, and they hardly later, as
 * all those bytes are to be sent anyway.
 */
export const smallTransferBytes = 16 * MiB;

/** A coding must promise so many times the bytes of plain pieces: encoding and decoding take time from all else. */
export const codingGain = 1.15;

/** A coding must promise so many times the bytes of another one: what is measured varies by as much. */
export const codingChangeGain = 1.05;

/** Bytes of which a coding is judged: enough to be timed, few enough to be lost among a second's. */
export const codingSampleBytes = 256 * KiB;

/** Share of the time that may go into such samples. */
export const codingTrialShare = 0.01;

/** How long a lane goes on in one coding, in milliseconds: a path and a file's content change within seconds. */
export const codingStepMs = 250;

/** How often a path that waits for a codec is filled with plain pieces, to see what it carries, in milliseconds. */
export const codingProbeMs = 1000;

/**
 * From so many bytes a second on, small files are not compressed by themselves: creating 4 KiB takes longer than carrying them
 * (10,000 of them pass at 29 MB/s where the path has 300, docs/performance.md).
 */
export const quickForBundles = 25_000_000;

/**
 * Bytes of a stream that its sender holds, as the receiver has not proven them: the most that a lost connection
 * makes it send again. What a path carries at 500 MB/s and 100 ms.
 */
export const mostHeldStreamBytes = 64 * MiB;

/** A stream's receiver says how far it is each time that it has proven so many bytes more. */
export const streamAckBytes = 8 * MiB;

/** Over a longer round trip a second connection would take more than its share from others. */
export const secondConnectionRttMs = 5;

/** What must be left to send, in bytes, for a second connection to be worth its handshake. */
export const secondConnectionBytes = 64 * MiB;

/** Lanes of a second connection: as many as a local wire can keep busy. */
export const secondConnectionLanes = 8;

/**
 * Bytes a second over a second connection while another transfer goes before: nothing orders what two
 * connections send. Not none, so that what a lane has begun ends.
 */
export const asideBytesPerSecond = 10_000_000;

/** A transfer that was offered is taken to begin so soon, in milliseconds; a person takes longer. */
export const answerSoonMs = 1000;

/** How often progress is told, in milliseconds. */
export const progressIntervalMs = 200;

/** How often it is looked whether a connection is silent, in milliseconds. */
export const lookEveryMs = 500;

/** Silence, beyond two round trips, after which another way to the peer is looked for, in milliseconds. */
export const silenceMs = 1_500;
/** The same just after this machine got other addresses, of what moves: then it is no guess that something is wrong. */
export const movedSilenceMs = 500;

/** How long a connection must be well after this machine got other addresses until they count as its own, in milliseconds. */
export const settledMs = 5_000;

/** What a connection moves at least from one look to the next if data flow, in bytes. */
export const trickleBytes = 16 * KiB;

/** How long one try of another way takes at most, in milliseconds: QUIC sends its first packet again after 1 s. */
export const probeMs = 2_000;

/**
 * How long a connection may be silent where the same address answers others, in milliseconds: after a cut
 * of some seconds it comes back by itself (docs/architecture.md#moved-networks).
 */
export const patienceMs = 15_000;

/**
 * How long before the engine ends a silent connection without a word this side ends it with one, in milliseconds: longer than one look
 * for another way takes.
 */
export const lastWordsMs = probeMs + 2 * lookEveryMs;

/** How long a lost connection is retried, in milliseconds. */
export const retryForMs = 60 * 60 * 1000;

/**
 * How long it is believed what a path carried, in milliseconds. draft-ietf-tsvwg-careful-resume asks for a
 * limit and leaves it to the sender: a line stays what it was for longer than an hour, who else uses it does not.
 */
export const knownPathLifeMs = 60 * 60 * 1000;

/** How long a ticket is good for, in milliseconds. */
export const ticketLifeMs = 24 * 60 * 60 * 1000;

/** What a guest may send: a peer without a ticket, none of whose offers was accepted yet. */
export const guestLimits = { receiveWindowBytes: 256 * KiB, maxStreams: 4 };
/** Guests at once; beyond, the first makes room. */
export const maxGuests = 64;

/** Offers of one peer that wait for an answer at once; more are refused. */
export const maxWaitingOffers = 8;

/** Transfers that have ended and can still be looked up by their ids. */
export const maxEndedTransfers = 256;

/** Characters of a peer's name: a word that a person types. */
export const longestPeerName = 64;

/**
 * Addresses that the address book keeps of one peer, of those that a person gave and of those that
 * were learnt: together as many as a ticket names.
 */
export const mostKnownAddresses = 8;

/** How long one process waits for another that writes to the address book, in milliseconds. */
export const addressBookWaitMs = 5000;

/** Requests of one peer that are answered at once, transfers included; more are denied. */
export const maxRequestsAtOnce = 8;

/** How long the answer to a request may take: a slow disk lists a large folder, in milliseconds. */
export const requestTimeoutMs = 60_000;
