/** What comes of an offer that was accepted: lanes and messages, up to the last file. */

import type { Clock } from "../clock.ts";
import type { Engine } from "../engine/engine.ts";
import { progressIntervalMs, streamAckBytes } from "../options.ts";
import type { Manifest } from "../protocol/manifest.ts";
import type { ControlMessage, StreamEnd } from "../protocol/messages.ts";
import type { Channel } from "./channel.ts";
import type { Mailbox } from "./mailbox.ts";
import type { OrderedOutput } from "./ordered-output.ts";
import type { Pacing } from "./pacing.ts";
import { ProgressTeller } from "./progress-teller.ts";
import type { Reception } from "./reception.ts";
import { SideClock } from "./side-clock.ts";
import type { ToldBounds } from "./told-bounds.ts";
import type { TransferRecord } from "./transfer.ts";
import { unexpected } from "./unexpected.ts";

/** A reception and who takes part in it. */
export interface Arriving {
  reception: Reception;
  manifest: Manifest;
  clock: Clock;
  record: TransferRecord;
  pacing: Pacing;
  channel: Channel;
  mailbox: Mailbox<ControlMessage>;
  output: OrderedOutput | undefined;
  engine: Engine;
  bounds: ToldBounds;
}

/** Resolves when every file has arrived or failed. */
export async function takeAll(arriving: Arriving, listening: Promise<void>): Promise<void> {
  const { reception, clock, record, pacing, channel, engine, bounds } = arriving;
  const { arrivals, stream, lanes, journal, total, totalFiles } = reception;
  const side = new SideClock(clock, engine, () => lanes.spent);
  const counted = { arrivals, stream, lanes, total, totalFiles };
  const about = { clock, channel, record, pacing, side, boundBy: () => bounds.by };
  const progress = await ProgressTeller.open({ ...about, ...counted });
  stream?.watch(streamAckBytes, () => void progress.say());
  const stopTelling = clock.every(progressIntervalMs, () => void progress.tell());
  const failing = Promise.withResolvers<never>();
  const stopCommitting = clock.every(commitCheckMs, () => {
    if (journal.isDue) journal.commit().catch(failing.reject);
  });
  reception.handing?.done.catch(failing.reject);
  stream?.failed.catch(failing.reject);
  try {
    const early = listening.then(() => Promise.reject(unexpected("settled")));
    await Promise.race([lanes.finished, early, failing.promise]);
  } finally {
    stopTelling();
    stopCommitting();
  }
  await progress.tell();
  await progress.close();
}

/** Takes messages until the sender has its receipt. */
export async function listen(arriving: Arriving): Promise<void> {
  const { arrivals, lanes, comparison } = arriving.reception;
  for (;;) {
    const message = await arriving.mailbox.next();
    if (message.type === "absent") {
      for (const { entry, code, reason } of message.failures) {
        arrivals.absent(entry, { code, reason });
      }
    } else if (message.type === "equal") await comparison.equal(message.entry, message.runs);
    else if (message.type === "done") {
      if (message.end) await endStream(arriving, message.end);
      lanes.done(message.lanes);
    } else if (message.type === "bound") arriving.bounds.hear(message.by);
    else if (message.type === "settled") return arriving.bounds.settle(message.bounds);
    else throw unexpected(message.type);
  }
}

/** Takes the end of a stream; without it the stream would be missed as soon as its lanes have ended. */
async function endStream({ reception, manifest, output }: Arriving, end: StreamEnd): Promise<void> {
  const { stream, plan } = reception;
  if (!stream || plan.skipped.has(0)) throw unexpected("the end of a stream");
  await stream.end(end);
  manifest.endStream(end.bytes);
  output?.end(end.bytes);
}

/** How often it is looked whether the journal should be committed. */
const commitCheckMs = 100;
