/** The command line: reads the arguments, and is the one place that tells a failure and exits. */

import { readFileSync } from "node:fs";
import { styleText } from "node:util";
import { Command } from "commander";
import { addDemoCommand } from "./demo.ts";
import { type Failure, failureOf } from "./exit.ts";
import { addGetCommand } from "./get.ts";
import { addIdCommand } from "./id.ts";
import { JsonOutput } from "./json-output.ts";
import { addListCommand } from "./list.ts";
import { addPartialsCommand } from "./partials.ts";
import { addPeersCommand } from "./peers.ts";
import { addReceiveCommand } from "./receive.ts";
import { addSendCommand } from "./send.ts";
import { addShareCommand } from "./share.ts";
import { requireStandardOutput } from "./standard-output.ts";

/** The whole command line. */
function quiverProgram(json: JsonOutput): Command {
  const program = new Command("quiver")
    .description("Moves files between your own machines as fast as the path allows, verified.")
    .version(packageVersion(), "--version", "print the version")
    .helpOption("--help", "print help")
    .addHelpText("after", "\nExample:\n  quiver send holiday-photos\n  quiver receive TICKET")
    // This file prints failures and exits, nobody else.
    .exitOverride()
    .configureOutput({ outputError() {} });
  addSendCommand(program, json);
  addReceiveCommand(program, json);
  addShareCommand(program, json);
  addListCommand(program);
  addGetCommand(program, json);
  addDemoCommand(program, json);
  addPeersCommand(program);
  addPartialsCommand(program);
  addIdCommand(program);
  return program;
}

/** Runs the command and returns its exit status. */
export async function run(argv: readonly string[]): Promise<number> {
  const json = new JsonOutput(process.stdout);
  const program = quiverProgram(json);
  // What standard output shows is what was asked for.
  const failure =
    (await failed(program.parseAsync(argv))) ?? (await failed(requireStandardOutput()));
  if (!failure) return 0;
  const { exit, text, code } = failure;
  // A program that asked for events gets the failures before any transfer as events, too.
  if (code && argv.includes("--json") && !json.endsWithError) {
    await json.write({ type: "error", transferId: "", code, message: text });
  }
  const subject = styleText("red", "quiver:", { stream: process.stderr });
  if (text !== "") process.stderr.write(`${subject} ${text}\n`);
  return exit;
}

/** How work has failed, if it has; help that was asked for is no failure. */
async function failed(work: Promise<unknown>): Promise<Failure | null> {
  try {
    await work;
    return null;
  } catch (error) {
    const failure = failureOf(error);
    return failure.exit === 0 ? null : failure;
  }
}

function packageVersion(): string {
  const manifest = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(manifest) as { version: string };
  return version;
}
