/**
 * Finds another way to a peer of whom nothing is heard any more.
 *
 * The engine follows a changed address by itself, where it can do so soon. Where it cannot, a connection
 * from sockets of its own works at once. The old connection is given up only when the new one stands, so
 * that a peer that is merely slow loses nothing.
 */

import type { Clock } from "../clock.ts";
import type { Connection, ConnectionStats } from "../engine/engine.ts";
import {
  lastWordsMs,
  lookEveryMs,
  movedSilenceMs,
  patienceMs,
  probeMs,
  settledMs,
  silenceMs,
  type Tuning,
  trickleBytes,
} from "../options.ts";
import { cardAddresses } from "./addresses.ts";
import { background, bindEndpoint, orAborted, type PeerContext } from "./context.ts";

/** A connection to a peer, and how it came to be. */
export interface Way {
  connection: Connection;
  /** Whether the peer has called; else this side has. */
  isCall: boolean;
  /** Frees what it was found with; once the connection is of no use any more. */
  free(): Promise<void>;
}

/** The connection that is watched. */
export interface Watched {
  connection: Connection;
  /** Where the peer may be, besides the connection's own address. */
  addresses: readonly string[];
}

/**
 * Watches a connection, and resolves with another one to the same peer when that is the better.
 *
 * Resolves with null when the peer has been silent for nearly as long as the engine allows: who ends the
 * connection then can say so, and the peer may hear this side where this side does not hear the peer.
 *
 * Cancelling: rejects with the signal's reason.
 */
export async function findOtherWay(
  context: PeerContext,
  watched: Watched,
  signal: AbortSignal,
): Promise<Way | null> {
  const { clock, tuning } = context;
  const pulse = new Pulse(watched.connection, () => clock.now());
  for (;;) {
    await nextLook(clock, signal);
    if (!pulse.isWeak()) continue;
    if (isHopeless(watched.connection, tuning)) return null;
    const way = await search(context, watched, pulse, signal);
    if (way) return way;
  }
}

/**
 * The same, for the side that knows the peer's addresses: it also takes a call of a peer that moved.
 *
 * A way that is found later than another one is left.
 */
export async function findOtherWayOrCall(
  context: PeerContext,
  watched: Watched,
  signal: AbortSignal,
): Promise<Way | null> {
  const other = new AbortController();
  const either = AbortSignal.any([signal, other.signal]);
  const called = context.callers.expect(watched.connection.peerId, either).then(asCall);
  const looked = findOtherWay(context, watched, either);
  called.catch(() => {});
  try {
    const found = await Promise.race([called, looked]);
    background(looked.then((late) => (late && late !== found ? leaveWay(late) : undefined)));
    return found;
  } finally {
    other.abort();
  }
}

/** Closes a connection that is not needed. */
export async function leaveWay(way: Way): Promise<void> {
  way.connection.close(0, "");
  await way.free();
}

function asCall(connection: Connection): Way {
  return { connection, isCall: true, free: async () => {} };
}

/** Dials, with sockets of its own, until the peer answers or the connection is well again. */
async function search(
  context: PeerContext,
  { connection, addresses }: Watched,
  pulse: Pulse,
  signal: AbortSignal,
): Promise<Way | null> {
  const { engine, identity, tuning, clock } = context;
  // The endpoint of a connection that stands sends all else for that peer the same dead way.
  const endpoint = await bindEndpoint(engine, identity, tuning);
  const free = () => endpoint.close();
  let isFound = false;
  try {
    const old = connection.stats().remoteAddress;
    const known = [...new Set([...addresses, old])].filter((address) => address !== "");
    const isPatient = async () =>
      !pulse.hasMoved && !(await staysSilent(context, connection, signal));
    while (pulse.isWeak() && !isHopeless(connection, tuning)) {
      // A call is answered at once, so none is made before it is wanted.
      if (known.length === 1 && (await isPatient())) return null;
      const dialling = endpoint.connect(connection.peerId, known, probeMs).catch(() => null);
      const found = await orAborted(dialling, signal);
      if (found) {
        const isSame = found.stats().remoteAddress === old;
        isFound = !(isSame && (await isPatient())) && pulse.isWeak();
        return isFound ? { connection: found, isCall: false, free } : null;
      }
      await nextLook(clock, signal);
    }
    return null;
  } finally {
    // Nobody waits for the last words of a dial that came to nothing.
    if (!isFound) background(free());
  }
}

/** Whether the engine is about to end a silent connection. */
function isHopeless(connection: Connection, { idleTimeoutMs }: Tuning): boolean {
  return connection.stats().silentMs > idleTimeoutMs - lastWordsMs;
}

/** Over the way that it had, a connection comes back by itself: it gets some time for that. */
async function staysSilent(
  { clock }: PeerContext,
  connection: Connection,
  signal: AbortSignal,
): Promise<boolean> {
  for (;;) {
    const stats = connection.stats();
    if (!isSilent(stats)) return false;
    if (stats.silentMs > patienceMs) return true;
    await nextLook(clock, signal);
  }
}

/** Unlike {@link Clock.wait} it keeps no process alive: looking is no work. */
async function nextLook(clock: Clock, signal: AbortSignal): Promise<void> {
  const due = Promise.withResolvers<void>();
  const cancel = clock.after(lookEveryMs, due.resolve);
  try {
    await orAborted(due.promise, signal);
  } finally {
    cancel();
  }
}

/** How a connection does, from one look to the next. */
class Pulse {
  readonly #connection: Connection;
  readonly #now: () => number;
  /** Addresses of this machine with which the connection is well, or has been last. */
  #cards = cardAddresses().join();
  #bytes = 0;
  /** Since when this machine has other addresses; null while it has not. */
  #movedAtMs: number | null = null;
  #aliveAtMs: number;

  constructor(connection: Connection, now: () => number) {
    this.#connection = connection;
    this.#now = now;
    this.#aliveAtMs = now();
  }

  /** Whether this machine has other addresses than it had. */
  get hasMoved(): boolean {
    return cardAddresses().join() !== this.#cards;
  }

  /** Looks. After a move a trickle is no sign of life: what the peer says may still come by the old way. */
  isWeak(): boolean {
    const stats = this.#connection.stats();
    const bytes = stats.sentBytes + stats.receivedBytes;
    if (bytes - this.#bytes > trickleBytes) {
      this.#bytes = bytes;
      this.#aliveAtMs = this.#now();
    }
    if (isSilent(stats)) return true;
    const nowMs = this.#now();
    const cards = cardAddresses().join();
    if (cards === this.#cards) {
      this.#movedAtMs = null;
      return false;
    }
    if (nowMs - this.#aliveAtMs > toleratedMs(stats, movedSilenceMs)) return true;
    this.#movedAtMs ??= nowMs;
    if (nowMs - this.#movedAtMs >= settledMs) this.#cards = cards;
    return false;
  }
}

/** Whether nothing is heard where at least the engine's pings should be. */
function isSilent(stats: ConnectionStats): boolean {
  return stats.silentMs > toleratedMs(stats);
}

/** How long nothing may be heard, over a path of that length. */
function toleratedMs({ rttMs }: ConnectionStats, ms = silenceMs): number {
  return ms + 2 * rttMs;
}
