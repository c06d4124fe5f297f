/** The fields of requests and of their answers; `message-codec.ts` makes them whole messages. */

import {
  byteCount,
  type Fields,
  failureOf,
  hexId,
  integer,
  invalid,
  list,
  tuple,
} from "./fields.ts";
import { maxListed, maxNameBytes, maxPathBytes, maxRequestPaths } from "./limits.ts";
import type { AnswerMessage, ListedEntry, RequestMessage } from "./request-messages.ts";
import { nameFromWire, nameToWire } from "./wire-name.ts";

/** The fields that do not travel as they are; ids, codes and reasons are everybody's. */
export function requestToWire(message: RequestMessage | AnswerMessage): Record<string, unknown> {
  const wire: Record<string, unknown> = { request: Buffer.from(message.request, "hex") };
  if (message.type === "list") {
    wire["path"] = nameToWire(message.path);
    wire["after"] = nameToWire(message.after);
  }
  if (message.type === "get") wire["paths"] = message.paths.map(nameToWire);
  if (message.type === "listing") {
    wire["entries"] = message.entries.map(({ kind, name, bytes, mtimeMs }) => [
      kinds.indexOf(kind),
      nameToWire(name),
      bytes,
      mtimeMs,
    ]);
  }
  return wire;
}

/** Decoders by type. */
export const requestDecoders: Record<string, (fields: Fields) => RequestMessage | AnswerMessage> = {
  list: (fields) => ({
    type: "list",
    request: hexId(fields["request"], "request"),
    path: nameFromWire(fields["path"], "path", maxPathBytes),
    after: nameFromWire(fields["after"], "after", maxNameBytes),
  }),
  get: (fields) => {
    const paths = list(fields["paths"], "paths", maxRequestPaths, (path) =>
      nameFromWire(path, "path", maxPathBytes),
    );
    if (paths.length === 0) throw invalid("paths");
    return { type: "get", request: hexId(fields["request"], "request"), paths };
  },
  listing: (fields) => ({
    type: "listing",
    request: hexId(fields["request"], "request"),
    entries: list(fields["entries"], "entries", maxListed, listedEntry),
    more: integer(fields["more"], "more", 0, 1),
  }),
  granted: (fields) => ({
    type: "granted",
    request: hexId(fields["request"], "request"),
    transfer: hexId(fields["transfer"], "transfer"),
  }),
  denied: (fields) => ({
    type: "denied",
    request: hexId(fields["request"], "request"),
    ...failureOf(fields),
  }),
};

function listedEntry(value: unknown): ListedEntry {
  const fields = tuple(value, "entry", 4);
  const kind = kinds[integer(fields[0], "kind", 0, kinds.length - 1)];
  if (kind === undefined) throw invalid("kind");
  return {
    kind,
    name: nameFromWire(fields[1], "name", maxNameBytes),
    bytes: byteCount(fields[2], "bytes"),
    mtimeMs: integer(fields[3], "mtime", -maxTimeMs, maxTimeMs),
  };
}

const kinds = ["file", "folder", "link"] as const;

/** The range of JavaScript's Date. */
const maxTimeMs = 8.64e15;
