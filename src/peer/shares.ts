/** The folders that a peer shares: each with a name, and with the few who may read it. */

import { basename } from "node:path";
import { displayText } from "../display-text.ts";
import type { Folder } from "../engine/engine.ts";
import { TransferError } from "../errors.ts";
import { absolutePath } from "../named-path.ts";
import { landingName, nameRules } from "../transfer/landing-name.ts";
import type { Transfer } from "../transfer/transfer.ts";
import type { PeerContext } from "./context.ts";

/** How to share a folder. */
export interface ShareOptions {
  /** What it is called to those who read it. @default the folder's name */
  name?: string;
  /** Who may read it: names in the address book, or peer ids. @default nobody */
  peers?: readonly string[];
  /** Told of each transfer that a reader asks for, as it begins. */
  onTransfer?: (transfer: Transfer) => void;
}

/** A folder that is shared. */
export interface Share {
  /** What it is called to those who read it. */
  readonly name: string;
  /** Ends the sharing, and the transfers that go on. Twice is fine. */
  close(): Promise<void>;
}

/** A share as it is read. */
export interface OpenShare {
  readonly name: string;
  /** Held open: what the share's path stands for later is of no matter. */
  readonly folder: Folder;
  readonly readers: ReadonlySet<string>;
  /** Takes part in a transfer until it ends. */
  follow(transfer: Transfer): void;
}

/** All shares of one peer. */
export class Shares {
  readonly #context: PeerContext;
  readonly #shares = new Map<string, OpenShare & Share>();

  /** Begins without any. */
  constructor(context: PeerContext) {
    this.#context = context;
  }

  /** Opens a folder for its readers, who are peer ids. `DISK_*`, or `INVALID_ARGUMENT` for its name. */
  async open(path: string, readers: ReadonlySet<string>, options: ShareOptions): Promise<Share> {
    const absolute = absolutePath(path);
    const name = shareName(options.name ?? basename(absolute));
    if (this.#shares.has(name)) throw invalidName(name, "is the name of another share");
    const folder = await this.#context.engine.openFolder(absolute);
    const transfers = new Set<Transfer>();
    const share: OpenShare & Share = {
      name,
      folder,
      readers,
      follow(transfer) {
        transfers.add(transfer);
        const forget = () => transfers.delete(transfer);
        transfer.done.then(forget, forget);
        options.onTransfer?.(transfer);
      },
      close: async () => {
        if (this.#shares.get(name) !== share) return;
        this.#shares.delete(name);
        for (const transfer of transfers) transfer.cancel();
        await folder.close();
      },
    };
    this.#shares.set(name, share);
    return share;
  }

  /** Closes all. */
  async close(): Promise<void> {
    for (const share of this.#shares.values()) await share.close();
  }

  /** Whether a peer may read any of them. */
  isReader(peerId: string): boolean {
    return this.readableBy(peerId).length > 0;
  }

  /** The shares that a peer may read, by name; for it there are no others. */
  readableBy(peerId: string): OpenShare[] {
    const readable = [...this.#shares.values()].filter(({ readers }) => readers.has(peerId));
    return readable.sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}

/** A name that is one part of a path on every system, so that it lands as it is. */
function shareName(name: string): string {
  for (const platform of ["linux", "darwin", "windows"]) {
    const landing = landingName(name, nameRules(platform));
    if (landing.kind !== "same") throw invalidName(name, "cannot be a folder's name everywhere");
  }
  return name;
}

function invalidName(name: string, fact: string): TransferError {
  const message = `"${displayText(name, 80)}" ${fact}; give the share another with --name`;
  return new TransferError("INVALID_ARGUMENT", message);
}
