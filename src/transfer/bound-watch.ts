/** Looks at the counters of a transfer that is sent, and says what holds it. */

import type { Clock } from "../clock.ts";
import type { ConnectionStats } from "../engine/engine.ts";
import { progressIntervalMs } from "../options.ts";
import type { Bound } from "../protocol/messages.ts";
import type { SideTimes } from "../protocol/progress-message.ts";
import { bindingOf, type PathCounts } from "./binding.ts";
import { BoundTimes } from "./bound-times.ts";
import type { BoundShare } from "./events.ts";
import type { Looks } from "./looks.ts";
import type { SideClock } from "./side-clock.ts";

/** What is watched. */
export interface BoundWatchOptions {
  clock: Clock;
  looks: Looks;
  side: SideClock;
  /** Whether the congestion control has an idea of the path's rate. */
  knowsRate: boolean;
  /** Whether neither a pause nor a queue holds the transfer. */
  isMoving: () => boolean;
  /** Hears of each change. */
  changed: (by: Bound | null) => void;
}

/** What was counted up to a look. */
interface Look {
  atMs: number;
  sender: SideTimes;
  stats: ConnectionStats;
}

/** What holds a transfer, from one look to the next. */
export class BoundWatch {
  readonly #options: BoundWatchOptions;
  readonly #times: BoundTimes;
  /** The looks of the last seconds, the oldest first. */
  #looks: Look[] = [];
  /**
   * What the receiver has told, over a second of its own at least: one that stands in its disk or has no processor
   * tells late.
   */
  readonly #heard: SideTimes[] = [noTimes];
  #leastRttMs = Number.POSITIVE_INFINITY;
  readonly #stopLooking: () => void;
  #isLanding = false;
  #by: Bound | null = null;

  /** Takes a first look, and others as often as progress is told. */
  constructor(options: BoundWatchOptions) {
    this.#options = options;
    this.#times = new BoundTimes(options.clock.now());
    this.#looks.push(this.#count());
    this.#stopLooking = options.clock.every(progressIntervalMs, () => this.look());
  }

  /** What holds it now. */
  get by(): Bound | null {
    return this.#by;
  }

  /** Looks for the last time, and returns what has held it. */
  end(): BoundShare[] {
    this.look();
    this.close();
    return this.#times.shares;
  }

  /** Takes what the receiver has counted of itself. */
  heard(receiver: SideTimes): void {
    this.#heard.push(receiver);
    const isOld = (next: SideTimes | undefined) =>
      next !== undefined && receiver.elapsedMs - next.elapsedMs >= spanMs;
    while (isOld(this.#heard[1])) this.#heard.shift();
  }

  /** Notes that the receiver has everything: what it does from now on is to bring it to disk. */
  landing(): void {
    this.look();
    this.#isLanding = true;
  }

  /** Ends the looking. */
  close(): void {
    this.#stopLooking();
  }

  /** Looks again. */
  look(): void {
    const look = this.#count();
    this.#looks.push(look);
    while (look.atMs - (this.#looks[1]?.atMs ?? look.atMs) >= lossMs) this.#looks.shift();
    const by = this.#binding(look);
    this.#times.add(by, look.atMs);
    if (by === this.#by) return;
    this.#by = by;
    this.#options.changed(by);
  }

  #count(): Look {
    const { clock, looks, side } = this.#options;
    const { stats } = looks;
    if (stats.rttMs > 0) this.#leastRttMs = Math.min(this.#leastRttMs, stats.rttMs);
    return { atMs: clock.now(), sender: side.look(), stats };
  }

  #binding(look: Look): Bound | null {
    if (this.#isLanding) return "receiver-disk";
    const [first = look] = this.#looks;
    const before = this.#looks.findLast(({ atMs }) => look.atMs - atMs >= spanMs) ?? first;
    if (!this.#options.isMoving()) return null;
    return bindingOf({
      sender: timesBetween(before.sender, look.sender),
      receiver: this.#receiver,
      path: this.#pathBetween({ first, before, look }),
    });
  }

  /** What the receiver has done in the last second that it told of; null of one that tells nothing. */
  get #receiver(): SideTimes | null {
    const [first, second] = this.#heard;
    const last = this.#heard.at(-1);
    return first && last && second ? timesBetween(first, last) : null;
  }

  #pathBetween({ first, before, look }: Record<"first" | "before" | "look", Look>): PathCounts {
    const { isRelayed, rttMs, rateBytesPerSecond } = look.stats;
    return {
      isRelayed,
      rttMs,
      leastRttMs: this.#leastRttMs,
      rateBytesPerSecond: this.#options.knowsRate ? rateBytesPerSecond : null,
      // Another path has counts of its own.
      deliveredBytes: Math.max(0, look.stats.deliveredBytes - before.stats.deliveredBytes),
      unfilledBytes: Math.max(0, look.stats.unfilledBytes - before.stats.unfilledBytes),
      sentPackets: look.stats.sentPackets - first.stats.sentPackets,
      lostPackets: look.stats.lostPackets - first.stats.lostPackets,
    };
  }
}

function timesBetween(before: SideTimes, now: SideTimes): SideTimes {
  return {
    elapsedMs: now.elapsedMs - before.elapsedMs,
    diskMs: now.diskMs - before.diskMs,
    limitMs: now.limitMs - before.limitMs,
    streamMs: now.streamMs - before.streamMs,
    workMs: now.workMs - before.workMs,
    busyMs: now.busyMs - before.busyMs,
  };
}

const noTimes = { elapsedMs: 0, diskMs: 0, limitMs: 0, streamMs: 0, workMs: 0, busyMs: 0 };
/** What is told as now: long enough for what comes in lumps, short enough to follow a change. */
const spanMs = 1000;
/** Over which losses are counted. */
const lossMs = 5000;
