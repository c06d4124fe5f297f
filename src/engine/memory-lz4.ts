/**
 * LZ4 blocks, for the memory engine only: small, and in no haste.
 *
 * A block is a list of sequences: a token of two lengths, literal bytes, and how far back the bytes
 * lie that come again. The last sequence has only literals.
 */

/** A block of the bytes. */
export function encodeLz4(bytes: Uint8Array): Uint8Array {
  const out: number[] = [];
  const seen = new Map<number, number>();
  let literalsFrom = 0;
  let at = 0;
  while (at + fewestAfterMatch <= bytes.length) {
    const key = word(bytes, at);
    const earlier = seen.get(key);
    seen.set(key, at);
    if (earlier === undefined || at - earlier > mostDistance) {
      at += 1;
      continue;
    }
    let length = shortestMatch;
    const most = bytes.length - lastLiterals - at;
    while (length < most && bytes[earlier + length] === bytes[at + length]) length += 1;
    pushSequence(out, bytes.subarray(literalsFrom, at), { distance: at - earlier, length });
    at += length;
    literalsFrom = at;
  }
  pushSequence(out, bytes.subarray(literalsFrom), null);
  return Uint8Array.from(out);
}

/** The bytes of a block; null for what is no block of exactly `size` bytes. */
export function decodeLz4(block: Uint8Array, size: number): Uint8Array | null {
  const out = new Uint8Array(size);
  let filled = 0;
  let at = 0;
  const lengthFrom = (nibble: number): number => {
    let length = nibble;
    for (let more = nibble === longest ? 255 : 0; more === 255; at += 1) {
      more = block[at] ?? 0;
      length += more;
    }
    return length;
  };
  for (;;) {
    const token = block[at];
    if (token === undefined) return null;
    at += 1;
    const literals = lengthFrom(token >> 4);
    if (literals > size - filled || at + literals > block.length) return null;
    out.set(block.subarray(at, at + literals), filled);
    filled += literals;
    at += literals;
    if (at === block.length) return filled === size ? out : null;
    if (at + 2 > block.length) return null;
    const distance = (block[at] ?? 0) | ((block[at + 1] ?? 0) << 8);
    at += 2;
    const length = lengthFrom(token & longest) + shortestMatch;
    if (distance === 0 || distance > filled || length > size - filled) return null;
    // One by one: the bytes that come again may be those just written.
    for (const end = filled + length; filled < end; filled += 1) {
      out[filled] = out[filled - distance] ?? 0;
    }
  }
}

function pushSequence(
  out: number[],
  literals: Uint8Array,
  match: { distance: number; length: number } | null,
): void {
  const more = match ? match.length - shortestMatch : 0;
  out.push((Math.min(longest, literals.length) << 4) | Math.min(longest, more));
  pushLength(out, literals.length);
  for (const byte of literals) out.push(byte);
  if (!match) return;
  out.push(match.distance & 255, match.distance >> 8);
  pushLength(out, more);
}

/** What of a length does not fit into its half of the token. */
function pushLength(out: number[], length: number): void {
  if (length < longest) return;
  let left = length - longest;
  for (; left >= 255; left -= 255) out.push(255);
  out.push(left);
}

function word(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0);
}

/** What half a token can say; then bytes follow that are added. */
const longest = 15;
const shortestMatch = 4;
/** The format wants the last five bytes as literals, and no match to begin within the last twelve. */
const lastLiterals = 5;
const fewestAfterMatch = 12;
const mostDistance = 65_535;
