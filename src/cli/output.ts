/** What a command tells, and to whom: people, programs or nobody. */

import type { Command } from "commander";
import type { Logger } from "../index.ts";
import { type Display, plainDisplay, silentDisplay } from "./display.ts";
import type { JsonOutput } from "./json-output.ts";
import { terminalDisplay } from "./progress-display.ts";

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
export function openOutput(flags: OutputFlags, json: JsonOutput): Output {
  const display = chooseDisplay(flags);
  const logger = flags.verbose && {
    info: (line: string) => display.print(line),
    warn: (line: string) => display.print(line),
  };
  return { display, json: flags.json && json, logger };
}

function chooseDisplay({ json, quiet, verbose }: OutputFlags): Display {
  const stream = process.stderr;
  if (quiet || (json && !verbose)) return silentDisplay();
  if (stream.isTTY && !json) return terminalDisplay(stream);
  const plain = plainDisplay(stream, () => performance.now());
  // The library's lines tell the progress already.
  return verbose ? { ...plain, status() {}, progress() {} } : plain;
}
