/** The shares of what held a transfer, as they travel. */

import { integer, knownWord, list, tuple } from "./fields.ts";
import { maxWords } from "./limits.ts";
import { type BoundShare, bounds } from "./messages.ts";

/** The shares of those limits that this version knows. */
export function boundsOf(value: unknown): BoundShare[] {
  const shares = list(value, "limits", maxWords, (item) => {
    const [by, share] = tuple(item, "limit", 2);
    return { by: knownWord(by, "limit", bounds), share: integer(share, "share", 0, 1000) / 1000 };
  });
  return shares.flatMap(({ by, share }) => (by ? { by, share } : []));
}

/** Shares as they travel, in thousandths. */
export function boundsToWire(shares: readonly BoundShare[]): unknown[] {
  return shares.map(({ by, share }) => [by, Math.round(1000 * share)]);
}
