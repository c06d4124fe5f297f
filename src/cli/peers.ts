/** `quiver peers`: gives people's names to peers, so that no ticket is needed. */

import type { Command } from "commander";
import { AddressBook, displayText, type KnownPeer } from "../index.ts";
import { formatCount, formatDuration } from "./format.ts";
import { jsonLine } from "./json-output.ts";

/** Adds the command to a program. */
export function addPeersCommand(program: Command): void {
  const command = program
    .command("peers")
    .description("list the peers that have names here, and where they were last")
    .option("--json", "print one line of JSON for each")
    .addHelpText("after", "\nExample:\n  quiver peers add anna PEER-ID 192.0.2.7:4433")
    .action((flags: { json?: true }) => list(flags));
  command
    .command("add")
    .description("give a peer a name; the same again adds addresses")
    .argument("<name>", "a word of letters and digits")
    .argument("<peer-id>", "what quiver id prints there")
    .argument("[address...]", "where it can be dialled, ip:port")
    .action((name: string, peerId: string, addresses: string[]) => {
      tell(
        "added",
        withBook((book) => book.add({ name, peerId, addresses })),
      );
    });
  command
    .command("rename")
    .description("give a peer another name")
    .argument("<name>", "its name, or its peer id")
    .argument("<new-name>", "a word of letters and digits")
    .action((name: string, newName: string) => {
      tell(
        "renamed",
        withBook((book) => book.rename(name, newName)),
      );
    });
  command
    .command("forget")
    .description("forget a peer and its addresses")
    .argument("<name>", "its name, or its peer id")
    .action((name: string) =>
      tell(
        "forgot",
        withBook((book) => book.forget(name)),
      ),
    );
}

function list(flags: { json?: true }): void {
  const known = withBook((book) => book.list());
  const width = Math.max(0, ...known.map(({ name }) => name.length));
  for (const peer of known) {
    const line = flags.json ? jsonLine(peer) : peerText(peer, width, Date.now());
    process.stdout.write(`${line}\n`);
  }
  if (!flags.json) process.stderr.write(`${formatCount(known.length, "known peer")}\n`);
}

/** A peer on one line: its name, the start of its id, when it was seen, and where. */
export function peerText(peer: KnownPeer, width: number, nowMs: number): string {
  const { name, peerId, addresses, seenAtMs } = peer;
  const seen =
    seenAtMs === null ? "never seen" : `seen ${formatDuration((nowMs - seenAtMs) / 1000)} ago`;
  const where = addresses.length > 0 ? addresses.join(", ") : "no address yet";
  return `${displayText(name).padEnd(width)}  ${peerId.slice(0, 16)}…  ${seen}  ${where}`;
}

function tell(verb: string, { name, peerId, addresses }: KnownPeer): void {
  const where = addresses.length > 0 ? ` at ${addresses.join(", ")}` : "";
  process.stderr.write(`${verb} ${displayText(name)} (${peerId})${where}\n`);
}

function withBook<T>(use: (book: AddressBook) => T): T {
  const book = new AddressBook();
  try {
    return use(book);
  } finally {
    book.close();
  }
}
