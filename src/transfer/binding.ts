/**
 * Which limit holds a transfer, told from what both sides and the engine have counted.
 *
 * Pure: what came to pass between two looks comes in.
 */

import type { Bound } from "../protocol/messages.ts";
import type { SideTimes } from "../protocol/progress-message.ts";

/** What the sender's engine has counted of a connection. */
export interface PathCounts {
  isRelayed: boolean;
  /** Bytes that arrived, and those of them that arrived when the path could have taken more. */
  deliveredBytes: number;
  unfilledBytes: number;
  /** QUIC packets, over a longer time: few are lost in a second. */
  sentPackets: number;
  lostPackets: number;
  /** The round trip now, and the shortest one that was seen. */
  rttMs: number;
  leastRttMs: number;
  /** The controller's idea of the rate: 0 while it looks for it, null for a controller without one. */
  rateBytesPerSecond: number | null;
}

/** What was counted between two looks. */
export interface Counted {
  sender: SideTimes;
  /** Null of a receiver that tells nothing of itself. */
  receiver: SideTimes | null;
  path: PathCounts;
}

/** What holds the transfer; null where it starts, stands still, or nothing is plain. */
export function bindingOf({ sender, receiver, path }: Counted): Bound | null {
  if (sender.elapsedMs < shortestMs) return null;
  const lanesMs = sender.diskMs + sender.limitMs + sender.streamMs + sender.workMs;
  // Lanes that have handed everything over still hold bytes that travel.
  if (lanesMs === 0 && path.deliveredBytes === 0) return null;
  if (sender.limitMs > most * lanesMs) return "limit";
  const thread = fullThread(sender, receiver, full);
  if (thread) return thread;
  if (lanesMs < most * sender.elapsedMs && isFull(path)) return boundOfPath(path);
  if (sender.diskMs > most * lanesMs) return "sender-disk";
  const atReceiver = receiver ? whereTheyStand(lanesMs / sender.elapsedMs, receiver) : null;
  if (atReceiver) return atReceiver;
  if (sender.workMs <= most * lanesMs) {
    const bound = boundOfPath(path);
    return bound === "window" ? (fullThread(sender, receiver, crowded) ?? bound) : bound;
  }
  // They may wait for a thread that stands in the disk.
  return sender.diskMs > most * sender.elapsedMs ? "sender-disk" : "sender-cpu";
}

/** The side of which a thread is in use for this share of the time or more, and what for; of both it is the busier one. */
function fullThread(sender: SideTimes, receiver: SideTimes | null, share: number): Bound | null {
  const sent = busyShare(sender);
  const received = receiver ? busyShare(receiver) : 0;
  if (Math.max(sent, received) < share) return null;
  if (!receiver || sent >= received) return isOnDisk(sender) ? "sender-disk" : "sender-cpu";
  return isOnDisk(receiver) ? "receiver-disk" : "receiver-cpu";
}

/**
 * What the receiver does on so many lanes as the sender sends on.
 *
 * A receiver has others, too, on which nothing comes: so its lanes are compared with the sender's.
 */
function whereTheyStand(lanes: number, receiver: SideTimes): Bound | null {
  // Of two lanes that write on one thread, one waits for it.
  const areMost = (ms: number) => lanes > 0 && ms > full * most * lanes * receiver.elapsedMs;
  if (areMost(receiver.limitMs)) return "limit";
  if (areMost(receiver.diskMs) || isAlwaysUsed(receiver)) return "receiver-disk";
  return areMost(receiver.workMs) ? "receiver-cpu" : null;
}

/**
 * Whether a lane stands in the disk at any time: one that takes a write at a time has no room for another.
 *
 * The other lanes seem to wait for the connection then, as the threads that bring them bytes wait for the disk.
 */
function isAlwaysUsed({ diskMs, elapsedMs }: SideTimes): boolean {
  return elapsedMs > 0 && diskMs > inUse * elapsedMs;
}

/** Whether at any time bytes waited for the path: lanes that have handed all over hold nothing up. */
function isFull({ deliveredBytes, unfilledBytes }: PathCounts): boolean {
  return deliveredBytes > 0 && unfilledBytes <= some * deliveredBytes;
}

function boundOfPath(path: PathCounts): Bound | null {
  const { deliveredBytes, unfilledBytes, rateBytesPerSecond: rate, rttMs, leastRttMs } = path;
  if (deliveredBytes === 0) return null;
  const enough = rate === 0 ? some : most;
  if (unfilledBytes > enough * deliveredBytes) return "window";
  if (path.isRelayed) return "relay";
  const lost = path.sentPackets > 0 ? path.lostPackets / path.sentPackets : 0;
  const hasQueue = rttMs > queue * leastRttMs;
  if (lost > costlyLoss || (rate === null && lost > chanceLoss && !hasQueue)) return "loss";
  return rate === 0 ? null : "path";
}

function busyShare({ busyMs, elapsedMs }: SideTimes): number {
  return elapsedMs > 0 ? busyMs / elapsedMs : 0;
}

function isOnDisk({ diskMs, busyMs, elapsedMs }: SideTimes): boolean {
  return diskMs > most * Math.min(busyMs, elapsedMs);
}

/** Less says nothing: a lane may wait as long for one piece. */
const shortestMs = 100;
/** More than all else together. */
const most = 0.5;
/**
 * While the controller looks for the rate, its pace is twice and more what arrives, so bytes wait for it even where
 * lanes stand at their windows; what arrives with nothing left to send is what keeps it looking.
 */
const some = 0.1;
/** A thread that waits for less than a tenth of the time has no room for a tenth more bytes. */
const full = 0.9;
/**
 * On a path of less than a millisecond the threads of both sides wait for one another's packets: both were in use for 0.71 to
 * 0.92 of the time, and no window was what held them. One lane's window on 500 Mbit/s and 150 ms left them 0.04 to 0.08.
 */
const crowded = 0.65;
/** From here on what is sent again takes more of the path than anything but its rate. */
const costlyLoss = 0.1;
/** A disk that syncs each write was in use for 0.86 to 6 times the time, a page cache at 230 MB/s for 0.23. */
const inUse = 0.8;
/** CUBIC leaves a path of 50 ms empty at this (docs/performance.md), and loses less where it fills one. */
const chanceLoss = 0.001;
/** A round trip so many times the shortest one has waited in a queue: the path is full. */
const queue = 1.25;
