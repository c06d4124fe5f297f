/** The stream on which a receiver tells how far it is, so that both ends show the same truth. */

import type { ReceiveStream } from "../engine/engine.ts";
import { frameBodyBytes, frameHeaderBytes } from "../protocol/frame.ts";
import { maxFrameBytes } from "../protocol/limits.ts";
import { decodeProgress, type ProgressMessage } from "../protocol/progress-message.ts";

/** The messages of a progress stream, after its header. */
export async function* readProgress(stream: ReceiveStream): AsyncGenerator<ProgressMessage> {
  for (;;) {
    const body = await readFrame(stream);
    if (body === null) return;
    yield decodeProgress(body);
  }
}

/**
 * The body of the next frame of a stream; null at its end.
 *
 * `INVALID_FRAME` when it ends within one, and for a frame of more than `most` bytes.
 */
export async function readFrame(
  stream: ReceiveStream,
  most = maxFrameBytes,
): Promise<Uint8Array | null> {
  const header = await stream.read(frameHeaderBytes);
  if (header === null) return null;
  return stream.read(frameBodyBytes(header, most));
}
