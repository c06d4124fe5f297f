/** Sends a source to one session, or to whoever brings its ticket. */

import { TransferError } from "../errors.ts";
import { ticketLifeMs } from "../options.ts";
import { encodeTicket } from "../protocol/ticket.ts";
import type { Receipt } from "../transfer/events.ts";
import { sendSource } from "../transfer/outgoing.ts";
import type { Source } from "../transfer/source.ts";
import { SourceFiles } from "../transfer/source-files.ts";
import type { TransferRecord } from "../transfer/transfer.ts";
import { reachableAddresses } from "./addresses.ts";
import { background, type PeerContext } from "./context.ts";
import type { SendOptions } from "./peer-options.ts";
import type { Session } from "./session.ts";
import type { Tickets } from "./tickets.ts";

/** Sends a source over a session and returns the receipt. */
export async function sendOver(
  { engine, clock, tuning }: PeerContext,
  session: Session,
  source: Source,
  record: TransferRecord,
  options: SendOptions,
): Promise<Receipt> {
  const files = new SourceFiles(engine, source, tuning);
  const { peerId, hello, connection } = session;
  const address = connection.stats().remoteAddress;
  record.emit({ type: "connected", transferId: record.id, peerId, peerName: hello.name, address });
  try {
    return await sendSource(session, source, files, record, {
      engine,
      clock,
      tuning,
      profile: options.profile ?? "ultra",
      lanes: Math.min(options.lanes ?? tuning.maxLanes, tuning.maxLanes),
      targetDir: options.targetDir ?? "",
      formats: options.formats,
    });
  } finally {
    await files.close();
  }
}

/**
 * Makes a ticket and serves it: once, or with `keep` until cancelled.
 *
 * With `keep` each receiver's receipt and failure is an event, and the promise only ever rejects.
 */
export async function serveTicket(
  context: PeerContext,
  tickets: Tickets,
  source: Source,
  record: TransferRecord,
  options: SendOptions,
): Promise<Receipt> {
  const result = Promise.withResolvers<Receipt>();
  const serving = new Set<Session>();
  const serve = async (session: Session) => {
    if (serving.size > 0 && !options.keep) {
      const reason = "the ticket is in use by another receiver";
      return session.closeFor(new TransferError("PEER_REJECTED", reason));
    }
    serving.add(session);
    try {
      const receipt = await sendOver(context, session, source, record, options);
      if (options.keep) record.emit({ type: "receipt", ...receipt });
      else result.resolve(receipt);
    } catch (error) {
      // What was said last may not have left yet: the close carries it, too.
      session.closeFor(error);
      if (options.keep && error instanceof TransferError) record.warn(error);
      else result.reject(error);
    } finally {
      serving.delete(session);
    }
  };
  const { secret, revoke } = tickets.issue(ticketLifeMs, (session) => background(serve(session)));
  const { peerId, addresses: bound } = context.endpoint;
  record.ticket = encodeTicket({ peerId, secret, addresses: reachableAddresses(bound) });
  record.emit({ type: "ready", transferId: record.id, ticket: record.ticket });
  // A transfer that runs learns of the signal itself, and tells its receiver.
  const cancel = () => {
    if (options.keep || serving.size === 0) result.reject(record.signal.reason);
  };
  record.signal.addEventListener("abort", cancel, { once: true });
  if (record.signal.aborted) cancel();
  try {
    return await result.promise;
  } finally {
    revoke();
    record.signal.removeEventListener("abort", cancel);
  }
}
