/** A transfer as its owner sees it: events while it runs, and one result. */

import { errorCodes, TransferError } from "../errors.ts";
import type { Direction, Receipt, TransferEvent, TransferProgress } from "./events.ts";
import type { Limit } from "./limit.ts";
import type { Throttle } from "./throttle.ts";

/** A transfer that runs. Iterate it for its events; each iteration sees all events from the first on. */
export interface Transfer extends AsyncIterable<TransferEvent> {
  /** 32 hex digits; the same on both sides from the offer on. */
  readonly id: string;
  readonly direction: Direction;
  /** What the other person needs; `""` for a transfer to a known peer. */
  readonly ticket: string;
  /** The receipt once every file is verified and on disk; rejects with the transfer's `TransferError`. */
  readonly done: Promise<Receipt>;
  /** How far it is now. */
  progress(): TransferProgress;
  /**
   * Changes how fast it may move; both sides keep to the lower of their limits.
   *
   * @throws {TransferError} `INVALID_ARGUMENT` for less than a byte a second.
   */
  limit(limit: Limit): void;
  /** Lets nothing more move until {@link Transfer.resume}, and keeps the connection. Twice is fine. */
  pause(): void;
  /** Ends this side's pause; it moves on when the other side has not paused it either. */
  resume(): void;
  /** Ends it on both sides. Nothing stays under a final name. Twice is fine. */
  cancel(): void;
}

/** The side of a {@link Transfer} that its worker holds. */
export class TransferRecord implements Transfer {
  /** A receiver learns the sender's id with the offer. */
  id: string;
  ticket = "";
  readonly direction: Direction;
  readonly done: Promise<Receipt>;
  /** Fires when the owner cancels. */
  readonly signal: AbortSignal;
  /** The transfer's own limit. */
  readonly throttle: Throttle;
  #isPaused = false;
  readonly #pauseWatchers = new Set<() => void>();
  #controller = new AbortController();
  #events: TransferEvent[] = [];
  #wake = Promise.withResolvers<void>();
  #ended = false;
  #result = Promise.withResolvers<Receipt>();
  #progress: TransferProgress = idleProgress;
  /** Times that a progress event took the place of another. */
  #replaced = 0;

  constructor(direction: Direction, id: string, throttle: Throttle, signal?: AbortSignal) {
    this.direction = direction;
    this.id = id;
    this.throttle = throttle;
    this.done = this.#result.promise;
    // Whoever only iterates learns of the failure from the `error` event.
    this.done.catch(() => {});
    this.signal = signal
      ? AbortSignal.any([signal, this.#controller.signal])
      : this.#controller.signal;
  }

  /** Whether this side has paused it. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  limit(limit: Limit): void {
    this.throttle.set(limit);
    // A schedule would be looked at for ever.
    if (this.#ended) this.throttle.close();
  }

  pause(): void {
    this.#setPaused(true);
  }

  resume(): void {
    this.#setPaused(false);
  }

  /** Calls `watcher` at each pause and resumption until the returned function is called. */
  watchPause(watcher: () => void): () => void {
    this.#pauseWatchers.add(watcher);
    return () => this.#pauseWatchers.delete(watcher);
  }

  /** Shows what holds it, if that has changed and there is progress to show. */
  showPace(pace: Pick<TransferProgress, "state" | "limit">): void {
    const { transferId, state, limit } = this.#progress;
    if (transferId === "" || (state === pace.state && limit === pace.limit)) return;
    this.emit({ type: "progress", ...this.#progress, ...pace });
  }

  #setPaused(isPaused: boolean): void {
    if (this.#isPaused === isPaused) return;
    this.#isPaused = isPaused;
    for (const watcher of [...this.#pauseWatchers]) watcher();
  }

  cancel(): void {
    this.#controller.abort(new TransferError("CANCELLED", "the transfer was cancelled"));
  }

  /** Ends it because its connection is known to be of no use any more. */
  lose(error: TransferError): void {
    this.#controller.abort(error);
  }

  progress(): TransferProgress {
    return this.#progress;
  }

  /** Adds an event; progress replaces the one before it that nobody has seen. */
  emit(event: TransferEvent): void {
    if (this.#ended) return;
    if (event.type === "progress") this.#progress = event;
    const last = this.#events.at(-1);
    if (event.type === "progress" && last?.type === "progress") {
      this.#events[this.#events.length - 1] = event;
      this.#replaced += 1;
    } else this.#events.push(event);
    this.#notify();
  }

  /** Ends the transfer well. */
  succeed(receipt: Receipt): void {
    if (this.#ended) return;
    this.emit({ type: "receipt", ...receipt });
    this.#end();
    this.#result.resolve(receipt);
  }

  /** Ends the transfer with a failure. */
  fail(error: unknown): void {
    if (this.#ended) return;
    const code = error instanceof TransferError ? error.code : "CANCELLED";
    const isKnown = error instanceof TransferError || this.signal.aborted;
    const message = error instanceof Error ? error.message : String(error);
    if (isKnown && code in errorCodes) {
      this.emit({ type: "error", transferId: this.id, code, message });
    }
    this.#end();
    this.#result.reject(error);
  }

  /** Tells of a failure that does not end the transfer: one of several receivers has failed. */
  warn(error: unknown): void {
    if (!(error instanceof TransferError)) return;
    const { code, message } = error;
    this.emit({ type: "error", transferId: this.id, code, message });
  }

  #end(): void {
    this.#ended = true;
    this.throttle.close();
    this.#notify();
  }

  #notify(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }

  /** All events from the first on; a progress event that was overtaken is left out. */
  async *[Symbol.asyncIterator](): AsyncGenerator<TransferEvent> {
    let next = 0;
    let seen = this.#replaced;
    for (;;) {
      const event = this.#events[next];
      if (event) {
        next += 1;
        seen = this.#replaced;
        yield event;
        continue;
      }
      const last = this.#events.at(-1);
      if (seen !== this.#replaced && last?.type === "progress") {
        seen = this.#replaced;
        yield last;
        continue;
      }
      if (this.#ended) return;
      await this.#wake.promise;
    }
  }
}

const idleProgress: TransferProgress = {
  transferId: "",
  bytes: 0,
  total: 0,
  files: 0,
  totalFiles: 0,
  throughput: 0,
  etaMs: null,
  lanes: 0,
  laneBytes: [],
  wireBytes: 0,
  rttMs: 0,
  state: "moving",
  limit: null,
  boundBy: null,
};
