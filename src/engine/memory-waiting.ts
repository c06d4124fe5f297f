/** Waiting in the memory engine: for a change, and for the next thing. */

/** Something that changes, and that others wait for. */
export class Signal {
  #next = Promise.withResolvers<void>();

  /** Resolves at the next {@link Signal.notify}. */
  wait(): Promise<void> {
    return this.#next.promise;
  }

  /** Wakes everyone who waits now. */
  notify(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers<void>();
  }
}

/** Things handed from one side to another, in order; who takes waits for them. */
export class Queue<T> {
  readonly #items: T[] = [];
  readonly #takers: ((item: T | Promise<T>) => void)[] = [];
  #ending: (() => Promise<T>) | null = null;

  /** Whether somebody waits for the next thing. */
  get isWanted(): boolean {
    return this.#takers.length > 0;
  }

  /** Adds a thing; after {@link Queue.end} it is dropped. */
  push(item: T): void {
    if (this.#ending) return;
    const taker = this.#takers.shift();
    if (taker) taker(item);
    else this.#items.push(item);
  }

  /** The next thing, or what the queue ended with. */
  take(): Promise<T> {
    if (this.#ending) return this.#ending();
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve(item);
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  /** Drops what nobody took, and answers everyone, now and later, with `ending`. The first call counts. */
  end(ending: () => Promise<T>): void {
    if (this.#ending) return;
    this.#ending = ending;
    this.#items.length = 0;
    for (const taker of this.#takers.splice(0)) taker(ending());
  }
}

/** A number of places; who finds none free waits. */
export class Places {
  #count: number;
  #free: number;
  #failure: Error | null = null;
  readonly #changed = new Signal();

  /** Begins with `count` free places. */
  constructor(count: number) {
    this.#count = count;
    this.#free = count;
  }

  /** Changes how many there are; they are never taken from who has one. */
  resize(count: number): void {
    this.#free += count - this.#count;
    this.#count = count;
    this.#changed.notify();
  }

  /** Takes a place as soon as there is one. */
  async take(): Promise<void> {
    while (!this.#failure && this.#free <= 0) await this.#changed.wait();
    if (this.#failure) throw this.#failure;
    this.#free -= 1;
  }

  /** Gives a place back. */
  free(): void {
    this.#free += 1;
    this.#changed.notify();
  }

  /** Refuses everyone, now and later. */
  fail(failure: Error): void {
    this.#failure ??= failure;
    this.#changed.notify();
  }
}
