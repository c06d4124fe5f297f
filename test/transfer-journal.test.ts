/** What a journal does while its disk is slow. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Manifest } from "../src/protocol/manifest.ts";
import { journalOn } from "./journals.ts";

test("a journal whose disk does not sync lets nothing more in, and then all of it", async () => {
  const disk = Promise.withResolvers<void>();
  const { journal, written } = newJournal(disk.promise);
  let noted = 0;
  const note = async () => {
    await journal.room();
    const values = new Uint8Array(32);
    journal.note({ entry: noted, pieceBytes: 1024, first: 0, values }, 0);
    noted += 1;
  };

  while (noted < 2 * 8192) await note();
  let isIn = false;
  const next = note().then(() => {
    isIn = true;
  });
  await turns();
  const before = { isIn, bytes: written().length };
  disk.resolve();
  await next;
  await journal.commit();

  assert.deepEqual(before, { isIn: false, bytes: 0 });
  // Records of 1,024 neighbours have 17 bytes and 32 for each; the header and the end of no entries come before.
  const records = 2 * 8 + 1;
  assert.equal(written().length, 17 + 13 + 17 * records + 32 * noted);
});

test("many small files are due before their two seconds are over", () => {
  const { journal } = newJournal(Promise.resolve());
  const values = new Uint8Array(32);
  const due: number[] = [];

  for (let entry = 0; entry < 10_000; entry += 1) {
    journal.note({ entry, pieceBytes: 1024, first: 0, values }, 0);
    if (journal.isDue) due.push(entry + 1);
  }

  assert.equal(due[0], 8192);
});

/** A journal that has not begun, for files that are brought to disk so. */
function newJournal(synced: Promise<void>) {
  return journalOn(() => synced, { manifest: new Manifest(), isBegun: false });
}

/** Lets all that can go on go on. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
