/** What a person can say of compression, and what it comes to with a peer. */

import { asTheyAre, type Codec, type Coding } from "../codec.ts";
import { TransferError } from "../errors.ts";
import { automaticCodings } from "../options.ts";

/** `auto` compresses where that is quicker; the others always, or never. Levels of zstd go from 1 to 19. */
export type Compression = "auto" | Codec | `zstd:${number}`;

/** How pieces may be encoded for a peer: in one way, or in the best of several. */
export type Codings = { kind: "fixed"; coding: Coding } | { kind: "best"; of: readonly Coding[] };

/** Whether a text names a way to compress. */
export function isCompression(text: string): text is Compression {
  return /^(auto|none|lz4|zstd(:([1-9]|1[0-9]))?)$/.test(text);
}

/** Refuses a text that names no way to compress with `INVALID_ARGUMENT`; undefined is one. */
export function requireCompression(text: string | undefined): void {
  if (text === undefined || isCompression(text)) return;
  const message = `compression: ${text} is not known; use auto, none, lz4, zstd or zstd:1 to zstd:19`;
  throw new TransferError("INVALID_ARGUMENT", message);
}

/** The codings for a peer that reads some codecs. One that it does not read becomes none. */
export function codingsFor(compression: Compression, known: readonly string[]): Codings {
  const coding = codingOf(compression);
  if (coding) return { kind: "fixed", coding: known.includes(coding.codec) ? coding : asTheyAre };
  const of = automaticCodings.filter(({ codec }) => known.includes(codec));
  return of.length > 0 ? { kind: "best", of } : { kind: "fixed", coding: asTheyAre };
}

/** Null for `auto`. */
function codingOf(compression: Compression): Coding | null {
  const [codec, level] = compression.split(":");
  if (codec === "lz4") return { codec, level: 0 };
  if (codec === "zstd") return { codec, level: Number(level ?? usualLevel) };
  return codec === "none" ? asTheyAre : null;
}

/** Codings as people read them. */
export function compressionText(codings: Codings): Compression {
  if (codings.kind === "best") return "auto";
  const { codec, level } = codings.coding;
  return codec === "zstd" ? `zstd:${level}` : codec;
}

/** What zstd itself takes where nobody says anything. */
const usualLevel = 3;
