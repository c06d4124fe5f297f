/** Events for programs: one JSON object a line on standard output. */

import type { TransferEvent } from "../index.ts";

/** Writes events as lines and remembers whether the last one was a failure. */
export class JsonOutput {
  #stream: NodeJS.WritableStream;
  #endsWithError = false;

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
  }

  /** Whether the reader knows of a failure already. */
  get endsWithError(): boolean {
    return this.#endsWithError;
  }

  /** Writes one event exactly as the library gave it; what a terminal would obey is written as \\uXXXX. */
  write(event: TransferEvent): void {
    this.#endsWithError = event.type === "error";
    this.#stream.write(`${jsonLine(event)}\n`);
  }
}

/** A value as JSON on one line that is harmless on a terminal: the names in it are a peer's. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
  });
}
