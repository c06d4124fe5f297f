/** What a failure means for the shell: a sentence for people and an exit status. */

import { CommanderError } from "commander";
import { type ErrorCode, errorCodes, TransferError } from "../index.ts";

/** The end of a command that did not do what it was asked. */
export interface Failure {
  exit: number;
  /** What standard error gets; `""` where commander has said it all. */
  text: string;
  /** Undefined for a bug, and for help, which is none. */
  code?: ErrorCode;
}

/** Reads a thrown value; one that is not ours is a bug and shows its stack. */
export function failureOf(error: unknown): Failure {
  if (error instanceof TransferError) {
    return { exit: errorCodes[error.code].exit, text: error.message, code: error.code };
  }
  if (error instanceof CommanderError) return usageFailure(error);
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { exit: 1, text: `this is a bug of quiver, please report it: ${stack}` };
}

function usageFailure(error: CommanderError): Failure {
  if (error.exitCode === 0) return { exit: 0, text: "" };
  const text = error.code === "commander.help" ? "" : sentence(error.message);
  return { exit: errorCodes.INVALID_ARGUMENT.exit, text, code: "INVALID_ARGUMENT" };
}

/** Commander's message on one line, without its own prefix, and what to do about it. */
function sentence(message: string): string {
  const fact = message.replace(/^error: /, "").replaceAll(/\s*\n\s*/g, " ");
  const short = fact.length > longestFact ? `${fact.slice(0, longestFact)}…` : fact;
  return `${short.replace(/\.$/, "")}; see quiver --help`;
}

/** Commander repeats all arguments when there are too many. */
const longestFact = 300;
