/** Flags that choose what travels. */

import type { Command } from "commander";

/** What a sender leaves out. */
export interface SourceChoiceFlags {
  exclude?: string[];
  gitignore?: true;
}

/** Adds the flags by which a sender chooses. */
export function addSourceChoiceFlags(command: Command): Command {
  return command
    .option("--exclude <pattern>", "leave out what fits, as in .gitignore; repeatable", collect)
    .option(
      "--gitignore",
      "leave out what .gitignore files in the folders say (.git itself stays)",
    );
}

/** What a receiver wants. */
export interface EntryChoiceFlags {
  only?: string[];
  exclude?: string[];
}

/** Adds the flags by which a receiver chooses. */
export function addEntryChoiceFlags(command: Command): Command {
  return command
    .option("--only <pattern>", "receive what fits, as in .gitignore; repeatable", collect)
    .option("--exclude <pattern>", "leave out what fits; repeatable", collect);
}

/** Gathers the values of a flag that may be given again and again. */
function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}
