/** The hex blocks of docs/protocol.md: valid inputs to begin from. */

import { readFileSync } from "node:fs";

/** The bytes of a block by what stands after its backticks. */
export function block(name: string): Uint8Array {
  const bytes = blocks.get(name);
  if (!bytes) throw new Error(`docs/protocol.md has no block "hex ${name}"`);
  return bytes;
}

/** A frame of the document without its length. */
export function bodyOf(name: string): Uint8Array {
  return block(name).subarray(4);
}

/** The bytes of a text of hex digits with comments. */
export function fromHex(text: string): Uint8Array {
  const digits = text.replace(/#.*$/gm, "").replace(/\s+/g, "");
  return new Uint8Array(Buffer.from(digits, "hex"));
}

const document = readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8");

const blocks = new Map(
  [...document.matchAll(/^```hex (.+)\n([^`]*)```$/gm)].map(([, name = "", text = ""]) => [
    name,
    fromHex(text),
  ]),
);

/** The names of all messages that the document shows. */
export const messageNames = [...blocks.keys()].filter((name) =>
  document.includes(`\n### ${name}\n`),
);
