/** `quiver partials`: lists what interrupted transfers have left in a folder, and removes it. */

import type { Command } from "commander";
import { displayText, listPartials, type PartialTransfer, removePartials } from "../index.ts";
import { formatBytes, formatCount } from "./format.ts";
import { jsonLine } from "./json-output.ts";

/** Adds the command to a program. */
export function addPartialsCommand(program: Command): void {
  program
    .command("partials")
    .description("list what interrupted transfers have left in a folder")
    .option("--into <dir>", "the folder that they were to land in", ".")
    .option("--clean", "remove it; a transfer that runs is left alone")
    .option("--json", "print one line of JSON for each")
    .addHelpText("after", "\nExample:\n  quiver partials --into downloads --clean")
    .action(partials);
}

async function partials(flags: { into: string; clean?: true; json?: true }): Promise<void> {
  const found = flags.clean ? await removePartials(flags.into) : await listPartials(flags.into);
  for (const partial of found) {
    const line = flags.json ? jsonLine(partial) : textOf(partial);
    process.stdout.write(`${line}\n`);
  }
  if (flags.json) return;
  const left = formatCount(found.length, "interrupted transfer");
  const inUse = found.filter(({ isInUse }) => isInUse).length;
  const removed = formatCount(found.length - inUse, "interrupted transfer");
  process.stderr.write(flags.clean ? `removed ${removed}\n` : `${left} in ${flags.into}\n`);
}

function textOf({ name, items, provenBytes, totalBytes, isInUse }: PartialTransfer): string {
  const shown = items.map((item) => displayText(item, 60)).join(", ") || "nothing yet";
  const share = `${formatBytes(provenBytes)} of ${formatBytes(totalBytes)}`;
  return `${name}  ${isInUse ? "in use" : share}  ${shown}`;
}
