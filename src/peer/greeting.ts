/** The first words of two peers, which may travel before the handshake of their connection is complete. */

import type { BidirectionalStream, EarlyCall } from "../engine/engine.ts";
import { TransferError } from "../errors.ts";
import { maxHelloBytes } from "../protocol/limits.ts";
import { decodeMessage, encodeMessage } from "../protocol/message-codec.ts";
import { type Hello, protocolVersion } from "../protocol/messages.ts";
import { readFrame } from "../transfer/progress-stream.ts";

/** The other side's hello, this side's being said, and the stream on which all else will be. */
export interface Greeted {
  control: BidirectionalStream;
  hello: Hello;
}

/**
 * Answers a hello that came with a call's first flight.
 *
 * It may be a copy that somebody sends again. So nothing is done for it but this: it is read, within its
 * limits, and `hello` is said, which only the peer of the earlier connection can read.
 */
export async function answerEarly(call: EarlyCall, hello: Hello): Promise<Greeted> {
  const control = await call.takeStream();
  const heard = await readHello(control);
  await sayHello(control, hello);
  return { control, hello: heard };
}

/** Says the first message. */
export async function sayHello(control: BidirectionalStream, hello: Hello): Promise<void> {
  await control.send.write(encodeMessage(hello));
}

/** The other side's first message. `INVALID_FRAME` for another one, `UNSUPPORTED_VERSION`. */
export async function readHello(control: BidirectionalStream): Promise<Hello> {
  const body = await readFrame(control.receive, maxHelloBytes);
  const message = body && decodeMessage(body);
  if (message?.type !== "hello") {
    throw new TransferError("INVALID_FRAME", "the peer did not say hello first");
  }
  if (message.version !== protocolVersion) {
    throw new TransferError(
      "UNSUPPORTED_VERSION",
      `one side speaks version ${message.version} of the protocol, the other ${protocolVersion}; update the older one`,
    );
  }
  return message;
}
