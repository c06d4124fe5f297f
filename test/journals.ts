/** Journals of receivers, as tests find them on disks. */

import { Leftover } from "../src/transfer/leftover.ts";

/** What a journal tells; null when it does not get as far as its manifest's end. */
export function leftoverOf(journal: Uint8Array): Leftover | null {
  const leftover = new Leftover();
  leftover.take(journal);
  return leftover.isWhole ? leftover : null;
}
