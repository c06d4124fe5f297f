/** Journals of receivers, as tests find them on disks. */

import type { LogFile } from "../src/engine/engine.ts";
import type { Manifest } from "../src/protocol/manifest.ts";
import { Journal } from "../src/transfer/journal.ts";
import { Leftover } from "../src/transfer/leftover.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** A journal to write, and what it has written; `sync` brings files to disk. */
export function journalOn(
  sync: () => Promise<void>,
  about: { manifest: Manifest; isBegun: boolean },
): { journal: Journal; written: () => Buffer } {
  const appended: Uint8Array[] = [];
  const log: LogFile = {
    read: async () => new Uint8Array(),
    append: async (bytes) => {
      appended.push(bytes);
    },
    truncate: async () => {},
    sync: async () => {},
    close: async () => {},
  };
  const clock = new VirtualClock();
  const journal = new Journal({ log, clock, sync, anchor: async () => {}, ...about });
  return { journal, written: () => Buffer.concat(appended) };
}

/** What a journal tells; null when it does not get as far as its manifest's end. */
export function leftoverOf(journal: Uint8Array): Leftover | null {
  const leftover = new Leftover();
  leftover.take(journal);
  return leftover.isWhole ? leftover : null;
}
