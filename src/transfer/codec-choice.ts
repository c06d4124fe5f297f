/**
 * Chooses how pieces are encoded, by what was measured: the path's rate, and speed and ratio of each codec.
 *
 * Pure: the time and the measurements come in.
 */

import { asTheyAre, type Coding } from "../codec.ts";
import type { EncodedBytes } from "../engine/engine.ts";
import {
  codingChangeGain,
  codingGain,
  codingProbeMs,
  codingSampleBytes,
  codingStepMs,
  codingTrialShare,
} from "../options.ts";

/** What is known of the path. */
export interface PathState {
  nowMs: number;
  /** What the path carries; 0 while unknown. */
  rateBytesPerSecond: number;
  rttMs: number;
}

/** What to do with the next pieces of a lane. */
export interface CodingStep {
  coding: Coding;
  /** For how many bytes, before the next question. */
  mostBytes: number;
  /** Whether it is only to measure. */
  isTrial: boolean;
}

/** A coding and what it was measured to do, by byte of a piece. */
interface Rung {
  coding: Coding;
  /** Both null before the first trial. */
  sentPerByte: number | null;
  secondsPerByte: number;
  triedAtMs: number;
}

/** The choice for one kind of content of one transfer. */
export class CodecChoice {
  /** From the quickest to the smallest. */
  readonly #rungs: readonly Rung[];
  readonly #threads: number;
  /** Null for pieces as they are. */
  #current: Rung | null = null;
  #startedAtMs: number | null = null;
  /** Infinity while one is under way. */
  #nextTrialMs = Number.NEGATIVE_INFINITY;
  #nextProbeMs = Number.NEGATIVE_INFINITY;

  /** `codings` go from the quickest to the smallest; as many pieces are encoded at once as there are threads. */
  constructor(codings: readonly Coding[], threads: number) {
    this.#rungs = codings.map((coding) => {
      return { coding, sentPerByte: null, secondsPerByte: 0, triedAtMs: Number.NEGATIVE_INFINITY };
    });
    this.#threads = threads;
  }

  /** What to do now. A trial that it gives must be {@link CodecChoice.note}d, whatever came of it. */
  next(path: PathState): CodingStep {
    this.#startedAtMs ??= path.nowMs;
    if (path.nowMs >= this.#nextTrialMs) {
      const trial = this.#trial(path);
      if (trial) {
        this.#nextTrialMs = Number.POSITIVE_INFINITY;
        return { coding: trial.coding, mostBytes: codingSampleBytes, isTrial: true };
      }
    }
    // A path whose rate is still being looked for must be full, or less than it carries is found.
    const isEarly = path.nowMs - this.#startedAtMs < startRoundTrips * path.rttMs;
    this.#current = isEarly ? null : this.#best(path);
    const mostBytes = Math.max(codingSampleBytes, (path.rateBytesPerSecond * codingStepMs) / 1000);
    const isProbe = this.#isSlow(path) && path.nowMs >= this.#nextProbeMs;
    if (isProbe) this.#nextProbeMs = path.nowMs + codingProbeMs;
    const coding = isProbe ? asTheyAre : (this.#current?.coding ?? asTheyAre);
    return { coding, mostBytes, isTrial: false };
  }

  /** Takes in what a step came to. */
  note(step: CodingStep, { rawBytes, sentBytes, encodeMs }: EncodedBytes, nowMs: number): void {
    const rung = this.#rungs.find(({ coding }) => coding === step.coding);
    if (step.isTrial) this.#nextTrialMs = nowMs + Math.max(handOverMs, encodeMs) / codingTrialShare;
    if (!rung || rawBytes === 0) return;
    const sentPerByte = sentBytes / rawBytes;
    const secondsPerByte = encodeMs / 1000 / rawBytes;
    const isFirst = rung.sentPerByte === null;
    rung.sentPerByte = isFirst ? sentPerByte : mean(rung.sentPerByte ?? 0, sentPerByte);
    rung.secondsPerByte = isFirst ? secondsPerByte : mean(rung.secondsPerByte, secondsPerByte);
    rung.triedAtMs = nowMs;
  }

  /** The coding by which most bytes of the file pass; a new one must be worth the change. */
  #best(path: PathState): Rung | null {
    const plain = this.#speed(null, path) * codingGain;
    let best = this.#current;
    if (this.#speed(best, path) < plain) best = null;
    for (const rung of this.#rungs) {
      const least = best ? this.#speed(best, path) * codingChangeGain : plain;
      if (this.#speed(rung, path) > least) best = rung;
    }
    return best;
  }

  /** Bytes of the file that pass in a second; 0 for what was never tried. */
  #speed(rung: Rung | null, { rateBytesPerSecond: rate }: PathState): number {
    if (!rung) return rate;
    if (rung.sentPerByte === null) return 0;
    return 1 / Math.max(rung.secondsPerByte / this.#threads, rung.sentPerByte / rate);
  }

  /** Whether the path may wait for the codec in use: then no more is seen of its rate than what the codec gives. */
  #isSlow({ rateBytesPerSecond: rate }: PathState): boolean {
    if (!this.#current) return false;
    const { secondsPerByte, sentPerByte } = this.#current;
    return secondsPerByte / this.#threads > (nearlyFull * (sentPerByte ?? 1)) / rate;
  }

  /** The coding that may be better than the one in use; null where there is none. */
  #trial(path: PathState): Rung | null {
    if (!this.#current) {
      // The first two in turn: what the quickest finds nothing in may still be worth the other one.
      const [first = null, second = first] = this.#rungs;
      return second && second.triedAtMs <= (first?.triedAtMs ?? 0) ? second : first;
    }
    const at = this.#rungs.indexOf(this.#current);
    return this.#rungs[this.#isSlow(path) ? at - 1 : at + 1] ?? null;
  }
}

function mean(before: number, now: number): number {
  return (before + now) / 2;
}

/** A path's rate doubles in each of its first round trips: in ten from one MB/s to what any path has. */
const startRoundTrips = 10;
/** A path that is as busy as this may be full or not: measurements are not better. */
const nearlyFull = 0.8;
/** What a trial costs at least: a piece that waits for another thread. */
const handOverMs = 2;
