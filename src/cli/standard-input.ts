/** Standard input as what is sent: `quiver send - --as NAME`. */

import { type Sendable, TransferError } from "../index.ts";

/** The flags that matter beside `-`. */
export interface StandardInputFlags {
  as?: string;
  text?: string;
  dryRun?: true;
  memoryMap?: true;
}

/** What a command's arguments name: paths, or with `-` alone standard input, which is read only when it is sent. */
export function sendableOf(
  paths: readonly string[],
  flags: StandardInputFlags,
  input: AsyncIterable<Uint8Array>,
): Sendable {
  const problem = problemOf(paths, flags);
  if (problem !== null) throw new TransferError("INVALID_ARGUMENT", problem);
  return flags.as === undefined ? paths : { stream: input, name: flags.as };
}

function problemOf(paths: readonly string[], flags: StandardInputFlags): string | null {
  if (!paths.includes("-")) {
    return flags.as === undefined ? null : "--as names standard input; add - for it";
  }
  if (paths.length > 1)
    return "- is standard input, which is sent alone; for a file of that name say ./-";
  if (flags.text !== undefined) return "a text is sent alone; leave out - or --text";
  if (flags.as === undefined) return "say with --as NAME what standard input is to be called";
  if (flags.dryRun) return "--dry-run cannot tell what standard input holds; leave it out";
  if (flags.memoryMap) return "standard input cannot be mapped; leave out --memory-map";
  return null;
}
