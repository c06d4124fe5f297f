/** The words for what holds a transfer, and their shares of its time, as they travel. */

import { integer, list, text, tuple } from "./fields.ts";
import { maxWord, maxWords } from "./limits.ts";
import { type Bound, type BoundShare, bounds } from "./messages.ts";

/** A limit; null for one that this version does not know. */
export function boundOf(value: unknown): Bound | null {
  const by = text(value, "limit", maxWord);
  return bounds.find((word) => word === by) ?? null;
}

/** The shares of those limits that this version knows. */
export function boundsOf(value: unknown): BoundShare[] {
  const shares = list(value, "limits", maxWords, (item) => {
    const [by, share] = tuple(item, "limit", 2);
    return { by: boundOf(by), share: integer(share, "share", 0, 1000) / 1000 };
  });
  return shares.flatMap(({ by, share }) => (by ? { by, share } : []));
}

/** Shares as they travel, in thousandths. */
export function boundsToWire(shares: readonly BoundShare[]): unknown[] {
  return shares.map(({ by, share }) => [by, Math.round(1000 * share)]);
}
