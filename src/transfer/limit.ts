/** How fast bytes may move, and at what time of the day. Pure: no clock, no engine. */

import { TransferError } from "../errors.ts";

/** Bytes a second, from 1 up; null for as fast as can be. */
export type Rate = number | null;

/** A rate that holds always, or by the time of the day. */
export type Limit = Rate | LimitSchedule;

/** Rates by the local time of the day. */
export interface LimitSchedule {
  /** The first that holds at a time decides. */
  windows: readonly LimitWindow[];
  /** At all other times. */
  otherwise: Rate;
}

/** A rate for a part of every day. */
export interface LimitWindow {
  rate: Rate;
  /** Minutes after midnight, 0 to 1,439. */
  fromMinute: number;
  /** The first minute after it, 1 to 1,440; one before `fromMinute` is the next day's. */
  toMinute: number;
}

/** The rate of a limit at a minute of the day, 0 to 1,439. */
export function rateAt(limit: Limit, minute: number): Rate {
  if (limit === null || typeof limit === "number") return limit;
  const window = limit.windows.find((one) => isWithin(one, minute));
  return window ? window.rate : limit.otherwise;
}

/** The lower of some rates. */
export function lowest(rates: Iterable<Rate>): Rate {
  let low: Rate = null;
  for (const rate of rates) if (rate !== null && (low === null || rate < low)) low = rate;
  return low;
}

/** Returns a limit that can be kept; `INVALID_ARGUMENT` for one that cannot. */
export function checkLimit(limit: Limit): Limit {
  const isSchedule = limit !== null && typeof limit === "object";
  const rates = isSchedule ? limit.windows.map(({ rate }) => rate) : [limit];
  if (isSchedule) rates.push(limit.otherwise);
  const wrong = rates.find((rate) => rate !== null && !(rate >= 1 && Number.isFinite(rate)));
  if (wrong !== undefined) {
    throw invalid(`a limit of ${wrong} bytes a second: it must be at least 1, or null for none`);
  }
  const isOdd = isSchedule && !limit.windows.every(isWindow);
  if (isOdd) throw invalid("a window of a limit's schedule does not lie in one day");
  return limit;
}

function isWithin({ fromMinute, toMinute }: LimitWindow, minute: number): boolean {
  if (fromMinute < toMinute) return fromMinute <= minute && minute < toMinute;
  return fromMinute <= minute || minute < toMinute;
}

function isWindow({ fromMinute, toMinute }: LimitWindow): boolean {
  const areWhole = Number.isInteger(fromMinute) && Number.isInteger(toMinute);
  const areInside = fromMinute >= 0 && fromMinute < 1440 && toMinute >= 1 && toMinute <= 1440;
  return areWhole && areInside && fromMinute !== toMinute;
}

function invalid(message: string): TransferError {
  return new TransferError("INVALID_ARGUMENT", message);
}
