/** Reads limits as people write them: `10MB/s`, `80Mbit/s`, `2MB/s@08:00-18:00,none`. */

import { type Command, InvalidArgumentError } from "commander";
import type { Limit, LimitWindow, Rate } from "../index.ts";

/** How fast a command may go. */
export interface LimitFlag {
  limit?: Limit;
}

/** Adds the flag that both sides have. */
export function addLimitFlag(command: Command): Command {
  const about =
    "how fast at most: 10MB/s, 500k, 80Mbit/s; by the time of the day 2MB/s@08:00-18:00,20MB/s";
  return command.option("--limit <rate>", about, limit);
}

/**
 * A limit: rates, each with the hours in which it holds, the first that holds deciding; anything else is a
 * usage error.
 *
 * @example
 * limit("10MB/s"); // 10_000_000
 * limit("1M@22:00-06:00"); // { windows: [{ rate: 1_000_000, fromMinute: 1320, toMinute: 360 }], otherwise: null }
 */
export function limit(text: string): Limit {
  const rules = text.split(",").map((rule) => rule.trim());
  const windows: LimitWindow[] = [];
  for (const [at, rule] of rules.entries()) {
    const [amount = "", hours] = rule.split("@", 2);
    if (hours !== undefined) windows.push({ rate: rate(amount), ...windowOf(hours) });
    else if (at < rules.length - 1) {
      throw new InvalidArgumentError("Only the last of several rates can be without hours.");
    } else return windows.length === 0 ? rate(amount) : { windows, otherwise: rate(amount) };
  }
  return { windows, otherwise: null };
}

/** Bytes a second; null for `none`. */
function rate(text: string): Rate {
  const trimmed = text.trim();
  if (/^none$/i.test(trimmed)) return null;
  const [, number, prefix = "", unit = "", per = ""] = ratePattern.exec(trimmed) ?? [];
  // "Mbps" is said of bits everywhere; of "Mb/s" nobody knows what is meant.
  if (number === undefined || (unit === "b" && per !== "ps")) throw wrongRate;
  const bits = unit !== "" && unit !== "B";
  const bytes = (Number(number) * (factors[prefix.toLowerCase()] ?? 1)) / (bits ? 8 : 1);
  if (bytes < 1 || bytes > mostBytes) throw wrongRate;
  return bytes;
}

function windowOf(text: string): Omit<LimitWindow, "rate"> {
  const [, from, to] = windowPattern.exec(text.trim()) ?? [];
  const [fromMinute, toMinute] = [minuteOf(from), minuteOf(to)];
  const isWindow = fromMinute < 1440 && toMinute <= 1440 && fromMinute !== toMinute;
  // Until midnight is written 24:00 or 0:00.
  if (isWindow) return { fromMinute, toMinute: toMinute === 0 ? 1440 : toMinute };
  throw new InvalidArgumentError("Hours must be two times of the day, such as 08:00-18:00.");
}

function minuteOf(text = ""): number {
  const [hours, minutes] = text.split(":").map(Number);
  return hours === undefined || minutes === undefined ? Number.NaN : 60 * hours + minutes;
}

const wrongRate = new InvalidArgumentError(
  "It must be a rate, such as 10MB/s, 500k, 1.5MiB/s, 80Mbit/s or none.",
);
const ratePattern = /^([0-9]{1,15}(?:\.[0-9]{1,9})?) ?([kmgt]i?)?(B|b|[Bb]its?)?(\/s|ps)?$/i;
const windowPattern = /^([0-9]{1,2}:[0-5][0-9])-([0-9]{1,2}:[0-5][0-9])$/;
const factors: Record<string, number> = {
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  ki: 2 ** 10,
  mi: 2 ** 20,
  gi: 2 ** 30,
  ti: 2 ** 40,
};
/** More than any wire there is. */
const mostBytes = 1e13;
