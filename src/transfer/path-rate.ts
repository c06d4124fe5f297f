/** What a path carries, as far as it can be seen. Pure: the time and the counts come in. */

/** What was counted up to a time. */
export interface PathCounts {
  nowMs: number;
  /** Bytes that all lanes have taken. */
  wireBytes: number;
  /** Those of them that came out of a codec. */
  encodedBytes: number;
  /** The congestion controller's idea of the rate, in bytes per second. */
  estimate: number;
}

/** The rate at which plain pieces pass. */
export class PathRate {
  #last: PathCounts | null = null;
  #plainRate = 0;
  #plainAtMs = Number.NEGATIVE_INFINITY;

  /**
   * Takes counts in and returns bytes per second.
   *
   * The controller knows the wire; what a busy processor or a slow disk lets through of plain pieces may be less, and
   * is seen only while pieces are plain. What was seen of it counts for some seconds.
   */
  look(counts: PathCounts): number {
    const { nowMs, wireBytes, encodedBytes, estimate } = counts;
    const last = this.#last ?? counts;
    const [ms, wire] = [nowMs - last.nowMs, wireBytes - last.wireBytes];
    if (!this.#last || ms >= shortestLookMs) {
      this.#last = counts;
      if (wire > 0 && encodedBytes - last.encodedBytes < mostEncoded * wire) {
        const rate = (1000 * wire) / ms;
        const isKnown = nowMs - this.#plainAtMs < knownForMs;
        this.#plainRate = isKnown ? (this.#plainRate + rate) / 2 : rate;
        this.#plainAtMs = nowMs;
      }
    }
    return nowMs - this.#plainAtMs < knownForMs ? Math.min(estimate, this.#plainRate) : estimate;
  }
}

/** Less is one burst or the pause between two. */
const shortestLookMs = 150;
/** Samples are encoded at any time. */
const mostEncoded = 0.1;
const knownForMs = 10_000;
