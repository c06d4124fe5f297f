/** Texts that travel in place of files: read from the command line, and shown. */

import { once } from "node:events";
import { displayText, TransferError } from "../index.ts";

/** The text that a flag gives; `-` reads standard input. */
export async function readText(flag: string, input: AsyncIterable<Buffer>): Promise<string> {
  if (flag !== "-") return flag;
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of input) {
    parts.push(part);
    bytes += part.length;
    if (bytes > mostBytes) throw tooLong;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.concat(parts));
  } catch (error) {
    const message = "standard input is not a text in UTF-8; send it as a file";
    throw new TransferError("INVALID_ARGUMENT", message, { cause: error });
  }
}

const tooLong = new TransferError(
  "INVALID_ARGUMENT",
  "standard input is too long for a text; send it as a file",
);
/** No text that may travel has more. */
const mostBytes = 4 * 65_536;

/**
 * Writes a text as it is; on a terminal line by line, and with everything that acts or hides escaped.
 *
 * Resolves when the reader keeps up.
 */
export async function showText(text: string, stream: NodeJS.WriteStream): Promise<void> {
  const isTaken = stream.write(stream.isTTY ? terminalText(text) : text);
  if (!isTaken) await once(stream, "drain").catch(() => {});
}

/** A text as lines that are harmless on a terminal. Pure. */
export function terminalText(text: string): string {
  const lines = text.replace(/\n$/, "").split("\n");
  return lines.map((line) => `${line.split("\t").map(harmless).join("\t")}\n`).join("");
}

/** A backslash of the text itself stays one: nobody reads names here. */
function harmless(part: string): string {
  return part
    .split("\\")
    .map((piece) => displayText(piece))
    .join("\\");
}
