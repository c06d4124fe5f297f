/** `quiver get`: brings files that another person shares. */

import type { Command } from "commander";
import { displayText } from "../index.ts";
import { addReceiveFlags, bring, openReceiver, type ReceiveFlags, requireUsable } from "./bring.ts";
import { withPeer } from "./farewell.ts";
import type { JsonOutput } from "./json-output.ts";
import { openOutput } from "./output.ts";
import { remotePaths } from "./remote-path.ts";

/** Adds the command to a program. */
export function addGetCommand(program: Command, json: JsonOutput): void {
  const command = program
    .command("get")
    .description("get files and folders that a known peer shares")
    .argument("<peer:path...>", "what to get; quiver list PEER shows what there is");
  addReceiveFlags(command);
  command.addHelpText("after", "\nExample:\n  quiver get anna:photos/2026 --into downloads");
  command.action((texts: string[], flags: ReceiveFlags) => get(texts, flags, json));
}

async function get(texts: string[], flags: ReceiveFlags, json: JsonOutput): Promise<void> {
  const { peer: from, paths } = remotePaths(texts);
  requireUsable(flags);
  const output = await openOutput(flags, json);
  const peer = await openReceiver(flags, output);
  await withPeer(peer, async () => {
    output.display.status(`connecting to ${displayText(from, 80)}`);
    await bring({ begin: (options) => peer.request(from, paths, options), flags, output });
  });
}
