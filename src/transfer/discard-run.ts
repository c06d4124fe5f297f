/** Reads on over a run of pieces that cannot be written, so that its lane can go on behind it. */

import type { PieceRun, ReceiveStream } from "../engine/engine.ts";
import { invalid } from "../protocol/fields.ts";
import { piecesIn } from "./plan.ts";

/** Skips what is left of a run of which `consumed` bytes were taken from the stream. */
export async function discardRun(
  stream: ReceiveStream,
  run: PieceRun,
  consumed: number,
): Promise<void> {
  let ahead = consumed;
  for (let piece = 0; piece < piecesIn(run.length, run.pieceBytes); piece += 1) {
    const start = piece * run.pieceBytes;
    const wireBytes = Math.min(run.pieceBytes, run.length - start) + pieceOverheadBytes;
    if (ahead >= wireBytes) ahead -= wireBytes;
    else if (ahead > 0) {
      await skip(stream, wireBytes - ahead);
      ahead = 0;
    } else {
      const header = await stream.read(headerBytes);
      if (header === null) throw invalid("a run that is cut");
      if (header[0] === absent) return;
      await skip(stream, wireBytes - headerBytes);
    }
  }
}

async function skip(stream: ReceiveStream, bytes: number): Promise<void> {
  for (let left = bytes; left > 0; left -= stepBytes) {
    if ((await stream.read(Math.min(left, stepBytes))) === null) throw invalid("a run that is cut");
  }
}

/** Codec, length and value around each piece. */
export const pieceOverheadBytes = 37;
const headerBytes = 5;
/** The codec of a piece that the sender cannot read; nothing follows. */
const absent = 255;
const stepBytes = 256 * 1024;
