/** The messages of a control stream as bytes. */

import { errorCodes } from "../errors.ts";
import { boundsOf, boundsToWire } from "./bound-codec.ts";
import {
  byteCount,
  bytes,
  bytesUpTo,
  entryNumber,
  type Fields,
  failureOf,
  fieldsOf,
  hexId,
  integer,
  invalid,
  knownWord,
  list,
  quantity,
  text,
  tuple,
  word,
} from "./fields.ts";
import { decodeFrameBody, encodeFrame } from "./frame.ts";
import { comparedOf, comparedToWire, heldOf, heldToWire, pieceBytesOf } from "./held-codec.ts";
import {
  maxBatchBytes,
  maxContentBytes,
  maxDeviceName,
  maxEntries,
  maxItems,
  maxLanes,
  maxPathBytes,
  maxPieces,
  maxReason,
  maxText,
  maxWord,
  maxWords,
} from "./limits.ts";
import {
  bounds,
  type ControlMessage,
  type OfferContent,
  paceStates,
  type StreamEnd,
} from "./messages.ts";
import { requestDecoders, requestToWire } from "./request-codec.ts";
import { arrivedOf, arrivedToWire, cutText, resultOf, resultToWire } from "./result-codec.ts";
import { nameFromWire, nameToWire } from "./wire-name.ts";

/** A message as a frame. Texts for people that are too long are cut. */
export function encodeMessage(message: ControlMessage): Uint8Array {
  return encodeFrame(toWire(message));
}

/** The message of a frame's body; null for a type that this version does not know. */
export function decodeMessage(body: Uint8Array): ControlMessage | null {
  const fields = fieldsOf(decodeFrameBody(body), "message");
  const type = text(fields["type"], "type", maxWord);
  return decoders.get(type)?.(fields) ?? null;
}

/** The fields of each message that do not travel as they are. */
function toWire(message: ControlMessage): Record<string, unknown> {
  const wire: Record<string, unknown> = { ...message };
  if ("transfer" in message) wire["transfer"] = Buffer.from(message.transfer, "hex");
  if (message.type === "widen") wire["peerId"] = Buffer.from(message.peerId, "hex");
  if ("code" in message) wire["code"] = errorCodes[message.code].wire;
  if ("reason" in message) wire["reason"] = cutText(message.reason, maxReason);
  if (message.type === "hello") wire["name"] = cutText(message.name, maxDeviceName);
  if (message.type === "offer") wire["targetDir"] = nameToWire(message.targetDir);
  if ("stream" in message && message.stream) wire["stream"] = Math.log2(message.stream);
  if (message.type === "offered") {
    const { skipped, content } = message;
    wire["skipped"] = skipped.map(({ path, reason }) => [
      nameToWire(path),
      cutText(reason, maxReason),
    ]);
    if (content) [wire["content"], wire["hash"]] = [content.bytes, content.hash];
  }
  if (message.type === "accept" && message.content) wire["content"] = 1;
  if (message.type === "absent") {
    wire["failures"] = message.failures.map(({ entry, code, reason }) => [
      entry,
      errorCodes[code].wire,
      cutText(reason, maxReason),
    ]);
  }
  if (message.type === "have") wire["pieces"] = message.pieces.map(heldToWire);
  if (message.type === "compare") wire["files"] = message.files.map(comparedToWire);
  if (message.type === "done") {
    const { end, ...rest } = message;
    return { ...rest, ...end, transfer: wire["transfer"] };
  }
  if (message.type === "bound") wire["by"] = message.by ?? "";
  if (message.type === "pace") wire["limit"] = Math.floor(message.limit ?? 0);
  if (message.type === "settled" && message.bounds) wire["bounds"] = boundsToWire(message.bounds);
  if (message.type === "results") wire["files"] = message.files.map(resultToWire);
  if (message.type === "arrived") wire["runs"] = message.runs.map(arrivedToWire);
  return "request" in message ? { ...wire, ...requestToWire(message) } : wire;
}

/** A map, because a peer chooses the key: an object would answer for "constructor" too. */
const decoders = new Map<string, (fields: Fields) => ControlMessage>(
  Object.entries({
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
      targetDir: nameFromWire(fields["targetDir"], "target folder", maxPathBytes),
      profile: word(fields["profile"], "profile", ["ultra", "standard"]),
      ...("text" in fields ? { text: text(fields["text"], "text", maxText) } : {}),
      ...("stream" in fields ? { stream: pieceBytesOf(fields["stream"]) } : {}),
    }),
    entries: (fields) => ({
      type: "entries",
      transfer: transferOf(fields),
      batch: bytesUpTo(fields["batch"], "batch", maxBatchBytes),
    }),
    offered: (fields) => ({
      type: "offered",
      transfer: transferOf(fields),
      entries: integer(fields["entries"], "entries", 0, maxEntries),
      bytes: byteCount(fields["bytes"], "bytes"),
      skipped: list(fields["skipped"], "skipped", maxItems, (value) => {
        const [path, reason] = tuple(value, "skipped", 2);
        return {
          path: nameFromWire(path, "path", 2 * maxPathBytes),
          reason: text(reason, "reason", maxReason),
        };
      }),
      ...("content" in fields ? { content: contentOf(fields) } : {}),
    }),
    skip: (fields) => ({
      type: "skip",
      transfer: transferOf(fields),
      runs: list(fields["runs"], "runs", maxItems, entryRun),
    }),
    have: (fields) => ({
      type: "have",
      transfer: transferOf(fields),
      files: list(fields["files"], "files", maxItems, entryRun),
      pieces: list(fields["pieces"], "pieces", maxItems, heldOf),
    }),
    compare: (fields) => ({
      type: "compare",
      transfer: transferOf(fields),
      files: list(fields["files"], "files", maxItems, comparedOf),
    }),
    equal: (fields) => ({
      type: "equal",
      transfer: transferOf(fields),
      entry: entryNumber(fields["entry"]),
      runs: list(fields["runs"], "runs", maxItems, (value) => {
        const [first, count] = tuple(value, "run", 2);
        return [
          integer(first, "first piece", 0, maxPieces - 1),
          integer(count, "count", 1, maxPieces),
        ];
      }),
    }),
    accept: (fields) => ({
      type: "accept",
      transfer: transferOf(fields),
      ...("content" in fields
        ? { content: integer(fields["content"], "content", 1, 1) === 1 }
        : {}),
    }),
    reject: (fields) => ({ type: "reject", transfer: transferOf(fields), ...failureOf(fields) }),
    cancel: (fields) => ({ type: "cancel", transfer: transferOf(fields), ...failureOf(fields) }),
    pace: (fields) => ({
      type: "pace",
      transfer: transferOf(fields),
      state: word(fields["state"], "state", paceStates),
      limit: byteCount(fields["limit"], "limit") || null,
    }),
    bound: (fields) => ({
      type: "bound",
      transfer: transferOf(fields),
      by: knownWord(fields["by"], "limit", bounds),
    }),
    want: (fields) => ({
      type: "want",
      transfer: transferOf(fields),
      entry: entryNumber(fields["entry"]),
      offset: byteCount(fields["offset"], "offset"),
      length: byteCount(fields["length"], "length"),
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
      ...("hash" in fields ? { end: streamEndOf(fields) } : {}),
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
    arrived: (fields) => ({
      type: "arrived",
      transfer: transferOf(fields),
      runs: list(fields["runs"], "runs", maxItems, arrivedOf),
    }),
    receipt: (fields) => ({
      type: "receipt",
      transfer: transferOf(fields),
      bytes: byteCount(fields["bytes"], "bytes"),
      seconds: quantity(fields["seconds"], "seconds"),
    }),
    settled: (fields) => ({
      type: "settled",
      transfer: transferOf(fields),
      ...("bounds" in fields ? { bounds: boundsOf(fields["bounds"]) } : {}),
    }),
    widen: (fields) => ({
      type: "widen",
      peerId: Buffer.from(bytes(fields["peerId"], "peer id", 32)).toString("hex"),
      port: integer(fields["port"], "port", 1, 0xffff),
    }),
    error: (fields) => ({ type: "error", ...failureOf(fields) }),
    ...requestDecoders,
  }),
);

function entryRun(value: unknown): [first: number, count: number] {
  const [first, count] = tuple(value, "run", 2);
  return [entryNumber(first), integer(count, "count", 1, maxEntries)];
}

function streamEndOf(fields: Fields): StreamEnd {
  return { bytes: byteCount(fields["bytes"], "bytes"), hash: bytes(fields["hash"], "hash", 32) };
}

function transferOf(fields: Fields): string {
  return hexId(fields["transfer"], "transfer");
}

function contentOf({ content, hash }: Fields): OfferContent {
  return {
    bytes: bytesUpTo(content, "content", maxContentBytes),
    hash: bytes(hash, "hash", 32),
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
