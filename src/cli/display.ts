/** Where people read what happens: standard error, in one of three manners. */

import type { TransferProgress } from "../index.ts";
import { progressLine } from "./progress-bar.ts";

/** A place that shows messages and progress. */
export interface Display {
  /** Whether nobody reads it: what takes long to put into words need not be. */
  readonly isSilent: boolean;
  /** Shows a line that stays. */
  print(line: string): void;
  /** Shows what is going on until something else is. */
  status(text: string): void;
  /** Shows how far a transfer is. */
  progress(progress: TransferProgress): void;
  /** Puts everything that moves out of the way while a person answers; one question at a time. */
  ask<Answer>(question: () => Promise<Answer>): Promise<Answer>;
  /** Takes away what is drawn; printed lines stay. Twice is fine. */
  close(): void;
}

/** A display that shows nothing: for `--quiet`, and for people who read `--json` instead. */
export function silentDisplay(): Display {
  return {
    isSilent: true,
    print() {},
    status() {},
    progress() {},
    ask: (question) => question(),
    close() {},
  };
}

/** Plain lines, for a pipe or a file; progress at most once a second. */
export function plainDisplay(stream: NodeJS.WritableStream, now: () => number): Display {
  let lastMs = Number.NEGATIVE_INFINITY;
  const print = (line: string) => {
    stream.write(`${line}\n`);
  };
  return {
    isSilent: false,
    print,
    status: print,
    progress(progress) {
      if (now() - lastMs < 1000) return;
      lastMs = now();
      print(progressLine(progress));
    },
    ask: (question) => question(),
    close() {},
  };
}
