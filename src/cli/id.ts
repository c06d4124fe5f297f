/** `quiver id`: prints who this machine is to others. */

import type { Command } from "commander";
import { loadIdentity } from "../index.ts";

/** Adds the command to a program. */
export function addIdCommand(program: Command): void {
  program
    .command("id")
    .description("print this machine's peer id")
    .addHelpText("after", "\nExample:\n  quiver id")
    .action(async () => {
      const { peerId } = await loadIdentity();
      process.stdout.write(`${peerId}\n`);
    });
}
