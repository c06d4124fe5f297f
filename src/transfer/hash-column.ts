/** One hash for each of many entries, in 33 bytes each. */

/** BLAKE3 hashes by entry; blocks are made as they are needed, so that growing copies nothing. */
export class HashColumn {
  readonly #blocks: Block[] = [];

  /** Keeps the hash of an entry. */
  set(entry: number, hash: Uint8Array): void {
    const number = Math.floor(entry / entriesInBlock);
    const block = this.#blocks[number] ?? newBlock();
    this.#blocks[number] = block;
    const at = entry % entriesInBlock;
    block.hashes.set(hash, at * hashBytes);
    block.known[at] = 1;
  }

  /** The hash of an entry; undefined if it is not known. */
  get(entry: number): Uint8Array | undefined {
    const block = this.#blocks[Math.floor(entry / entriesInBlock)];
    const at = entry % entriesInBlock;
    if (block?.known[at] !== 1) return undefined;
    return block.hashes.subarray(at * hashBytes, (at + 1) * hashBytes);
  }

  /** Forgets the hash of an entry. */
  delete(entry: number): void {
    const block = this.#blocks[Math.floor(entry / entriesInBlock)];
    if (block) block.known[entry % entriesInBlock] = 0;
  }
}

interface Block {
  hashes: Uint8Array;
  known: Uint8Array;
}

function newBlock(): Block {
  return {
    hashes: new Uint8Array(entriesInBlock * hashBytes),
    known: new Uint8Array(entriesInBlock),
  };
}

const hashBytes = 32;
const entriesInBlock = 1024;
