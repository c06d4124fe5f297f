/** Reads what people write for files of another machine: `PEER:PATH`. */

import { displayText, TransferError } from "../index.ts";

/** A peer, and a path among what it shares; `""` for all of it. */
export interface RemotePath {
  /** A name, or `PEER-ID@ADDRESS`; the library says whether it is a good one. */
  peer: string;
  path: string;
}

/** Reads `PEER` or `PEER:PATH`. A slash at the end is left out, as shells add one. */
export function remotePath(text: string): RemotePath {
  const [, peer = "", path = ""] = idAndPath.exec(text) ?? nameAndPath.exec(text) ?? [];
  return { peer, path: path.replace(/\/+$/, "") };
}

/** Reads one `PEER:PATH` or more, all of one peer. */
export function remotePaths(texts: readonly string[]): { peer: string; paths: string[] } {
  const all = texts.map(remotePath);
  const [first = { peer: "", path: "" }] = all;
  const empty = texts.find((_, at) => all[at]?.path === "");
  if (empty !== undefined) {
    const message = `"${displayText(empty, 80)}" names no file; write PEER:PATH (quiver list PEER shows what there is)`;
    throw new TransferError("INVALID_ARGUMENT", message);
  }
  if (all.some(({ peer }) => peer !== first.peer)) {
    const message = "files of two peers cannot be one transfer; get them one peer after the other";
    throw new TransferError("INVALID_ARGUMENT", message);
  }
  return { peer: first.peer, paths: all.map(({ path }) => path) };
}

/** An address has colons of its own. */
const idAndPath = /^([0-9a-f]{64}@(?:\[[^\]]*\]|[^:]*):\d+)(?::(.*))?$/is;
const nameAndPath = /^([^:]*)(?::(.*))?$/s;
