/** One hash for each of many entries, in 33 bytes each. */

/** BLAKE3 hashes by entry; grows as needed. */
export class HashColumn {
  #hashes = new Uint8Array(64 * hashBytes);
  #known = new Uint8Array(64);

  /** Keeps the hash of an entry. */
  set(entry: number, hash: Uint8Array): void {
    while (entry >= this.#known.length) this.#grow();
    this.#hashes.set(hash, entry * hashBytes);
    this.#known[entry] = 1;
  }

  /** The hash of an entry; undefined if it is not known. */
  get(entry: number): Uint8Array | undefined {
    if (this.#known[entry] !== 1) return undefined;
    return this.#hashes.subarray(entry * hashBytes, (entry + 1) * hashBytes);
  }

  /** Forgets the hash of an entry. */
  delete(entry: number): void {
    if (entry < this.#known.length) this.#known[entry] = 0;
  }

  #grow(): void {
    const hashes = new Uint8Array(this.#hashes.length * 2);
    hashes.set(this.#hashes);
    this.#hashes = hashes;
    const known = new Uint8Array(this.#known.length * 2);
    known.set(this.#known);
    this.#known = known;
  }
}

const hashBytes = 32;
