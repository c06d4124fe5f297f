/** What can be sent, and how it is opened. */

import { TransferError } from "../errors.ts";
import { bytesFor } from "../transfer/plan.ts";
import { StreamedBytes, type StreamInput } from "../transfer/streamed-bytes.ts";
import type { PeerContext } from "./context.ts";
import type { SendOptions } from "./peer-options.ts";
import { SentSources } from "./sent-sources.ts";

/** What can be sent: paths of this machine, or bytes as they come. */
export type Sendable = string | readonly string[] | StreamInput;

/** Opens what is sent. Rejects with `DISK_*`, or `INVALID_ARGUMENT` for what cannot be sent so. */
export async function openSources(
  { engine, clock, tuning }: PeerContext,
  what: Sendable,
  options: SendOptions = {},
): Promise<SentSources> {
  if (typeof what === "string") return SentSources.open(engine, [what], options);
  if (!("stream" in what)) return SentSources.open(engine, what, options);
  const problem = problemOfStream(options);
  if (problem !== null) throw new TransferError("INVALID_ARGUMENT", problem);
  const pieceBytes = bytesFor(tuning.pieceTable, Number.POSITIVE_INFINITY);
  const stream = new StreamedBytes(what, { engine, pieceBytes, mtimeMs: clock.wallNow() });
  return SentSources.ofStream(engine, stream);
}

function problemOfStream({ keep, text, exclude, gitignore, profile }: SendOptions): string | null {
  if (keep) return "a stream is read once, for one receiver; save it as a file to serve it to many";
  if (text !== undefined) return "a text is sent alone; send the stream by itself";
  if (exclude?.length || gitignore) return "a stream is one file; there is nothing to leave out";
  if (profile === "standard") return "a stream is sent in the ultra profile only";
  return null;
}
