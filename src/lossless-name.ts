/**
 * A file name as a string that can be turned back into its very bytes.
 *
 * Names on Unix are bytes and need not be UTF-8. A byte that is not part of valid UTF-8 becomes the
 * lone surrogate U+DC00 + byte (the scheme of Python's PEP 383), which no valid name can hold, so
 * that every name has exactly one string and every such string exactly one name.
 */

/** The bytes that a name stands for. */
export function encodeName(name: string): Uint8Array {
  if (name.isWellFormed()) return Buffer.from(name, "utf8");
  const parts: Buffer[] = [];
  for (const character of name) {
    const code = character.codePointAt(0) ?? 0;
    const isByte = code >= ESCAPE + 0x80 && code <= ESCAPE + 0xff;
    parts.push(isByte ? Buffer.of(code - ESCAPE) : Buffer.from(character, "utf8"));
  }
  return Buffer.concat(parts);
}

/** The string for a name's bytes; the inverse of {@link encodeName}. */
export function decodeName(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return decodeEscaped(bytes);
  }
}

/** Tells whether a name is valid Unicode, so that every system and program can show it. */
export function isUnicode(name: string): boolean {
  return name.isWellFormed();
}

function decodeEscaped(bytes: Uint8Array): string {
  let text = "";
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    if (length === 0) {
      text += String.fromCharCode(ESCAPE + (bytes[at] ?? 0));
      at += 1;
    } else {
      text += strictUtf8.decode(bytes.subarray(at, at + length));
      at += length;
    }
  }
  return text;
}

/** The length of the valid UTF-8 sequence at a position; 0 where there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length += 1) {
    try {
      strictUtf8.decode(bytes.subarray(at, at + length));
      return length;
    } catch {
      // A longer sequence may still be valid.
    }
  }
  return 0;
}

const ESCAPE = 0xdc00;
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
