/** A set of entries in one bit each: an offer may have millions, of which a `Set` takes 40 bytes each. Pure. */

/** Positions in a manifest; iterated in ascending order. */
export class EntrySet {
  /** Blocks are made as they are needed, so that growing copies nothing. */
  readonly #blocks: Uint8Array[] = [];

  /** Adds an entry; twice is fine. */
  add(entry: number): void {
    const number = Math.floor(entry / entriesInBlock);
    const block = this.#blocks[number] ?? new Uint8Array(entriesInBlock / 8);
    this.#blocks[number] = block;
    const at = entry % entriesInBlock;
    block[at >> 3] = (block[at >> 3] ?? 0) | (1 << (at & 7));
  }

  /** Takes an entry out, if it is there. */
  delete(entry: number): void {
    const block = this.#blocks[Math.floor(entry / entriesInBlock)];
    const at = entry % entriesInBlock;
    if (block) block[at >> 3] = (block[at >> 3] ?? 0) & ~(1 << (at & 7));
  }

  /** Whether an entry is there. */
  has(entry: number): boolean {
    const block = this.#blocks[Math.floor(entry / entriesInBlock)];
    const at = entry % entriesInBlock;
    return block !== undefined && ((block[at >> 3] ?? 0) & (1 << (at & 7))) !== 0;
  }

  *[Symbol.iterator](): Generator<number> {
    for (const [number, block] of this.#blocks.entries()) {
      if (!block) continue;
      const first = number * entriesInBlock;
      for (let at = 0; at < entriesInBlock; at += 1) {
        if (((block[at >> 3] ?? 0) & (1 << (at & 7))) !== 0) yield first + at;
      }
    }
  }
}

const entriesInBlock = 8192;
