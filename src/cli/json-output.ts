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

  /** Writes one event exactly as the library gave it. */
  write(event: TransferEvent): void {
    this.#endsWithError = event.type === "error";
    this.#stream.write(`${JSON.stringify(event)}\n`);
  }
}
