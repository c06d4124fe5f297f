/** How fast a transfer goes, and how long it will take. Pure: the time comes in. */

/** A rate over the last seconds. */
export class SpeedMeter {
  #samples: { atMs: number; bytes: number }[] = [];

  /** Notes that `bytes` had been moved in all at a time. */
  add(atMs: number, bytes: number): void {
    this.#samples.push({ atMs, bytes });
    while (atMs - (this.#samples[1]?.atMs ?? atMs) > windowMs) this.#samples.shift();
  }

  /** Bytes per second; 0 while there is nothing to measure. */
  get bytesPerSecond(): number {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.atMs <= first.atMs) return 0;
    return ((last.bytes - first.bytes) * 1000) / (last.atMs - first.atMs);
  }

  /** Milliseconds for the rest; null while nothing moves, or where nobody knows the rest. */
  etaMs(restBytes: number): number | null {
    if (restBytes <= 0) return 0;
    const rate = this.bytesPerSecond;
    return rate > 0 && Number.isFinite(restBytes) ? (restBytes * 1000) / rate : null;
  }
}

/** Long enough to be calm, short enough to follow a path that changes. */
const windowMs = 3000;
