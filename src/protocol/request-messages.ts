/** What a peer asks for and hears back, as docs/protocol.md lists it: `list`, `get` and their answers. */

import type { WireFailure } from "./messages.ts";

/** One thing in a folder that is shared. */
export interface ListedEntry {
  kind: "file" | "folder" | "link";
  /** One part of a path, as a lossless name. Hostile. */
  name: string;
  /** Size; 0 for folders and links. */
  bytes: number;
  /** Milliseconds since 1970. */
  mtimeMs: number;
}

/** A question. `request` is 32 hex digits, chosen by who asks. */
export type RequestMessage =
  | {
      type: "list";
      request: string;
      /** The name of a share, and a path in it; `""` for the names of all shares. */
      path: string;
      /** The last name that is known already; `""` for none. */
      after: string;
    }
  | { type: "get"; request: string; paths: string[] };

/** An answer. */
export type AnswerMessage =
  | {
      type: "listing";
      request: string;
      entries: ListedEntry[];
      /** 1 if names follow behind the last one here. */
      more: number;
    }
  /** The offer with this id answers the request; it follows. */
  | { type: "granted"; request: string; transfer: string }
  | ({ type: "denied"; request: string } & WireFailure);
