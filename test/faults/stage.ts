/** A fault, and how it is played: as a test, or by `npm run torture`. */

import { type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { atEnd } from "../ending.ts";
import { Random } from "../fuzz/random.ts";
import type { Stage } from "../netlab/hosts.ts";

/** Something that breaks in a transfer, and what must hold then. */
export interface Fault {
  /** What must hold, as a sentence. */
  title: string;
  /** Breaks it, and checks. Rejects with {@link NotHere} where this machine cannot. */
  play: (stage: Stage, random: Random) => Promise<void>;
  /** Takes minutes: in the torture only where there is time. */
  isLong?: true;
  /** Played for each change of the code, too: seconds, and the same on any machine. */
  isQuick?: boolean;
  /** How long it may take, in milliseconds. @default 5 minutes */
  limitMs?: number;
}

/** This machine has not what a fault needs. */
export class NotHere extends Error {}

/** Makes a test of each fault; its choices are the same in every run. */
export function testFaults(faults: readonly Fault[]): void {
  for (const { title, play, isQuick = false, limitMs = defaultLimitMs } of faults) {
    // All of them together take longer than a change should wait: npm run torture plays them, too.
    const skip = isQuick || process.env["QUIVER_LONG"] ? false : "it takes long: QUIVER_LONG=1";
    test(title, { skip, timeout: limitMs }, (t) => playOrSkip(t, play));
  }
}

/** Plays it on a stage that is cleared at the end; skips the test where this machine cannot. */
export async function playOrSkip(t: TestContext, play: Fault["play"]): Promise<void> {
  const { stage, clear } = openStage((text) => t.diagnostic(text));
  // Of a test that takes too long nobody waits for the end.
  atEnd(t, clear);
  try {
    await play(stage, new Random(1));
  } catch (error) {
    if (!(error instanceof NotHere)) throw error;
    t.skip(error.message);
  } finally {
    await clear();
  }
}

/** A stage, and what clears it: what was set up last goes first. */
export function openStage(diagnostic: Stage["diagnostic"]): {
  stage: Stage;
  clear: () => Promise<void>;
} {
  const cleaners: (() => unknown)[] = [];
  const clear = async () => {
    for (let clean = cleaners.pop(); clean; clean = cleaners.pop()) await clean();
  };
  return { stage: { after: (clean) => void cleaners.push(clean), diagnostic }, clear };
}

/** Waits until something is true that no event tells of. */
export async function until(isTrue: () => boolean, what: string): Promise<void> {
  const end = performance.now() + untilMs;
  while (!isTrue()) {
    if (performance.now() > end) throw new Error(`${what} took too long`);
    await pause(pollMs);
  }
}

export const defaultLimitMs = 5 * 60_000;
const untilMs = 120_000;
const pollMs = 10;
