/** The streams that a peer opens: each says in its first bytes what it is, and goes to its transfer. */

import type { Connection, ReceiveStream } from "../engine/engine.ts";
import { errorCodes, TransferError } from "../errors.ts";
import {
  decodeLaneHeader,
  decodeStreamTag,
  laneHeaderBytes,
  streamTagBytes,
} from "../protocol/lane.ts";
import type { Part } from "../transfer/channel.ts";

/** Transfers by their ids. */
export type Parts = ReadonlyMap<string, Part>;

/** Gives the streams of a connection to their transfers; rejects when the connection ends. */
export async function takeStreams(connection: Connection, parts: Parts): Promise<never> {
  for (;;) {
    const stream = await connection.acceptUnidirectional();
    void takeStream(stream, parts).catch((error) => {
      const code = error instanceof TransferError ? error.code : "INVALID_FRAME";
      stream.stop(errorCodes[code].wire);
    });
  }
}

async function takeStream(stream: ReceiveStream, parts: Parts): Promise<void> {
  const tag = decodeStreamTag(await readAll(stream, streamTagBytes));
  if (tag.kind === "progress") {
    const transferId = Buffer.from(await readAll(stream, 16)).toString("hex");
    await parts.get(transferId)?.takeProgress?.(stream);
    return;
  }
  const header = decodeLaneHeader(await readAll(stream, laneHeaderBytes));
  const part = parts.get(header.transferId);
  if (part?.takeLane) await part.takeLane(tag.format, header, stream);
  else stream.stop(errorCodes.CANCELLED.wire);
}

async function readAll(stream: ReceiveStream, length: number): Promise<Uint8Array> {
  const bytes = await stream.read(length);
  if (bytes === null) throw new TransferError("INVALID_FRAME", "a stream ended before its header");
  return bytes;
}
