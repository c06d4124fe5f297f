/** Lets at most so many in at once; how many may change while others wait. */

/** A semaphore whose size may change. */
export class Gate {
  #size: number;
  #inside = 0;
  #waiting: (() => void)[] = [];

  constructor(size: number) {
    this.#size = size;
  }

  /** Does `work` when there is room. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    while (this.#inside >= this.#size) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#inside += 1;
    try {
      return await work();
    } finally {
      this.#inside -= 1;
      this.#admit();
    }
  }

  /** Changes how many may be inside; those that are stay. */
  resize(size: number): void {
    this.#size = size;
    this.#admit();
  }

  #admit(): void {
    const room = this.#size - this.#inside;
    for (const enter of this.#waiting.splice(0, Math.max(0, room))) enter();
  }
}
