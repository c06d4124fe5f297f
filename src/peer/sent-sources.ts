/** What one transfer sends, opened where it lies: at once, and anew for each connection after the first. */

import type { Engine } from "../engine/engine.ts";
import { Source, type SourceOptions } from "../transfer/source.ts";
import type { StreamedBytes } from "../transfer/streamed-bytes.ts";

/** A source for each connection of a transfer. */
export class SentSources {
  /** The stream that is sent, if it is one. */
  readonly stream: StreamedBytes | undefined;
  /** What was opened first, until it is used: that of a million files takes tens of megabytes. */
  #first: Source | null;
  readonly #open: () => Promise<Source>;

  private constructor(first: Source, open: () => Promise<Source>) {
    this.stream = first.stream;
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

  /** Works with what was opened first, and each further time with what is there by then. */
  async use<T>(work: (source: Source) => Promise<T>): Promise<T> {
    const first = this.#first;
    this.#first = null;
    return useUp(first ?? (await this.#open()), work);
  }

  /** Works with what is there now. */
  async useAnew<T>(work: (source: Source) => Promise<T>): Promise<T> {
    return useUp(await this.#open(), work);
  }

  /** Closes what was opened and not used, and a stream for all. */
  async close(): Promise<void> {
    await this.stream?.close();
    await this.#first?.close();
    this.#first = null;
  }
}

/** Closes a source behind the work on it. */
async function useUp<T>(source: Source, work: (source: Source) => Promise<T>): Promise<T> {
  try {
    return await work(source);
  } finally {
    await source.close();
  }
}
