/** The transfers of one peer: all that run, and the last that have ended. */

import type { Clock } from "../clock.ts";
import type { Engine } from "../engine/engine.ts";
import { maxEndedTransfers } from "../options.ts";
import type { Direction, Logger, Receipt } from "../transfer/events.ts";
import type { Limit } from "../transfer/limit.ts";
import { LogLines } from "../transfer/log-lines.ts";
import { Throttle } from "../transfer/throttle.ts";
import { TransferRecord } from "../transfer/transfer.ts";
import { background, newId } from "./context.ts";

/** Transfers by the id that each has now: a receiver learns the sender's with the offer. */
export class TransferList {
  readonly #engine: Engine;
  readonly #clock: Clock;
  readonly #logger: Logger | undefined;
  readonly #records = new Set<TransferRecord>();
  readonly #ended: TransferRecord[] = [];
  readonly #working = new Set<Promise<unknown>>();

  /** Begins empty; `logger` is told of all of them. */
  constructor(engine: Engine, clock: Clock, logger: Logger | undefined) {
    this.#engine = engine;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Adds a transfer; without an id it gets one of its own. */
  add(
    direction: Direction,
    given: { id?: string; signal?: AbortSignal; limit?: Limit } = {},
  ): TransferRecord {
    const id = given.id ?? newId(this.#engine);
    const throttle = new Throttle(this.#engine, this.#clock);
    throttle.set(given.limit ?? null);
    const record = new TransferRecord(direction, id, throttle, given.signal);
    this.#records.add(record);
    if (this.#logger) background(logEvents(record, this.#clock, this.#logger));
    return record;
  }

  /** Ends a transfer as its work ends. */
  run(record: TransferRecord, work: Promise<Receipt>): void {
    const settled = work.then(
      (receipt) => record.succeed(receipt),
      (error) => record.fail(error),
    );
    this.#working.add(settled);
    void settled.then(() => {
      this.#working.delete(settled);
      this.#forgetOldest(record);
    });
  }

  /** The transfer with an id; undefined for one that nobody knows, or that ended long ago. */
  find(id: string): TransferRecord | undefined {
    let found: TransferRecord | undefined;
    // The last one: a transfer that goes on over a new connection has the id that it had.
    for (const record of this.#records) if (record.id === id) found = record;
    return found;
  }

  /** Cancels all; resolves when they have ended. */
  async cancelAll(): Promise<void> {
    for (const record of this.#records) record.cancel();
    await Promise.all(this.#working);
  }

  #forgetOldest(ended: TransferRecord): void {
    this.#ended.push(ended);
    const oldest = this.#ended.length > maxEndedTransfers ? this.#ended.shift() : undefined;
    if (oldest) this.#records.delete(oldest);
  }
}

async function logEvents(record: TransferRecord, clock: Clock, logger: Logger): Promise<void> {
  const lines = new LogLines();
  for await (const event of record) {
    for (const line of lines.linesOf(event, clock.now())) logger.info(line);
  }
}
