/** The messages of the control and progress streams, as docs/protocol.md lists them. */

import { codeOfWire, type ErrorCode, errorCodes } from "../errors.ts";
import { decodeName, encodeName, isUnicode } from "../lossless-name.ts";
import {
  bytes,
  type Fields,
  fieldsOf,
  integer,
  invalid,
  list,
  quantity,
  text,
  tuple,
  word,
} from "./fields.ts";
import { decodeFrameBody, encodeFrame } from "./frame.ts";
import {
  maxBatchBytes,
  maxDeviceName,
  maxEntries,
  maxItems,
  maxLanes,
  maxPathBytes,
  maxReason,
  maxWord,
  maxWords,
} from "./limits.ts";

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

/** Everything that is said on a control stream. `transfer` is 32 hex digits. */
export type ControlMessage =
  | Hello
  | { type: "offer"; transfer: string; targetDir: string; profile: "ultra" | "standard" }
  | { type: "entries"; transfer: string; batch: Uint8Array }
  | {
      type: "offered";
      transfer: string;
      entries: number;
      bytes: number;
      skipped: { path: string; reason: string }[];
    }
  | { type: "skip"; transfer: string; runs: [first: number, count: number][] }
  | { type: "accept"; transfer: string }
  | ({ type: "reject"; transfer: string } & WireFailure)
  | ({ type: "cancel"; transfer: string } & WireFailure)
  | { type: "want"; transfer: string; entry: number; offset: number; length: number }
  | { type: "absent"; transfer: string; failures: ({ entry: number } & WireFailure)[] }
  | { type: "done"; transfer: string; lanes: number }
  | ({ type: "refuse"; transfer: string; lane: number } & WireFailure)
  | { type: "results"; transfer: string; files: FileResult[] }
  | { type: "receipt"; transfer: string; bytes: number; seconds: number }
  | { type: "settled"; transfer: string }
  | ({ type: "error" } & WireFailure);

/** What a receiver says on a progress stream. */
export interface ProgressMessage {
  /** Bytes proven. */
  bytes: number;
  /** Files whose every byte is proven. */
  files: number;
  /** Bytes taken from each lane, by its number. */
  lanes: number[];
  /** The files being received: entry and proven bytes. */
  current: [entry: number, bytes: number][];
}

/** A message as a frame. */
export function encodeMessage(message: ControlMessage): Uint8Array {
  return encodeFrame(toWire(message));
}

/** The message of a frame's body; null for a type that this version does not know. */
export function decodeMessage(body: Uint8Array): ControlMessage | null {
  const fields = fieldsOf(decodeFrameBody(body), "message");
  const type = text(fields["type"], "type", maxWord);
  return decoders[type]?.(fields) ?? null;
}

/** A progress message as a frame. */
export function encodeProgress(message: ProgressMessage): Uint8Array {
  return encodeFrame(message);
}

/** The progress message of a frame's body. */
export function decodeProgress(body: Uint8Array): ProgressMessage {
  const fields = fieldsOf(decodeFrameBody(body), "progress");
  return {
    bytes: size(fields["bytes"], "bytes"),
    files: integer(fields["files"], "files", 0, maxEntries),
    lanes: list(fields["lanes"], "lanes", maxLanes, (value) => size(value, "lane")),
    current: list(fields["current"], "current", maxLanes, (value) => {
      const [entry, proven] = tuple(value, "current", 2);
      return [entryNumber(entry), size(proven, "proven")];
    }),
  };
}

/** The fields of each message that do not travel as they are. */
function toWire(message: ControlMessage): Record<string, unknown> {
  const wire: Record<string, unknown> = { ...message };
  if ("transfer" in message) wire["transfer"] = Buffer.from(message.transfer, "hex");
  if ("code" in message) wire["code"] = errorCodes[message.code].wire;
  if (message.type === "offered") {
    wire["skipped"] = message.skipped.map(({ path, reason }) => [nameToWire(path), reason]);
  }
  if (message.type === "absent") {
    wire["failures"] = message.failures.map(({ entry, code, reason }) => [
      entry,
      errorCodes[code].wire,
      reason,
    ]);
  }
  if (message.type === "results") wire["files"] = message.files.map(resultToWire);
  return wire;
}

function resultToWire(result: FileResult): unknown[] {
  const { entry, status, hash, savedAs, code, reason } = result;
  const wire = code === null ? 0 : errorCodes[code].wire;
  return [entry, statuses.indexOf(status), hash, nameToWire(savedAs), wire, reason];
}

function resultOf(value: unknown): FileResult {
  const fields = tuple(value, "result", 6);
  const status = statuses[integer(fields[1], "status", 0, statuses.length - 1)];
  if (status === undefined) throw invalid("status");
  const hash = bytes(fields[2], "hash");
  if (hash.length !== 0 && hash.length !== 32) throw invalid("hash");
  const code = integer(fields[4], "code", 0, maxWire);
  return {
    entry: entryNumber(fields[0]),
    status,
    hash,
    savedAs: nameOf(fields[3], "saved as", 2 * maxPathBytes),
    code: code === 0 ? null : codeOfWire(code),
    reason: text(fields[5], "reason", maxReason),
  };
}

const decoders: Record<string, (fields: Fields) => ControlMessage> = {
  hello: (fields) => ({
    type: "hello",
    version: integer(fields["version"], "version", 0, 0xffff),
    name: text(fields["name"], "name", maxDeviceName),
    features: words(fields["features"]),
    profiles: words(fields["profiles"]),
    codecs: words(fields["codecs"]),
    maxLanes: integer(fields["maxLanes"], "most lanes", 1, 0xffff),
    proof: proofOf(fields["proof"]),
  }),
  offer: (fields) => ({
    type: "offer",
    transfer: transferOf(fields),
    targetDir: text(fields["targetDir"], "target folder", maxPathBytes),
    profile: word(fields["profile"], "profile", ["ultra", "standard"]),
  }),
  entries: (fields) => {
    const batch = bytes(fields["batch"], "batch");
    if (batch.length > maxBatchBytes) throw invalid("batch");
    return { type: "entries", transfer: transferOf(fields), batch };
  },
  offered: (fields) => ({
    type: "offered",
    transfer: transferOf(fields),
    entries: integer(fields["entries"], "entries", 0, maxEntries),
    bytes: size(fields["bytes"], "bytes"),
    skipped: list(fields["skipped"], "skipped", maxItems, (value) => {
      const [path, reason] = tuple(value, "skipped", 2);
      return {
        path: nameOf(path, "path", 2 * maxPathBytes),
        reason: text(reason, "reason", maxReason),
      };
    }),
  }),
  skip: (fields) => ({
    type: "skip",
    transfer: transferOf(fields),
    runs: list(fields["runs"], "runs", maxItems, (value) => {
      const [first, count] = tuple(value, "run", 2);
      return [entryNumber(first), integer(count, "count", 1, maxEntries)];
    }),
  }),
  accept: (fields) => ({ type: "accept", transfer: transferOf(fields) }),
  reject: (fields) => ({ type: "reject", transfer: transferOf(fields), ...failureOf(fields) }),
  cancel: (fields) => ({ type: "cancel", transfer: transferOf(fields), ...failureOf(fields) }),
  want: (fields) => ({
    type: "want",
    transfer: transferOf(fields),
    entry: entryNumber(fields["entry"]),
    offset: size(fields["offset"], "offset"),
    length: size(fields["length"], "length"),
  }),
  absent: (fields) => ({
    type: "absent",
    transfer: transferOf(fields),
    failures: list(fields["failures"], "failures", maxItems, (value) => {
      const [entry, code, reason] = tuple(value, "failure", 3);
      return { entry: entryNumber(entry), ...failureOf({ code, reason }) };
    }),
  }),
  done: (fields) => ({
    type: "done",
    transfer: transferOf(fields),
    lanes: integer(fields["lanes"], "lanes", 0, maxLanes),
  }),
  refuse: (fields) => ({
    type: "refuse",
    transfer: transferOf(fields),
    lane: integer(fields["lane"], "lane", 0, maxLanes - 1),
    ...failureOf(fields),
  }),
  results: (fields) => ({
    type: "results",
    transfer: transferOf(fields),
    files: list(fields["files"], "results", maxItems, resultOf),
  }),
  receipt: (fields) => ({
    type: "receipt",
    transfer: transferOf(fields),
    bytes: size(fields["bytes"], "bytes"),
    seconds: quantity(fields["seconds"], "seconds"),
  }),
  settled: (fields) => ({ type: "settled", transfer: transferOf(fields) }),
  error: (fields) => ({ type: "error", ...failureOf(fields) }),
};

function transferOf(fields: Fields): string {
  return Buffer.from(bytes(fields["transfer"], "transfer", 16)).toString("hex");
}

function failureOf(fields: Fields): WireFailure {
  return {
    code: codeOfWire(integer(fields["code"], "code", 0, maxWire)),
    reason: text(fields["reason"], "reason", maxReason),
  };
}

function proofOf(value: unknown): Uint8Array {
  const proof = bytes(value, "proof");
  if (proof.length !== 0 && proof.length !== 32) throw invalid("proof");
  return proof;
}

function words(value: unknown): string[] {
  return list(value, "words", maxWords, (item) => text(item, "word", maxWord));
}

function entryNumber(value: unknown): number {
  return integer(value, "entry", 0, maxEntries - 1);
}

function size(value: unknown, what: string): number {
  return integer(value, what, 0, Number.MAX_SAFE_INTEGER);
}

function nameToWire(name: string): string | Uint8Array {
  return isUnicode(name) ? name : encodeName(name);
}

function nameOf(value: unknown, what: string, most: number): string {
  if (value instanceof Uint8Array && value.length <= most) return decodeName(value);
  return text(value, what, most);
}

const statuses = ["received", "skipped", "failed"] as const;
const maxWire = 0xffff;
