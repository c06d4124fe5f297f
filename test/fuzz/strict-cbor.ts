/** The rules of docs/protocol.md for CBOR, written apart from the code under test. */

import { isUtf8 } from "node:buffer";

/** Whether bytes are one value by the rules; null where it is too deep to tell. */
export function isStrictCbor(bytes: Uint8Array): boolean | null {
  try {
    return skip(Buffer.from(bytes), 0, 0) === bytes.length;
  } catch (error) {
    if (error === tooDeep) return null;
    if (error === broken || error instanceof RangeError) return false;
    throw error;
  }
}

/** Reads the value at a position and returns where the next one begins. */
function skip(input: Buffer, at: number, depth: number): number {
  if (depth > mostDepth) throw tooDeep;
  const first = input.readUInt8(at);
  const [major, info] = [first >> 5, first & 31];
  if (major === 7) return skipSimple(input, at, info);
  const { size, next } = sizeAt(input, at, info);
  if (major <= 1) return size <= Number.MAX_SAFE_INTEGER - major ? next : refuse();
  if (major === 2 || major === 3) {
    const end = next + size;
    if (end > input.length) refuse();
    return major === 2 || isUtf8(input.subarray(next, end)) ? end : refuse();
  }
  if (major === 4) {
    let end = next;
    for (let count = 0; count < size; count += 1) end = skip(input, end, depth + 1);
    return end;
  }
  return major === 5 ? skipMap(input, next, size, depth) : refuse();
}

function skipMap(input: Buffer, at: number, size: number, depth: number): number {
  const keys = new Set<string>();
  let end = at;
  for (let count = 0; count < size; count += 1) {
    const start = end;
    if (input.readUInt8(start) >> 5 !== 3) refuse();
    end = skip(input, start, depth + 1);
    keys.add(input.toString("hex", start, end));
    if (keys.size !== count + 1) refuse();
    end = skip(input, end, depth + 1);
  }
  return end;
}

function skipSimple(input: Buffer, at: number, info: number): number {
  if (info >= 20 && info <= 22) return at + 1;
  const width = { 25: 2, 26: 4, 27: 8 }[info] ?? refuse();
  const bits = BigInt(`0x${input.toString("hex", at + 1, at + 1 + width).padEnd(1, "0")}`);
  if (at + 1 + width > input.length) refuse();
  const exponentBits = { 2: 5n, 4: 8n, 8: 11n }[width] ?? 0n;
  const all = (1n << exponentBits) - 1n;
  const exponent = (bits >> (BigInt(8 * width) - 1n - exponentBits)) & all;
  // All ones: infinity or no number.
  return exponent === all ? refuse() : at + 1 + width;
}

function sizeAt(input: Buffer, at: number, info: number): { size: number; next: number } {
  if (info < 24) return { size: info, next: at + 1 };
  const width = { 24: 1, 25: 2, 26: 4, 27: 8 }[info] ?? refuse();
  const next = at + 1 + width;
  if (next > input.length) refuse();
  const size = Number(`0x${input.toString("hex", at + 1, next)}`);
  const least = width === 1 ? 24 : 2 ** (4 * width);
  return size >= least ? { size, next } : refuse();
}

function refuse(): never {
  throw broken;
}

const broken = new Error("not by the rules");
const tooDeep = new Error("too deep");
/** A reader may refuse what is deeper. */
const mostDepth = 200;
