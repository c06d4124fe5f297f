/** Reads a length of time as people write it. */

import { InvalidArgumentError } from "commander";

/** Milliseconds of `90s`, `10m`, `2h`, or of seconds without a unit; anything else is a usage error. */
export function duration(text: string): number {
  const [, number, unit] = /^([0-9]{1,6})(s|m|h)?$/.exec(text) ?? [];
  if (number === undefined) {
    throw new InvalidArgumentError("It must be a time, such as 90s, 10m or 2h.");
  }
  return Number(number) * (milliseconds[unit ?? "s"] ?? 0);
}

const milliseconds: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000 };
