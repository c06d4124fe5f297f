/**
 * Runs a target with ever new inputs.
 *
 * Inputs that lead to an outcome not seen before are kept and changed further, so that it gets
 * deeper than by chance; what an outcome is, the target says.
 */

import { mutate } from "./mutate.ts";
import type { Random } from "./random.ts";
import type { Target } from "./target.ts";

/** An input that breaks a promise. */
export interface Find {
  input: Uint8Array;
  error: unknown;
}

/** What came of fuzzing one target. */
export interface FuzzCount {
  runs: number;
  /** Different outcomes. */
  outcomes: number;
  seconds: number;
  slowestMs: number;
  finds: Find[];
}

/** Runs a target until `isOver` says so; each kind of find is told once. */
export async function fuzz(
  target: Target,
  options: { random: Random; known?: readonly Uint8Array[]; isOver: (runs: number) => boolean },
): Promise<FuzzCount> {
  const { random, known = [], isOver } = options;
  const pool = [...target.seeds, ...known];
  const outcomes = new Set<string>();
  const finds = new Map<string, Find>();
  const start = performance.now();
  let slowestMs = 0;
  let runs = 0;
  for (; !isOver(runs) && finds.size < mostFinds; runs += 1) {
    const input = pool[runs] ?? mutate(random.pick(pool), pool, random);
    const begun = performance.now();
    const result = await attempt(target, input);
    slowestMs = Math.max(slowestMs, performance.now() - begun);
    if ("outcome" in result && !outcomes.has(result.outcome)) {
      outcomes.add(result.outcome);
      if (outcomes.size < mostKept) pool.push(input);
    }
    if ("error" in result) finds.set(kindOf(result.error), { input, error: result.error });
  }
  const seconds = (performance.now() - start) / 1000;
  return { runs, outcomes: outcomes.size, seconds, slowestMs, finds: [...finds.values()] };
}

/** Runs a target once, within bounds of time and memory. */
export async function attempt(
  target: Target,
  input: Uint8Array,
): Promise<{ outcome: string } | { error: unknown }> {
  const before = performance.now();
  try {
    const running = target.run(input);
    const outcome = typeof running === "string" ? running : await inTime(running);
    const ms = performance.now() - before;
    if (ms > mostMs) throw new Error(`one input takes more than ${mostMs} ms`);
    if (process.memoryUsage.rss() > mostBytes) throw new Error("the process has grown too large");
    return { outcome };
  } catch (error) {
    return { error };
  }
}

async function inTime(running: Promise<string>): Promise<string> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("one input never ends")), 5 * mostMs);
  return Promise.race([running, late.promise]).finally(() => clearTimeout(timer));
}

/** The shortest input that is found to break the same promise by leaving bytes out. */
export async function shortest(target: Target, { input, error }: Find): Promise<Uint8Array> {
  let best = input;
  for (let step = best.length >> 1; step > 0; step >>= 1) {
    for (let at = 0; at + step <= best.length; ) {
      const shorter = Buffer.concat([best.subarray(0, at), best.subarray(at + step)]);
      const result = await attempt(target, shorter);
      if ("error" in result && kindOf(result.error) === kindOf(error)) best = shorter;
      else at += step;
    }
  }
  return best;
}

/** What makes two finds the same: where it was thrown. */
function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = error.stack?.split("\n").find((line) => line.includes("/src/")) ?? "";
  return `${error.name} ${error.message.split("\n", 1)[0]?.replace(/\d+/g, "N").slice(0, 60)} ${place}`;
}

/** The largest inputs that are made take a few milliseconds; the rest is for a busy machine. */
const mostMs = 5000;
const mostBytes = 2 * 1024 ** 3;
const mostKept = 2000;
const mostFinds = 5;
