/** Text-like bytes: words of a fixed list, common ones often. gzip makes about a third of it. */

/** Writes an endless text, the same in every run. */
export class TextWriter {
  #state = 0x9e3779b9;

  /** Fills a block with the next part of the text. */
  fill(block: Uint8Array): void {
    let at = 0;
    while (at < block.length) {
      const word = words[this.#wordIndex()] ?? space;
      for (let index = 0; index < word.length && at < block.length; index += 1) {
        block[at++] = word[index] ?? 0;
      }
    }
  }

  /** The product of two uniform numbers: low indices come often, as in a language. */
  #wordIndex(): number {
    return Math.floor(this.#random() * this.#random() * words.length);
  }

  /** xorshift32 (Marsaglia 2003), from 0 up to 1. */
  #random(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return (state >>> 0) / 2 ** 32;
  }
}

const space = Buffer.from(" ");
const syllables = "ta re mi on el qui ver so la ne pa sto in do ka lu te ra en di".split(" ");
/** Every word of one to three syllables, with the space or the line's end that follows it. */
const words = [...combinations(1), ...combinations(2), ...combinations(3)].map((word, index) =>
  Buffer.from(index % 12 === 11 ? `${word}.\n` : `${word} `),
);

function combinations(length: number): string[] {
  if (length === 0) return [""];
  return combinations(length - 1).flatMap((head) => syllables.map((tail) => head + tail));
}
