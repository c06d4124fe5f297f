/** What is said on a control stream, as docs/protocol.md lists it. */

import type { ErrorCode } from "../errors.ts";
import type { AnswerMessage, RequestMessage } from "./request-messages.ts";

/** The protocol's version; a peer of another one is told so. */
export const protocolVersion = 1;

/** The ALPN of version 1. */
export const alpn = "quiver/1";

/** A failure as it travels. */
export interface WireFailure {
  code: ErrorCode;
  reason: string;
}

/** First message of each side. */
export interface Hello {
  type: "hello";
  version: number;
  /** The name of the device, for people. */
  name: string;
  features: string[];
  /** Data formats that it can receive: `ultra`, `standard`. */
  profiles: string[];
  codecs: string[];
  maxLanes: number;
  /** Proof of the right to talk: a ticket's MAC (see proof.ts); empty for none. */
  proof: Uint8Array;
}

/** What one file of a manifest came to. */
export interface FileResult {
  entry: number;
  status: "received" | "skipped" | "failed";
  /** BLAKE3, 32 bytes; empty when there is none. */
  hash: Uint8Array;
  /** Where it landed below the target folder, if not at its own path. */
  savedAs: string;
  code: ErrorCode | null;
  reason: string;
}

/** Files that follow each other in the manifest and were received, each at its own path. */
export interface ArrivedRun {
  /** Position of the first. */
  first: number;
  /** BLAKE3, 32 bytes a file; of at least one. */
  hashes: Uint8Array;
}

/** Pieces of one file that the receiver has from an earlier try. */
export interface HeldPieces {
  entry: number;
  pieceBytes: number;
  /** Position of the first piece, and how many follow each other. */
  first: number;
  count: number;
}

/** Values of pieces that stand on the receiver's disk where a file is to come. */
export interface ComparedPieces {
  entry: number;
  pieceBytes: number;
  /** Position of the first piece. */
  first: number;
  /** 32 bytes a piece. */
  values: Uint8Array;
}

/** What one side does with a transfer: a sender may have it wait for its turn. */
export type PaceState = (typeof paceStates)[number];

/** All of them, as they travel. */
export const paceStates = ["moving", "paused", "queued"] as const;

/** The bytes of all files of an offer, one behind the other. */
export interface OfferContent {
  bytes: Uint8Array;
  /** Their BLAKE3, 32 bytes. */
  hash: Uint8Array;
}

/** What a stream came to, once its last byte is read. */
export interface StreamEnd {
  bytes: number;
  /** BLAKE3, 32 bytes. */
  hash: Uint8Array;
}

/** A limit that a transfer can be held by. */
export type Bound = (typeof bounds)[number];

/** For how much of a transfer's time a limit held it. */
export interface BoundShare {
  by: Bound;
  /** From 0 to 1, in thousandths. */
  share: number;
}

/** All of them, as they travel. */
export const bounds = [
  "sender-disk",
  "receiver-disk",
  "sender-cpu",
  "receiver-cpu",
  "window",
  "path",
  "loss",
  "limit",
  "relay",
] as const;

/** Everything that is said on a control stream. `transfer` is 32 hex digits. */
export type ControlMessage =
  | Hello
  | RequestMessage
  | AnswerMessage
  | {
      type: "offer";
      transfer: string;
      targetDir: string;
      profile: "ultra" | "standard";
      /** A text to show in place of files. */
      text?: string;
      /** Bytes of a piece of the one file, where that is a stream: its size is known at its end. */
      stream?: number;
    }
  | { type: "entries"; transfer: string; batch: Uint8Array }
  | {
      type: "offered";
      transfer: string;
      entries: number;
      bytes: number;
      skipped: { path: string; reason: string }[];
      /** Only to a receiver that takes it. */
      content?: OfferContent;
    }
  | { type: "skip"; transfer: string; runs: [first: number, count: number][] }
  | {
      type: "have";
      transfer: string;
      /** Runs of entries whose files are there whole. */
      files: [first: number, count: number][];
      /** Runs of proven pieces of files that are there in part. */
      pieces: HeldPieces[];
    }
  | { type: "compare"; transfer: string; files: ComparedPieces[] }
  | { type: "equal"; transfer: string; entry: number; runs: [first: number, count: number][] }
  /** `content`: what came with the offer is all that was missing. */
  | { type: "accept"; transfer: string; content?: boolean }
  | ({ type: "reject"; transfer: string } & WireFailure)
  | ({ type: "cancel"; transfer: string } & WireFailure)
  | {
      type: "pace";
      transfer: string;
      state: PaceState;
      /** Bytes a second that this side lets it move at most; null for no limit. */
      limit: number | null;
    }
  | {
      type: "bound";
      transfer: string;
      /** What holds it; null for nothing that this version knows. */
      by: Bound | null;
    }
  | { type: "want"; transfer: string; entry: number; offset: number; length: number }
  | { type: "absent"; transfer: string; failures: ({ entry: number } & WireFailure)[] }
  | {
      type: "done";
      transfer: string;
      lanes: number;
      /** What a stream came to. */
      end?: StreamEnd;
    }
  | ({ type: "refuse"; transfer: string; lane: number } & WireFailure)
  | { type: "results"; transfer: string; files: FileResult[] }
  /** The same of files of which there is no more to say; only to a sender that takes it. */
  | { type: "arrived"; transfer: string; runs: ArrivedRun[] }
  | { type: "receipt"; transfer: string; bytes: number; seconds: number }
  | {
      type: "settled";
      transfer: string;
      /** What held the transfer, for the receiver's copy of the receipt; older peers do not say. */
      bounds?: BoundShare[];
    }
  | {
      type: "widen";
      /** The key under which this side waits for a second connection, 64 hex digits; it serves for nothing else. */
      peerId: string;
      /** The UDP port; at the address of the connection that there is. */
      port: number;
    }
  | ({ type: "error" } & WireFailure);
