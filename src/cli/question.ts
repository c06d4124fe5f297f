/** Questions to the person at the terminal, on standard error, so that standard output stays clean. */

import { type Conflict, type ConflictChoice, displayText } from "../index.ts";
import type { Display } from "./display.ts";
import { formatBytes } from "./format.ts";

/** Whether there is a person to ask. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** Asks what to do where names are taken, until the person answers for all the rest. */
export class ConflictQuestions {
  #display: Display;
  #forAll: ConflictChoice | undefined;
  #signal: AbortSignal;
  #onCancel: () => void;

  /** Questions that end when `signal` fires; Ctrl-C in one calls `onCancel`. */
  constructor(options: { display: Display; signal: AbortSignal; onCancel: () => void }) {
    this.#display = options.display;
    this.#signal = options.signal;
    this.#onCancel = options.onCancel;
  }

  /** What to do about one name; `skip` once the transfer is cancelled. */
  choose(conflict: Conflict): Promise<ConflictChoice> {
    return this.#display.ask(async () => {
      if (this.#signal.aborted) return "skip";
      if (this.#forAll) return this.#forAll;
      const { isCancel, select } = await prompts();
      const question = { message: conflictText(conflict), options: choices, ...place };
      const answer = await untilAborted(this.#signal, (open) =>
        select({ ...question, signal: open }),
      );
      if (isCancel(answer)) {
        this.#onCancel();
        return "skip";
      }
      if (answer.isForAll) this.#forAll = answer.choice;
      return answer.choice;
    });
  }
}

/** Loaded when there is something to ask: most transfers ask nothing, and start sooner. */
export function prompts() {
  return import("@clack/prompts");
}

/** Asks under a signal of the question's own: clack draws at an abort even after the answer. */
export async function untilAborted<Answer>(
  signal: AbortSignal,
  ask: (open: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  const open = new AbortController();
  const abort = () => open.abort();
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  try {
    return await ask(open.signal);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function conflictText({ path, kind, bytes, existingBytes }: Conflict): string {
  const name = displayText(path, 60);
  if (kind !== "file") return `${name} is here already.`;
  return `${name} is here already, with ${formatBytes(existingBytes)}; offered ${formatBytes(bytes)}.`;
}

const choices: { value: { choice: ConflictChoice; isForAll: boolean }; label: string }[] = [
  { value: { choice: "rename", isForAll: false }, label: "Keep both" },
  { value: { choice: "skip", isForAll: false }, label: "Skip it" },
  { value: { choice: "overwrite", isForAll: false }, label: "Overwrite it" },
  { value: { choice: "rename", isForAll: true }, label: "Keep both, for all the rest" },
  { value: { choice: "skip", isForAll: true }, label: "Skip all the rest" },
  { value: { choice: "overwrite", isForAll: true }, label: "Overwrite all the rest" },
];

/** Where questions are asked. */
export const place = { input: process.stdin, output: process.stderr, withGuide: false };
