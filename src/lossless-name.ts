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
  const parts = name.match(/[\udc80-\udcff]+|[^\udc80-\udcff]+/gu) ?? [];
  return Buffer.concat(parts.map(bytesOf));
}

/** How many bytes a name stands for. */
export function nameBytes(name: string): number {
  return name.isWellFormed() ? Buffer.byteLength(name) : encodeName(name).length;
}

/** Writes the bytes that a name stands for to a place in a buffer; returns how many those are. */
export function writeName(buffer: Buffer, name: string, at: number): number {
  if (name.isWellFormed()) return buffer.write(name, at, "utf8");
  const bytes = encodeName(name);
  buffer.set(bytes, at);
  return bytes.length;
}

/** No name has more bytes, as a unit of UTF-16 takes three of UTF-8 at most. */
export function mostNameBytes(name: string): number {
  return 3 * name.length;
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

/** The bytes of a part that is all escaped bytes, or has none. */
function bytesOf(part: string): Uint8Array {
  const byte = part.charCodeAt(0) - ESCAPE;
  // Latin-1 keeps the low byte of each unit.
  return Buffer.from(part, byte >= 0x80 && byte <= 0xff ? "latin1" : "utf8");
}

function decodeEscaped(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = "";
  let at = 0;
  while (at < buffer.length) {
    const start = at;
    while (sequenceLength(buffer, at) > 0) at += sequenceLength(buffer, at);
    text += buffer.toString("utf8", start, at);
    for (; at < buffer.length && sequenceLength(buffer, at) === 0; at += 1) {
      text += String.fromCharCode(ESCAPE + (buffer[at] ?? 0));
    }
  }
  return text;
}

/** The length of the valid UTF-8 sequence at a position; 0 where there is none (RFC 3629). */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0xff;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const [least, most] = secondByte.get(first) ?? [0x80, 0xbf];
  const second = bytes[at + 1] ?? 0;
  if (second < least || second > most) return 0;
  for (let next = at + 2; next < at + length; next += 1) {
    if (((bytes[next] ?? 0) & 0xc0) !== 0x80) return 0;
  }
  return length;
}

/** First bytes after which not every continuation is valid: overlong, a surrogate, too large. */
const secondByte = new Map<number, readonly [least: number, most: number]>([
  [0xe0, [0xa0, 0xbf]],
  [0xed, [0x80, 0x9f]],
  [0xf0, [0x90, 0xbf]],
  [0xf4, [0x80, 0x8f]],
]);

const ESCAPE = 0xdc00;
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
