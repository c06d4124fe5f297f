/** What must be true of a transfer that went well. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, ftruncateSync, openSync, statSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Receipt } from "../../src/index.ts";
import { noBlake3, otherBlake3 } from "./blake3.ts";
import type { Pair, Stage } from "./hosts.ts";

const hashFiles = otherBlake3();

/** Both sides ended well, the copy is the source, and both receipts have the right hashes. */
export async function assertCopied(t: Stage, pair: Pair, source: string): Promise<void> {
  assert.equal(await pair.receiver.exit, 0, pair.receiver.said);
  assert.equal(await pair.sender.exit, 0, pair.sender.said);
  assertSame(source, join(pair.into, basename(source)));
  const received = await pair.receiver.event("receipt");
  const sent = await pair.sender.event("receipt");
  assert.deepEqual([...sent.files], [...received.files]);
  assertHashes(t, received, dirname(source));
}

/** `diff -r` finds nothing. */
export function assertSame(source: string, copy: string): void {
  const { status, stdout, stderr } = spawnSync(
    "diff",
    ["-rq", "--no-dereference", "--", source, copy],
    { encoding: "utf8", maxBuffer: 2 ** 26 },
  );
  assert.equal(status, 0, `${stdout}${stderr}`.slice(0, 1000));
}

function assertHashes(t: Stage, receipt: Receipt, folder: string): void {
  const files = [...receipt.files];
  assert.ok(files.every(({ status }) => status === "received"));
  if (!hashFiles) {
    t.diagnostic(noBlake3);
    return;
  }
  const paths = files.map(({ path }) => join(folder, path));
  const expected = hashFiles(paths);
  assert.deepEqual(
    files.map(({ path, size, blake3 }) => ({ path, size, blake3 })),
    files.map(({ path }, index) => ({
      path,
      size: statSync(join(folder, path)).size,
      blake3: expected[index],
    })),
  );
}

/** Makes a file that is mostly a hole, with random bytes at its start, in its middle and at its end. */
export function sparseFile(path: string, bytes: number): string {
  const handle = openSync(path, "wx");
  try {
    ftruncateSync(handle, bytes);
    const piece = randomBytes(Math.min(bytes, 100_000));
    for (const at of [0, Math.floor(bytes / 2), bytes - piece.length]) {
      writeSync(handle, piece, 0, Math.min(piece.length, bytes - at), at);
    }
  } finally {
    closeSync(handle);
  }
  return path;
}

/** Makes a file of random bytes. */
export function randomFile(path: string, bytes: number): string {
  const handle = openSync(path, "wx");
  try {
    for (let left = bytes; left > 0; left -= blockBytes) {
      writeSync(handle, randomBytes(Math.min(left, blockBytes)));
    }
  } finally {
    closeSync(handle);
  }
  return path;
}

const blockBytes = 2 ** 22;
