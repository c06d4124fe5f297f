/** What an offer is received with. */

import type { Clock } from "../clock.ts";
import type { Codec } from "../codec.ts";
import type { Engine, Folder } from "../engine/engine.ts";
import { TransferError } from "../errors.ts";
import type { SizeTable } from "../options.ts";
import type { LaneFormat } from "../protocol/lane.ts";
import type { Manifest } from "../protocol/manifest.ts";
import type { ConflictPolicy } from "./conflicts.ts";
import { countWanted, type EntryChooser, type LeftOut, wantedFiles } from "./entry-choice.ts";
import type { OfferSummary } from "./events.ts";
import type { NameRules } from "./landing-name.ts";
import type { OrderedOutput } from "./ordered-output.ts";
import type { StreamHold } from "./stream-hold.ts";
import type { Throttle } from "./throttle.ts";

/** What a transfer is received with. */
export interface IncomingOptions {
  engine: Engine;
  clock: Clock;
  rules: NameRules;
  /** Data formats that are taken; others are refused. */
  formats: readonly LaneFormat[];
  /** Codecs that are taken, as this side's hello lists them. */
  codecs: readonly Codec[];
  /** Piece sizes, for what is compared by value. */
  pieceTable: SizeTable;
  /** Limits that it shares with other transfers, the widest last. */
  throttles: readonly Throttle[];
  /** What is wanted as far as it is known before; for people to see before they decide. */
  chooser: EntryChooser;
  /** Takes the bytes of the one file that is wanted. */
  output?: OrderedOutput | undefined;
  /** Keeps a stream for the sender's next connection; without it a lost connection ends it. */
  hold?: StreamHold | undefined;
  /**
   * Decides, and names where it lands; null refuses. Called once, when all of the offer is known.
   *
   * The fingerprint is the same for offers of the same content.
   */
  decide: (offer: OfferSummary, fingerprint: string) => Promise<IncomingDecision | null>;
}

/** A yes to an offer. */
export interface IncomingDecision {
  /** Opens the folder where it lands, and makes it if it is not there; the transfer closes it. */
  openTarget: () => Promise<Folder>;
  /** The same in the system's notation. */
  into: string;
  onConflict: ConflictPolicy;
  /** Whether files may keep their execute bits. */
  executable: boolean;
  chooser: EntryChooser;
}

/**
 * Makes sure that something is wanted, and for an output exactly one file.
 *
 * @throws {TransferError} `PEER_REJECTED`, which the sender is told, too.
 */
export function requireWanted(
  manifest: Manifest,
  { leftOut, isStream }: { leftOut: LeftOut; isStream: boolean },
  output?: OrderedOutput,
): void {
  const { totals, topLevel } = manifest;
  // An offer of nothing at all can be taken, too.
  if (totals.entries > 0 && topLevel.every((top) => leftOut.has(top))) throw nothingChosen;
  if (!output) return;
  const { files } = countWanted(manifest, leftOut);
  const [wanted] = wantedFiles(manifest, leftOut);
  if (files !== 1 || !wanted) {
    const message = `one file can be written out, and ${files} are chosen; name one with --only`;
    throw new TransferError("PEER_REJECTED", message);
  }
  const [entry, { bytes }] = wanted;
  const fileBytes = isStream ? Number.POSITIVE_INFINITY : bytes;
  output.begin({ entry, fileBytes, fingerprint: manifest.fingerprint });
}

const nothingChosen = new TransferError(
  "PEER_REJECTED",
  "the receiver chose nothing of the offer; --dry-run shows what there is",
);
