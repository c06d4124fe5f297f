/** `quiver list`: shows what another person shares. */

import type { Command } from "commander";
import { displayText, type ListedEntry, Peer } from "../index.ts";
import { withPeer } from "./farewell.ts";
import { formatBytes, formatDate } from "./format.ts";
import { jsonLine } from "./json-output.ts";
import { remotePath } from "./remote-path.ts";

/** Adds the command to a program. */
export function addListCommand(program: Command): void {
  program
    .command("list")
    .description("list what a known peer shares with this machine")
    .argument("<peer[:path]>", "a peer for its shares, or a folder in one of them")
    .option("--json", "print one line of JSON for each")
    .addHelpText("after", "\nExample:\n  quiver list anna:photos")
    .action((text: string, flags: { json?: true }) => list(text, flags));
}

async function list(text: string, { json }: { json?: true }): Promise<void> {
  const { peer: from, path } = remotePath(text);
  const peer = await Peer.open();
  let count = 0;
  await withPeer(peer, async () => {
    for await (const entry of peer.list(from, path)) {
      count += 1;
      process.stdout.write(`${json ? jsonLine(entry) : entryText(entry)}\n`);
    }
  });
  if (count > 0 || json) return;
  const nothing = path === "" ? "nothing is shared with this machine" : "the folder is empty";
  process.stderr.write(`${nothing}\n`);
}

/** An entry on one line: size, time and name; a slash behind a folder's, an @ behind a link's. */
export function entryText({ kind, name, bytes, mtimeMs }: ListedEntry): string {
  const size = kind === "file" ? formatBytes(bytes) : "";
  const mark = { file: "", folder: "/", link: "@" }[kind];
  return `${size.padStart(longestSize)}  ${formatDate(mtimeMs)}  ${displayText(name)}${mark}`;
}

/** `999 kB`, and a place more for the largest. */
const longestSize = 7;
