/** What a sender says when all is in lanes, and when it gives up. */

import { maxItems } from "../protocol/limits.ts";
import type { StreamEnd } from "../protocol/messages.ts";
import { batches, textBytes } from "./batches.ts";
import type { Channel } from "./channel.ts";
import { failureFor } from "./failure.ts";
import type { SourceFiles } from "./source-files.ts";

/** A lot of work that is in lanes. */
export interface Done {
  transfer: string;
  files: SourceFiles;
  /** Lanes opened so far. */
  lanes: number;
  /** What a stream came to. */
  end: StreamEnd | null;
}

/** Says what will not come, and that all else is in lanes. */
export async function sayDone(
  channel: Pick<Channel, "say">,
  { transfer, files, lanes, end }: Done,
): Promise<void> {
  const bytesOf = ({ reason }: { reason: string }) => textBytes("", reason);
  for (const failures of batches(files.takeFailures(), maxItems, bytesOf)) {
    await channel.say({ type: "absent", transfer, failures });
  }
  await channel.say({ type: "done", transfer, lanes, ...(end && { end }) });
}

/** Tells the receiver why the transfer is over, unless it knows. */
export async function sayOver(
  channel: Pick<Channel, "say">,
  transfer: string,
  error: unknown,
): Promise<void> {
  const { code, reason } = failureFor(error, "the sender");
  if (code === "CONNECTION_LOST" || code === "PEER_REJECTED") return;
  await channel.say({ type: "cancel", transfer, code, reason }).catch(() => {});
}
