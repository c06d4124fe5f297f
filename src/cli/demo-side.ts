/** One side of a demo: the command in a process of its own, read through its `--json` lines. */

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { type ErrorCode, TransferError, type TransferEvent } from "../index.ts";

/** How to start a side. */
export interface SideOptions {
  /** What follows `quiver` on the command line. */
  args: readonly string[];
  /** Variables beyond this process's own. */
  environment: Record<string, string>;
  onEvent: (event: TransferEvent) => void;
}

/** A side that runs. */
export interface Side {
  /** Resolves when the process ended well; rejects with its own failure. */
  readonly ended: Promise<void>;
  /** Asks it to end. */
  end(): void;
  /** Ends it without asking. */
  endAtOnce(): void;
}

/** Starts a side with the Node and the program that run here. */
export function startSide({ args, environment, onEvent }: SideOptions): Side {
  const program = process.argv[1] ?? "";
  const child = spawn(process.execPath, [...process.execArgv, program, ...args], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let failure: { code: ErrorCode; message: string } | undefined;
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints = (complaints + text).slice(-longestComplaint);
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    const event = JSON.parse(line) as TransferEvent;
    if (event.type === "error") failure = event;
    onEvent(event);
  });
  const ended = Promise.withResolvers<void>();
  child.on("error", ended.reject);
  child.on("close", (status) => {
    if (status === 0) ended.resolve();
    else if (failure) ended.reject(new TransferError(failure.code, failure.message));
    else ended.reject(new Error(`quiver ${args[0]} ended with ${status}: ${complaints}`));
  });
  // Whoever waits for the other side first must not miss this one's failure by a crash.
  ended.promise.catch(() => {});
  return {
    ended: ended.promise,
    end: () => void child.kill("SIGTERM"),
    endAtOnce: () => void child.kill("SIGKILL"),
  };
}

/** Enough for a stack. */
const longestComplaint = 8000;
