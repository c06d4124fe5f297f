/** Turns the addon's failures into those of this package. */

import { codeOfWire, isErrorCode, TransferError } from "../errors.ts";
import type { AddonFailure } from "./native-addon.ts";

/**
 * Turns a rejection of the addon into a {@link TransferError}.
 *
 * The addon writes `CODE: text`, because a rejected promise of napi-rs can carry no code of ours.
 * Anything of another form is a bug of the addon and passes through as it is.
 */
export function fromNative(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const [code = ""] = error.message.split(": ", 1);
  const text = error.message.slice(code.length + 2);
  if (code === "REMOTE") return fromRemote(text, error);
  if (!isErrorCode(code)) return error;
  return new TransferError(code, text, { cause: error });
}

/** Waits for a call of the addon; what it rejects with becomes a {@link TransferError}. */
export async function native<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw fromNative(error);
  }
}

/** The same for a call that answers at once. */
export function nativeNow<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw fromNative(error);
  }
}

/** What the addon wrote where a promise is not rejected: `CODE: text`, or nothing. */
export function failureOf(text: string | null | undefined): Error | null {
  if (text === null || text === undefined) return null;
  const failure = fromNative(new Error(text));
  return failure instanceof Error ? failure : null;
}

/** Why some things of a list failed, by their positions. */
export function reasonsOf(failures: readonly AddonFailure[]): Map<number, Error | null> {
  return new Map(failures.map(({ position, text }) => [position, failureOf(text)]));
}

/**
 * The peer gave up with a number of the table in `errors.ts`, after which its text stands.
 *
 * 0 is no number of ours: the peer's program ended, or let the stream go, without a word.
 */
function fromRemote(text: string, cause: Error): TransferError {
  const [digits = ""] = text.split(" ", 1);
  const number = Number(digits);
  const code = number === 0 ? "CONNECTION_LOST" : codeOfWire(number);
  return new TransferError(code, text.slice(digits.length + 1), { cause });
}
