/** Sends a source to a peer that is connected, and goes on over a new connection when one is lost. */

import { retryForMs as defaultRetryForMs } from "../options.ts";
import type { Receipt } from "../transfer/events.ts";
import type { TransferRecord } from "../transfer/transfer.ts";
import { background, type PeerContext } from "./context.ts";
import type { SendOptions } from "./peer-options.ts";
import { withRetries } from "./retry.ts";
import { sendOver } from "./sending.ts";
import type { SentSources } from "./sent-sources.ts";
import type { Session } from "./session.ts";

/** How a peer is reached. */
export interface Reach {
  /** The session to use. */
  connect: () => Promise<Session>;
  /** Whether another one than the last has been made already. */
  isReached: () => boolean;
}

/** Offers the source, and what it is by then to each later connection. */
export async function pushTo(
  context: PeerContext,
  { connect, isReached }: Reach,
  sources: SentSources,
  record: TransferRecord,
  options: SendOptions,
): Promise<Receipt> {
  const retryForMs = options.retryForMs ?? defaultRetryForMs;
  const retries = { clock: context.clock, record, retryForMs, isReached };
  return withRetries(retries, async (reached) => {
    const session = await connect();
    background(session.greeted.then(reached));
    return sources.use((source) => sendOver(context, session, source, record, options));
  });
}
