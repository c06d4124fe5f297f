/** The addon's functions and methods with any arguments: an error at most, never the end of Node. */

import { type ChildProcess, fork } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Random } from "./random.ts";
import type { Target } from "./target.ts";

/** A process that makes calls, as long as it lives. */
interface Caller {
  process: ChildProcess;
  /** Where it works. */
  home: string;
  /** What it has said to standard error. */
  words: () => string;
}

function addonTarget(): Target {
  let caller: Caller | null = null;
  return {
    name: "addon",
    seeds,
    async run(input) {
      caller ??= start();
      const { process: child, words } = caller;
      const answer = await new Promise<Answer>((resolve) => {
        const ended = (code: number | null, signal: string | null) =>
          resolve({ broken: `the process ended with ${signal ?? code}: ${words()}` });
        child.once("exit", ended);
        child.once("message", (message) => {
          child.off("exit", ended);
          resolve(message as Answer);
        });
        child.send(Buffer.from(input).toString("hex"));
      });
      if ("outcome" in answer) return answer.outcome;
      await this.close?.();
      throw new Error(answer.broken);
    },
    async close() {
      if (!caller) return;
      const { process: child, home } = caller;
      caller = null;
      const isOver = child.exitCode !== null || child.signalCode !== null;
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      if (!isOver) await ended;
      rmSync(home, { recursive: true, force: true });
    },
  };
}

type Answer = { outcome: string } | { broken: string };

function start(): Caller {
  const home = mkdtempSync(join(tmpdir(), "quiver-fuzz-"));
  const child = fork(childPath, [home], { stdio: ["ignore", "ignore", "pipe", "ipc"] });
  let text = "";
  child.stderr?.on("data", (chunk) => {
    text = (text + String(chunk)).slice(-2000);
  });
  return { process: child, home, words: () => text };
}

const childPath = fileURLToPath(new URL("addon-child.ts", import.meta.url));
const addon = fileURLToPath(new URL("../../native/quiver.node", import.meta.url));

/** The bytes choose handles, methods and arguments, so that any will do. */
const random = new Random(1);
const seeds = Array.from({ length: 50 }, () => random.bytes(40));

/** The addon, where it is built. */
export const addonTargets: readonly Target[] = existsSync(addon) ? [addonTarget()] : [];
