/** Ctrl-C at a benchmark: what is under way ends, and what it has made is taken away. */

import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Lab } from "./lab.ts";

const controller = new AbortController();
// The listeners stay: a second Ctrl-C must not end the clean-up that the first one began.
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(name, () => controller.abort(new Error("interrupted")));
}

/** Aborts with a Ctrl-C, and when the process is told to end. */
export const interrupt = controller.signal;

/** Runs a benchmark; the process ends with its exit status, or with the reason in one line. */
export async function runBenchmark(benchmark: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await benchmark();
  } catch (error) {
    // What an interruption breaks says many things; the reason is one.
    const cause: unknown = interrupt.aborted ? interrupt.reason : error;
    console.error(`bench: ${cause instanceof Error ? cause.message : String(cause)}`);
    process.exitCode = interrupt.aborted ? 130 : 1;
  }
}

/** Does work with two hosts, which are not up yet, and a new folder in `parent`; both go away after it. */
export async function withLab<T>(
  parent: string,
  work: (lab: Lab, folder: string) => Promise<T>,
): Promise<T> {
  interrupt.throwIfAborted();
  const folder = mkdtempSync(join(parent, "quiver-bench-"));
  const lab = new Lab();
  const end = () => lab.killProcesses();
  interrupt.addEventListener("abort", end);
  try {
    return await work(lab, folder);
  } finally {
    interrupt.removeEventListener("abort", end);
    lab.down();
    rmSync(folder, { recursive: true, force: true });
  }
}
