/** Reads on over a run of pieces that cannot be written, so that its lane can go on behind it. */

import type { PieceRun, ReceiveStream } from "../engine/engine.ts";
import { invalid } from "../protocol/fields.ts";
import { valueBytes } from "../protocol/lane.ts";
import { piecesIn } from "./plan.ts";

/** Skips what is left of a run of which `passed` pieces were taken from the stream. */
export async function discardRun(
  stream: ReceiveStream,
  run: PieceRun,
  passed: number,
): Promise<void> {
  for (let piece = passed; piece < piecesIn(run.length, run.pieceBytes); piece += 1) {
    const header = await stream.read(headerBytes);
    if (header === null) throw invalid("a run that is cut");
    if (header[0] === absent) return;
    const bytes = Buffer.from(header).readUInt32BE(1);
    // No codec makes a piece larger.
    if (bytes > Math.min(run.pieceBytes, run.length - piece * run.pieceBytes)) {
      throw invalid("length of a piece");
    }
    await skip(stream, bytes + valueBytes);
  }
}

async function skip(stream: ReceiveStream, bytes: number): Promise<void> {
  for (let left = bytes; left > 0; left -= stepBytes) {
    if ((await stream.read(Math.min(left, stepBytes))) === null) throw invalid("a run that is cut");
  }
}

const headerBytes = 5;
/** Codec, length and value around each piece. */
export const pieceOverheadBytes = headerBytes + valueBytes;
/** The codec of a piece that the sender cannot read; nothing follows. */
const absent = 255;
const stepBytes = 256 * 1024;
