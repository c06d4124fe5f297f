/** What callers say when they open a peer, send and receive. */

import type { Clock } from "../clock.ts";
import type { Codec } from "../codec.ts";
import type { Engine } from "../engine/engine.ts";
import type { Tuning } from "../options.ts";
import type { LaneFormat } from "../protocol/lane.ts";
import type { Compression } from "../transfer/compression.ts";
import type { ConflictPolicy } from "../transfer/conflicts.ts";
import type { DataFormat } from "../transfer/data-formats.ts";
import type { Chooser, EntryChoice } from "../transfer/entry-choice.ts";
import type { Logger, OfferSummary, ProfileName } from "../transfer/events.ts";
import type { Limit } from "../transfer/limit.ts";
import type { ByteWriter } from "../transfer/ordered-output.ts";
import type { SourceOptions } from "../transfer/source.ts";
import type { Priority } from "../transfer/turns.ts";
import type { AddressBook } from "./address-book.ts";
import type { Identity } from "./identity.ts";

/** What {@link Peer.open} needs to know. */
export interface PeerOptions {
  /** Addresses to listen on, `ip:port`; port 0 takes a free one. @default any, IPv4 and IPv6 */
  listen?: string | readonly string[];
  /** Who this peer is. @default loadIdentity() */
  identity?: Identity;
  /** The name that others see. @default the host's name */
  name?: string;
  /** The folder where files of others land. @default the current folder */
  inbox?: string;
  /** Decides about offers that nobody here asked for with a ticket. @default refuses them */
  onOffer?: (offer: OfferSummary) => OfferAnswer | Promise<OfferAnswer>;
  /** How fast all transfers together may send, and how fast they may receive. @default null */
  limit?: Limit;
  /** The same with each peer. @default null */
  limitPerPeer?: Limit;
  /** The names of peers. @default this user's book; with another `identity` one that is kept nowhere */
  addressBook?: AddressBook;
  logger?: Logger;
  tuning?: Partial<Tuning>;
  /** The engine to run on. @default the native one */
  engine?: Engine;
  /** Whose time it is. @default the system's */
  clock?: Clock;
  /**
   * The folder that remembers what paths to peers carried, so that the next transfer starts near it.
   *
   * @default configurationFolder() with the identity kept there; without it nothing is remembered
   */
  pathsFolder?: string;
  /** Data formats that this peer takes. @default all */
  formats?: readonly LaneFormat[];
  /** Codecs of pieces that this peer reads, besides `none`. @default all */
  codecs?: readonly Codec[];
}

/** What to do with an offer. */
export type OfferAnswer =
  | boolean
  | (EntryChoice & {
      into?: string;
      onConflict?: ConflictPolicy;
      /** Whether files keep their execute bits: say so where a person has seen the offer. @default false */
      executable?: boolean;
    });

/** How to send. */
export interface SendOptions extends SourceOptions {
  /**
   * The peer to send to: its name in the address book, its peer id, or `PEER-ID@ADDRESS`. One that is
   * not connected is dialled. Without it a ticket is made, and whoever holds that receives.
   */
  to?: string;
  /** Folder below the other's inbox. @default "" */
  targetDir?: string;
  /** @default "ultra" */
  profile?: ProfileName;
  /** Lanes at most. @default tuning.maxLanes */
  lanes?: number;
  /** Who goes first of those that are sent to one peer. @default "normal" */
  priority?: Priority;
  /** How fast it may move, all receivers together. @default null */
  limit?: Limit;
  /** How pieces are compressed; with a peer that does not read it, not at all. @default "auto" */
  compress?: Compression;
  /** Serve the ticket again and again until cancelled. @default false */
  keep?: boolean;
  /** Serve a ticket of an earlier run of this peer, at the same addresses, in place of a new one. */
  ticket?: string;
  /** How long the ticket is good for, in milliseconds. @default a day */
  ticketLifeMs?: number;
  /** How long to stay after a lost connection, in milliseconds. @default an hour */
  retryForMs?: number;
  signal?: AbortSignal;
  /** Data formats to try, for tests of peers to come. @default what both sides know */
  formats?: readonly DataFormat[];
}

/** How to receive. */
export interface ReceiveOptions extends EntryChoice {
  /** The folder where the files land, made if it is not there. @default the peer's inbox */
  into?: string;
  /**
   * Asked before anything is written; a function for an answer chooses among what `only`, `exclude` and
   * `choose` leave.
   *
   * @default accepts: the caller holds the ticket
   */
  accept?: (offer: OfferSummary) => boolean | Chooser | Promise<boolean | Chooser>;
  /** What to do where names are taken. @default "rename" */
  onConflict?: ConflictPolicy;
  /** How fast it may move. @default null */
  limit?: Limit;
  /**
   * Takes the bytes of the one file that is wanted, in order, each after its piece is proven.
   *
   * The sender has its receipt only after all were taken. The file lands in `into` all the same, under
   * a name that is free.
   */
  output?: ByteWriter;
  /** How long to try again after a lost connection, in milliseconds. @default an hour */
  retryForMs?: number;
  signal?: AbortSignal;
}
