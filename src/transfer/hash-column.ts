/** One hash for each of many entries, in 32 bytes each. */

import { EntrySet } from "./entry-set.ts";

/** BLAKE3 hashes by entry; blocks are made as they are needed, so that growing copies nothing. */
export class HashColumn {
  readonly #blocks: Uint8Array[] = [];
  readonly #known = new EntrySet();

  /** Keeps the hash of an entry. */
  set(entry: number, hash: Uint8Array): void {
    const number = Math.floor(entry / entriesInBlock);
    const block = this.#blocks[number] ?? new Uint8Array(entriesInBlock * hashBytes);
    this.#blocks[number] = block;
    block.set(hash, (entry % entriesInBlock) * hashBytes);
    this.#known.add(entry);
  }

  /** Whether the hash of an entry is known. */
  has(entry: number): boolean {
    return this.#known.has(entry);
  }

  /** The hash of an entry; undefined if it is not known. */
  get(entry: number): Uint8Array | undefined {
    if (!this.#known.has(entry)) return undefined;
    const at = (entry % entriesInBlock) * hashBytes;
    return this.#blocks[Math.floor(entry / entriesInBlock)]?.subarray(at, at + hashBytes);
  }

  /** Forgets the hash of an entry. */
  delete(entry: number): void {
    this.#known.delete(entry);
  }
}

const hashBytes = 32;
const entriesInBlock = 1024;
