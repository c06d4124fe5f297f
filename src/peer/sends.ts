/** What a peer sends, to one peer or to whoever brings a ticket. */

import type { Receipt } from "../transfer/events.ts";
import type { TransferRecord } from "../transfer/transfer.ts";
import type { Connections } from "./connections.ts";
import type { PeerContext } from "./context.ts";
import type { SendOptions } from "./peer-options.ts";
import { pushTo } from "./pushing.ts";
import { serveTicket } from "./sending.ts";
import type { SentSources } from "./sent-sources.ts";
import type { Tickets } from "./tickets.ts";

/** What sending needs of a peer. */
export interface Sender {
  context: PeerContext;
  tickets: Tickets;
  connections: Connections;
}

/** A transfer that is sent, and how. */
export interface Sending {
  record: TransferRecord;
  options: SendOptions;
}

/** Sends what was opened to a peer, which is dialled where it is not connected. */
export async function sendTo(
  { context, connections }: Sender,
  sources: SentSources,
  { peerId, record, options }: Sending & { peerId: string },
): Promise<Receipt> {
  const reach = connections.reachAgain(peerId, record.signal);
  try {
    return await pushTo(context, reach, sources, record, options);
  } finally {
    await sources.close();
  }
}

/** Sends what was opened to whoever brings the ticket that is made for it. */
export async function sendByTicket(
  { context, tickets }: Sender,
  sources: SentSources,
  { record, options }: Sending,
): Promise<Receipt> {
  try {
    return await serveTicket(context, tickets, sources, record, options);
  } finally {
    await sources.close();
  }
}
