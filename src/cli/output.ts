/** What a command tells, and to whom: people, programs or nobody. */

import type { Command } from "commander";
import type { Logger } from "../index.ts";
import { type Display, plainDisplay, silentDisplay } from "./display.ts";
import type { JsonOutput } from "./json-output.ts";

/** The flags that choose an {@link Output}. */
export interface OutputFlags {
  json?: true;
  quiet?: true;
  verbose?: true;
}

/** The two sides of what a command tells. */
export interface Output {
  /** For people. */
  display: Display;
  /** For programs; undefined without `--json`. */
  json: JsonOutput | undefined;
  /** For the library's own lines; undefined without `--verbose`. */
  logger: Logger | undefined;
}

/** Adds the flags that every transfer has. */
export function addOutputFlags(command: Command): Command {
  return command
    .option("--json", "print one event a line to standard output, as JSON")
    .addOption(command.createOption("--quiet", "print nothing but errors").conflicts("verbose"))
    .option("--verbose", "print what happens, line by line");
}

/** The output that the flags ask for, on this process's standard streams. */
export async function openOutput(flags: OutputFlags, json: JsonOutput): Promise<Output> {
  const display = await chooseDisplay(flags);
  const logger = flags.verbose && {
    info: (line: string) => display.print(line),
    warn: (line: string) => display.print(line),
  };
  return { display, json: flags.json && json, logger };
}

async function chooseDisplay({ json, quiet, verbose }: OutputFlags): Promise<Display> {
  const stream = process.stderr;
  if (quiet || (json && !verbose)) return silentDisplay();
  if (stream.isTTY && !json) {
    // What draws takes as long to load as everything else: only where something is drawn.
    const { terminalDisplay } = await import("./progress-display.ts");
    return terminalDisplay(stream);
  }
  const plain = plainDisplay(stream, () => performance.now());
  // The library's lines tell the progress already.
  return verbose ? { ...plain, status() {}, progress() {} } : plain;
}
