/** Lanes at work, and those that are opened while they are. */

/** Work that others may join while it goes on. */
export class Crew {
  readonly #works: Promise<unknown>[] = [];
  readonly #failed = Promise.withResolvers<never>();

  constructor() {
    this.#failed.promise.catch(() => {});
  }

  add(work: Promise<unknown>): void {
    this.#works.push(work);
    work.catch(this.#failed.reject);
  }

  /** Resolves when all is done, also what is added meanwhile; rejects with the first failure. */
  done(): Promise<void> {
    return Promise.race([this.#failed.promise, this.#allDone()]);
  }

  async #allDone(): Promise<void> {
    // Goes on with what is added.
    for (const work of this.#works) await work;
  }
}
