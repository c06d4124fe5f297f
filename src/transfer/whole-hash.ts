/** The hash of a few bytes that are in memory. */

import type { Engine } from "../engine/engine.ts";
import { maxContentBytes } from "../protocol/limits.ts";

/** BLAKE3 of at most 64 KiB, 32 bytes: the value of a file of one piece. */
export async function hashOf(
  engine: Pick<Engine, "holdBytes">,
  bytes: Uint8Array,
): Promise<Uint8Array> {
  const { length } = bytes;
  const held = engine.holdBytes(bytes, 0);
  const run = { offset: 0, length, pieceBytes: maxContentBytes, fileBytes: length };
  return held.hashRun(run).finally(() => held.close());
}
