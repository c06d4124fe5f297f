/** Runs a program in this one's place, as far as Node can. */

import { spawn } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";
import { pinnedNode, root } from "./paths.mjs";

/** Runs the pinned Node as {@link run} does; what it compiles of our sources is kept for the next start. */
export function runNode(args, options = {}) {
  const env = { NODE_COMPILE_CACHE: join(root, "node_modules", ".cache", "node"), ...process.env };
  return run(pinnedNode(root), args, { env, cwd: root, ...options });
}

/**
 * Runs a program on this terminal and resolves with its exit status.
 *
 * A signal to us goes on to the program; its own end by a signal gives 128 + the signal's number,
 * as shells have it. A Ctrl-C reaches both from the terminal, so ours only has to be survived.
 */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: "inherit", ...options });
    const forward = (signal) => child.kill(signal);
    const ignore = () => {};
    process.on("SIGINT", ignore);
    for (const signal of forwarded) process.on(signal, forward);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      process.off("SIGINT", ignore);
      for (const name of forwarded) process.off(name, forward);
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}

const forwarded = ["SIGTERM", "SIGHUP"];
