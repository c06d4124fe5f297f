/** Events for programs: one JSON object a line on standard output. */

import { once } from "node:events";
import type { Preflight, ReceiptFile, SourcePreflight, TransferEvent } from "../index.ts";

/** What a command tells programs: a transfer's events, or a report in place of a transfer. */
export type CommandEvent = TransferEvent | ({ type: "preflight" } & (Preflight | SourcePreflight));

/** Writes events as lines and remembers whether the last one was a failure. */
export class JsonOutput {
  #stream: NodeJS.WritableStream;
  #endsWithError = false;
  /** Whether the reader went away, as `head` does. */
  #isAlone = false;

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
  }

  /** Whether the reader knows of a failure already. */
  get endsWithError(): boolean {
    return this.#endsWithError;
  }

  /**
   * Writes one event exactly as the library gave it; what a terminal would obey is written as \\uXXXX.
   *
   * Resolves when the reader keeps up.
   */
  async write(event: CommandEvent): Promise<void> {
    this.#endsWithError = event.type === "error";
    for (const part of jsonParts(event)) {
      if (this.#isAlone) return;
      const isTaken = this.#stream.write(part) || (await this.#drained());
      if (!isTaken) this.#isAlone = true;
    }
  }

  /** Waits for the reader; false if it went away. */
  #drained(): Promise<boolean> {
    return once(this.#stream, "drain").then(
      () => true,
      () => false,
    );
  }
}

/** An event as a line, in parts: a receipt may name a million files. */
function* jsonParts(event: CommandEvent): Generator<string> {
  if (event.type !== "receipt") {
    yield `${jsonLine(event)}\n`;
    return;
  }
  const whole = jsonLine({ ...event, files: [] });
  const place = whole.indexOf(noFiles) + noFiles.length - 1;
  yield whole.slice(0, place);
  let files: ReceiptFile[] = [];
  let comma = "";
  for (const file of event.files) {
    files.push(file);
    if (files.length < filesInPart) continue;
    yield comma + jsonLine(files).slice(1, -1);
    files = [];
    comma = ",";
  }
  if (files.length > 0) yield comma + jsonLine(files).slice(1, -1);
  yield `${whole.slice(place)}\n`;
}

/** A value as JSON on one line that is harmless on a terminal: the names in it are a peer's. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
  });
}

/** A quote in a name is written with a backslash: this is the list itself. */
const noFiles = '"files":[]';
const filesInPart = 1000;
