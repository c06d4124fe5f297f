/** What one transfer sends, opened where it lies: at once, and anew for each connection after the first. */

import type { Engine } from "../engine/engine.ts";
import { Source, type SourceOptions } from "../transfer/source.ts";
import type { StreamedBytes } from "../transfer/streamed-bytes.ts";

/** A source for each connection of a transfer. */
export class SentSources {
  readonly #first: Source;
  readonly #open: () => Promise<Source>;
  #isFirst = true;

  private constructor(first: Source, open: () => Promise<Source>) {
    this.#first = first;
    this.#open = open;
  }

  /** Opens paths of this machine. Rejects like {@link Source.open}. */
  static async open(
    engine: Engine,
    paths: readonly string[],
    options: SourceOptions = {},
  ): Promise<SentSources> {
    const open = () => Source.open(engine, paths, options);
    return new SentSources(await open(), open);
  }

  /** The same stream for each connection: what was read of it is held. */
  static ofStream(engine: Engine, stream: StreamedBytes): SentSources {
    const open = async () => Source.ofStream(engine, stream);
    return new SentSources(Source.ofStream(engine, stream), open);
  }

  /** The stream that is sent, if it is one. */
  get stream(): StreamedBytes | undefined {
    return this.#first.stream;
  }

  /** Works with what was opened first, and each further time with what is there by then. */
  use<T>(work: (source: Source) => Promise<T>): Promise<T> {
    if (!this.#isFirst) return this.useAnew(work);
    this.#isFirst = false;
    return work(this.#first);
  }

  /** Works with what is there now; it is closed behind the work. */
  async useAnew<T>(work: (source: Source) => Promise<T>): Promise<T> {
    const source = await this.#open();
    try {
      return await work(source);
    } finally {
      await source.close();
    }
  }

  /** Closes what was opened first, whether it is in use or not, and a stream for all. */
  async close(): Promise<void> {
    await this.stream?.close();
    await this.#first.close();
  }
}
