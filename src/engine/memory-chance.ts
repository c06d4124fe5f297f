/** Chance that repeats itself: what a crash leaves of the changes that were not synced. */

/** Decides what is left to chance. */
export interface Chance {
  /** Whether a change is kept. */
  keeps(): boolean;
  /** A whole number from 0 to below `count`. */
  below(count: number): number;
}

/** Every change is kept. */
export const keepAll: Chance = { keeps: () => true, below: () => 0 };

/** No change is kept. */
export const keepNone: Chance = { keeps: () => false, below: () => 0 };

/** The same decisions for the same numbers; most changes are kept, few, or half of them. */
export function seededChance(...numbers: readonly number[]): Chance {
  const next = generator(numbers.reduce((seed, number) => mix(seed ^ mix(number)), 0));
  const below = (count: number) => Math.floor(next() * count);
  const share = SHARES[below(SHARES.length)] ?? 0;
  return { keeps: () => next() < share, below };
}

/** Mulberry32: numbers from 0 to below 1. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The finalizer of MurmurHash3. */
function mix(number: number): number {
  let value = number + 0x9e3779b9;
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return value ^ (value >>> 16);
}

const SHARES = [0.15, 0.5, 0.85];
