/**
 * The bytes of little files, which travel with their offer: a round trip earlier than in lanes.
 *
 * The receiver may hold them against nothing yet, so it says with its yes whether it goes on with them.
 */

import { contentFeature } from "../protocol/features.ts";
import { maxContentBytes } from "../protocol/limits.ts";
import type { OfferContent } from "../protocol/messages.ts";
import type { Channel } from "./channel.ts";
import type { OutgoingOptions } from "./outgoing-options.ts";
import type { Pacing } from "./pacing.ts";
import type { SourceFiles } from "./source-files.ts";
import { unexpected } from "./unexpected.ts";
import { hashOf } from "./whole-hash.ts";

/** What decides whether they travel. */
export interface OfferedContentOptions {
  channel: Pick<Channel, "hello">;
  files: SourceFiles;
  pacing: Pick<Pacing, "shown">;
  options: Pick<OutgoingOptions, "engine" | "tuning" | "profile" | "compress">;
}

/** What travels with one offer. */
export class OfferedContent {
  /** Whether the receiver goes on with it. */
  isTaken = false;
  readonly #options: OfferedContentOptions;
  #content: OfferContent | null = null;
  readonly #hashes = new Map<number, Uint8Array>();

  constructor(options: OfferedContentOptions) {
    this.#options = options;
  }

  /** Bytes that were sent and are of use. */
  get sentBytes(): number {
    return this.isTaken ? (this.#content?.bytes.length ?? 0) : 0;
  }

  /** Reads all files, once they are walked; null where they are to go into lanes. */
  async read(): Promise<OfferContent | null> {
    const { files, options } = this.#options;
    const { engine } = options;
    const { manifest } = files.source;
    const { entries, bytes } = manifest.totals;
    if (!this.#isWanted || bytes > this.#mostBytes || entries > mostEntries) return null;
    const parts: Uint8Array[] = [];
    for (const [entry, { kind }] of manifest) {
      if (kind !== "file") continue;
      // Why one cannot be read is told by the lane that is to bring it.
      const file = await files.readWhole(entry).catch(() => null);
      if (!file) return null;
      parts.push(file.bytes);
      this.#hashes.set(entry, file.hash);
    }
    const all = Buffer.concat(parts);
    this.#content = { bytes: all, hash: await hashOf(engine, all) };
    return this.#content;
  }

  /** Takes the receiver's word. `INVALID_FRAME` where nothing was sent that it could go on with. */
  answered(isTaken: boolean): void {
    if (!isTaken) return;
    if (!this.#content) throw unexpected("accept");
    this.isTaken = true;
    for (const [entry, hash] of this.#hashes) this.#options.files.keepHash(entry, hash);
  }

  /** Not to a peer that does not know it, past a limit, or past what was asked for: a codec, a format. */
  get #isWanted(): boolean {
    const { channel, files, pacing, options } = this.#options;
    const { text, stream } = files.source;
    const { state, limit } = pacing.shown;
    const isPlain = options.compress === "auto" || options.compress === "none";
    const isFree = state === "moving" && limit === null;
    const isKnown = channel.hello.features.includes(contentFeature);
    const isOfFiles = text === undefined && !stream;
    return isKnown && isOfFiles && isPlain && isFree && options.profile === "ultra";
  }

  get #mostBytes(): number {
    return Math.min(this.#options.options.tuning.contentBytes, maxContentBytes);
  }
}

/** As many as are read and written one after the other in a few milliseconds. */
const mostEntries = 64;
