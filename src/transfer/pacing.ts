/** What holds a transfer over one session: pauses, limits, a queue; this side's and the other's. */

import type { Engine, RateLimiter } from "../engine/engine.ts";
import { paceFeature } from "../protocol/features.ts";
import type { ControlMessage, PaceState } from "../protocol/messages.ts";
import type { Channel } from "./channel.ts";
import type { TransferState } from "./events.ts";
import { lowest, type Rate } from "./limit.ts";
import type { Throttle } from "./throttle.ts";
import type { TransferRecord } from "./transfer.ts";

/** What a peer says of a transfer's pace. */
export type PaceMessage = Extract<ControlMessage, { type: "pace" }>;

/** What a transfer's pace is about. */
export interface PacingOptions {
  engine: Engine;
  channel: Channel;
  record: TransferRecord;
  /** Limits that the transfer shares with others: its peer's, and the process's. */
  throttles: readonly Throttle[];
  /** Told whether either side has paused it, each time that something changes. */
  rest?: (isPaused: boolean) => void;
}

/** Applies what both sides want, shows it, and tells the other side of this side's part. */
export class Pacing {
  /** What the transfer's lanes pass, the widest last. */
  readonly limiters: readonly RateLimiter[];
  readonly #options: PacingOptions;
  readonly #throttles: readonly Throttle[];
  readonly #own: RateLimiter;
  readonly #unwatch: (() => void)[];
  #isQueued = false;
  /** What the other side said last. */
  #theirs: { state: PaceState; limit: Rate } = { state: "moving", limit: null };
  /** What it was told last. */
  #told: { state: PaceState; limit: Rate } = { state: "moving", limit: null };

  /** Begins with nothing that holds it but the limits. */
  constructor(options: PacingOptions) {
    const { engine, record, throttles } = options;
    this.#options = options;
    this.#throttles = [record.throttle, ...throttles];
    this.#own = engine.createLimiter();
    this.limiters = [this.#own, ...this.#throttles.map(({ limiter }) => limiter)];
    const changed = () => this.#changed();
    this.#unwatch = this.#throttles.map((throttle) => throttle.watch(changed));
    this.#unwatch.push(record.watchPause(changed));
  }

  /** What is shown of it. */
  get shown(): { state: TransferState; limit: Rate } {
    return { state: this.#state, limit: lowest([this.#limit, this.#theirs.limit]) };
  }

  /** Applies and tells what this side wants; to be called once the other side knows of the transfer. */
  begin(): void {
    this.#changed();
  }

  /** Notes whether it waits for its turn. */
  setQueued(isQueued: boolean): void {
    this.#isQueued = isQueued;
    this.#changed();
  }

  /** Takes what the other side says. */
  take({ state, limit }: PaceMessage): void {
    this.#theirs = { state, limit };
    this.#changed();
  }

  /** Ends it: nothing is applied or told any more. */
  close(): void {
    for (const unwatch of this.#unwatch) unwatch();
  }

  get #limit(): Rate {
    return lowest(this.#throttles.map(({ rate }) => rate));
  }

  get #state(): TransferState {
    if (this.#options.record.isPaused) return "paused";
    if (this.#theirs.state === "paused") return "paused-by-peer";
    return this.#isQueued || this.#theirs.state === "queued" ? "queued" : "moving";
  }

  #changed(): void {
    const { channel, record, rest } = this.#options;
    const isSender = record.direction === "send";
    const isPaused = record.isPaused || this.#theirs.state === "paused";
    const knowsPace = channel.hello.features.includes(paceFeature);
    // A receiver reads on while the sender stops: what is on its way must not fill the others' window.
    const isHeld = isSender ? isPaused : record.isPaused && !knowsPace;
    const asked = isSender ? this.#theirs.limit : null;
    this.#own.setRate(isHeld ? 0 : (asked ?? Number.POSITIVE_INFINITY));
    rest?.(isPaused);
    if (knowsPace) this.#tell();
    record.showPace(this.shown);
  }

  #tell(): void {
    const { channel, record } = this.#options;
    const state = record.isPaused ? "paused" : this.#isQueued ? "queued" : "moving";
    const limit = this.#limit;
    if (state === this.#told.state && limit === this.#told.limit) return;
    this.#told = { state, limit };
    // The transfer itself learns of a lost connection.
    channel.say({ type: "pace", transfer: record.id, state, limit }).catch(() => {});
  }
}
