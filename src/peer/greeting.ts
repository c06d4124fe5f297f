/** The first words of two peers, which may travel before the handshake of their connection is complete. */

import { type Clock, within } from "../clock.ts";
import type { BidirectionalStream, Connection, EarlyCall } from "../engine/engine.ts";
import { errorCodes, TransferError } from "../errors.ts";
import { contentFeature } from "../protocol/features.ts";
import { maxHelloBytes } from "../protocol/limits.ts";
import { decodeMessage, encodeMessage } from "../protocol/message-codec.ts";
import { type Hello, protocolVersion } from "../protocol/messages.ts";
import { proofLabel, ticketProof } from "../protocol/proof.ts";
import { closeFailure, failureFor } from "../transfer/failure.ts";
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

/** Does a step of the greeting in time; where that fails, the connection ends. Rejects with why. */
export async function greetWithin<T>(
  connection: Connection,
  { clock, helloTimeoutMs }: { clock: Clock; helloTimeoutMs: number },
  greet: () => Promise<T>,
): Promise<T> {
  try {
    return await within(clock, helloTimeoutMs, greet(), () => silent);
  } catch (error) {
    const isLost = error instanceof TransferError && error.code === "CONNECTION_LOST";
    if (isLost) throw closeFailure(await connection.closed());
    const { code, reason } = failureFor(error, "the other side");
    connection.close(errorCodes[code].wire, reason);
    throw error;
  }
}

const silent = new TransferError(
  "PEER_UNREACHABLE",
  "the peer answered, but does not speak quiver",
);

/** Opens the control stream, and says hello on it with the proof that the holder of a ticket's secret has. */
export async function openControl(
  connection: Connection,
  hello: Hello,
  secret?: Uint8Array,
): Promise<BidirectionalStream> {
  const control = await connection.openBidirectional();
  const proof = secret ? ticketProof(secret, keyingMaterial(connection)) : hello.proof;
  await sayHello(control, { ...hello, proof });
  return control;
}

/** What a proof is made with: bytes that only the two ends of a connection have. */
export function keyingMaterial(connection: Connection): Uint8Array {
  return connection.exportKeyingMaterial(proofLabel, new Uint8Array());
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

/** What is known of a peer that has not said hello yet. */
export const unheard: Hello = {
  type: "hello",
  version: protocolVersion,
  name: "",
  // Who does not know it passes it over.
  features: [contentFeature],
  profiles: [],
  codecs: [],
  maxLanes: 1,
  proof: new Uint8Array(),
};
