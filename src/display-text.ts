/**
 * Text of a peer, made harmless for terminals, logs and pages.
 *
 * A name can hold what moves the cursor, turns the line round, or cannot be seen. Every such
 * character is shown as an escape instead, and a backslash as two, so that two different texts
 * never look the same because of it.
 */

/**
 * The text with everything that acts or hides written as a visible escape.
 *
 * `\n`, `\r`, `\t`; `\x1b` for other control characters below U+0080 and DEL; `\xe9` from `\x80` up
 * for a byte of a lossless name that is not UTF-8; `\u202e` and `\u{e0001}` for all else. Without
 * `maxLength` no two texts have the same result. With it the result has at most so many characters
 * (code points), the last an ellipsis where something is missing; no escape is cut in two.
 *
 * @example
 * displayText("bill\u202efdp.exe"); // "bill\\u202efdp.exe"
 */
export function displayText(text: string, maxLength = Number.POSITIVE_INFINITY): string {
  let shown = "";
  let length = 0;
  let fitting = "";
  for (const character of text) {
    const part = hidden.test(character) ? escapeOf(character) : character;
    length += part.length === character.length ? 1 : part.length;
    if (length > maxLength) return maxLength > 0 ? `${fitting}…` : "";
    shown += part;
    // What may stay when the next character does not fit: it leaves room for the ellipsis.
    if (length < maxLength) fitting = shown;
  }
  return shown;
}

function escapeOf(character: string): string {
  const short = shortEscapes.get(character);
  if (short) return short;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return `\\x${hex(code, 2)}`;
  const isByte = code >= FIRST_BYTE && code <= LAST_BYTE;
  if (isByte) return `\\x${hex(code - BYTE_ESCAPE, 2)}`;
  return code > 0xffff ? `\\u{${hex(code, 1)}}` : `\\u${hex(code, 4)}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}

const shortEscapes = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\\", "\\\\"],
]);

/**
 * Control and format characters (bidi, zero-width, tags), line and paragraph separators, lone
 * surrogates, and what Unicode says to draw as nothing; but not the variation selectors of emoji.
 */
const hidden =
  /^[[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\\]--[\ufe0e\ufe0f]]$/v;

/** How `lossless-name.ts` writes a byte from 0x80 up: U+DC00 + byte. */
const BYTE_ESCAPE = 0xdc00;
const FIRST_BYTE = 0xdc80;
const LAST_BYTE = 0xdcff;
