/** One side of a transfer: a command on a host, with the CPU time and the memory that it takes. */

import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { anonymousBytes, processTree } from "./processes.ts";

/** A command of a tool. */
export interface Command {
  argv: string[];
  env?: Record<string, string>;
  /** Folder that it runs in; ours without it. */
  cwd?: string;
  /** File for standard input; nothing without it. */
  inputFile?: string;
  /** Text for standard input. */
  input?: string;
  /** File for standard output; without it the text is kept. */
  outputFile?: string;
}

/** What a side has used when it has ended. */
export interface SideResult {
  exit: number;
  /** When it ended, by `performance.now()`. */
  endedAtMs: number;
  /** User and system time of the command and all that it started, in seconds. */
  cpuSeconds: number;
  /** Most anonymous memory seen, the command's children included. */
  peakBytes: number;
  output: string;
  errors: string;
}

/** A running side. */
export class Side {
  /** Resolves when the command has ended, however it did. */
  readonly done: Promise<SideResult>;
  #child: ChildProcess;
  #closed: Promise<unknown>;
  #cpuFile: string;
  #peakBytes = 0;
  #output = "";
  #errors = "";

  /** Starts a command behind the words that bring it to its host. `cpuFile` is written at its end. */
  constructor(host: string[], command: Command, cpuFile: string) {
    const input = command.inputFile === undefined ? undefined : openSync(command.inputFile, "r");
    const output = command.outputFile === undefined ? undefined : openSync(command.outputFile, "w");
    this.#cpuFile = cpuFile;
    this.#child = spawn("sh", ["-c", withTimes, cpuFile, ...host, ...command.argv], {
      env: { ...process.env, ...command.env },
      cwd: command.cwd,
      // Its own group: a Ctrl-C at the terminal is for the benchmark, which ends it in order.
      detached: true,
      // Not a pipe without need: rsync's daemon takes one of Node's for a connection from inetd.
      stdio: [input ?? (command.input ? "pipe" : "ignore"), output ?? "pipe", "pipe"],
    });
    if (input !== undefined) closeSync(input);
    if (output !== undefined) closeSync(output);
    this.#child.stdin?.on("error", () => {}).end(command.input);
    this.#child.stdout?.setEncoding("utf8").on("data", (text) => {
      this.#output += text;
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text) => {
      this.#errors += text;
    });
    this.#closed = new Promise((resolve) => {
      this.#child.on("close", resolve);
    });
    this.done = this.#end();
  }

  /** What the command has printed so far. */
  get output(): string {
    return this.#output;
  }

  /** The ids of the command's processes, the shell that counts their time first. */
  processes(): number[] {
    return this.#child.pid === undefined ? [] : processTree(this.#child.pid);
  }

  /** Notes the memory that the side has now. */
  sample(): void {
    const bytes = this.processes().reduce((sum, pid) => sum + anonymousBytes(pid), 0);
    this.#peakBytes = Math.max(this.#peakBytes, bytes);
  }

  /** Ends a command that does not end by itself, so that its CPU time is still counted. */
  terminate(): void {
    for (const pid of this.processes().slice(1)) {
      try {
        process.kill(pid, "SIGTERM");
      } catch {
        // It has ended by itself.
      }
    }
  }

  async #end(): Promise<SideResult> {
    const exit = await new Promise<number>((resolve, reject) => {
      this.#child.on("error", reject);
      this.#child.on("exit", (code) => resolve(code ?? 255));
    });
    const endedAtMs = performance.now();
    // The rest of the output; a process that stays behind may hold the pipes open for ever.
    await Promise.race([this.#closed, pause(restMs)]);
    return {
      exit,
      endedAtMs,
      cpuSeconds: readTimes(this.#cpuFile),
      peakBytes: this.#peakBytes,
      output: this.#output,
      errors: this.#errors,
    };
  }
}

/** Waits until the sender can be received from; returns what the receiver must know. */
export async function readiness(
  sender: Side,
  look: () => string | undefined,
  signal: AbortSignal,
): Promise<string> {
  let hasEnded = false;
  sender.done.then(() => {
    hasEnded = true;
  });
  for (let waited = 0; waited < readyMs; waited += pollMs) {
    const ready = look();
    if (ready !== undefined) return ready;
    signal.throwIfAborted();
    if (hasEnded) throw new Error(ending("sender", await sender.done));
    await pause(pollMs);
  }
  throw new Error(`the sender was not ready after ${readyMs / 1000} s`);
}

/** How a side ended, with the last of what it said. */
export function ending(side: string, { exit, errors, output }: SideResult): string {
  const last = (errors.trim() || output.trim()).split("\n").slice(-3).join(" | ");
  return `the ${side} ended with exit status ${exit}: ${last.slice(-300)}`;
}

/** A shell counts the time of its children for any tool, without GNU time. `$0` is the CPU file. */
const withTimes = 'trap : TERM INT; "$@"; status=$?; times > "$0"; exit $status';

/** The second line of `times`: user and system time of all children that were waited for. */
function readTimes(path: string): number {
  try {
    const [, children = ""] = readFileSync(path, "utf8").split("\n");
    const parts = [...children.matchAll(/(\d+)m([\d.]+)s/g)];
    return parts.reduce(
      (sum, [, minutes, seconds]) => sum + 60 * Number(minutes) + Number(seconds),
      0,
    );
  } catch {
    // The shell was killed with its command.
    return 0;
  }
}

const restMs = 500;
const pollMs = 20;
const readyMs = 20_000;
