/**
 * Remembers the tickets of `quiver send`, so that a sender that was ended can serve its old one again.
 *
 * One small file for each set of paths and choice of what is in them, in the folder of quiver's own
 * files, for its owner only: a ticket is a secret.
 */

import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { configurationFolder, type SourceChoice } from "../index.ts";

/** A ticket that was served. */
export interface ServedTicket {
  ticket: string;
  /** The addresses it names, `ip:port`. */
  listen: string[];
  /** Milliseconds since 1970. */
  expiresAtMs: number;
}

/** The ticket for a set of paths and what of them is sent. */
export class ServedTickets {
  readonly #path: string;

  /** A ticket is for what it was made for: the same paths with another choice have another one. */
  constructor(
    paths: readonly string[],
    { exclude = [], gitignore = false }: SourceChoice = {},
    folder: string = configurationFolder(),
  ) {
    const what = [...paths.map((path) => resolve(path)), { exclude, gitignore }];
    const hash = createHash("sha256").update(JSON.stringify(what));
    this.#path = join(folder, "served", `${hash.digest("hex").slice(0, 32)}.json`);
  }

  /** The ticket served last, if it is still good; null for none. */
  async find(nowMs: number): Promise<ServedTicket | null> {
    try {
      const found: unknown = JSON.parse(await readFile(this.#path, "utf8"));
      return isServedTicket(found) && found.expiresAtMs > nowMs ? found : null;
    } catch {
      // None, or one that cannot be read: a new ticket does as well.
      return null;
    }
  }

  /**
   * Keeps a ticket; it is kept on return, so that no end of the sender is too early for it once it was shown.
   *
   * A folder that cannot be written to costs the convenience, not the transfer.
   */
  keep(ticket: ServedTicket): void {
    const partial = `${this.#path}.${randomBytes(4).toString("hex")}`;
    try {
      mkdirSync(join(this.#path, ".."), { recursive: true, mode: 0o700 });
      writeFileSync(partial, JSON.stringify(ticket), { mode: 0o600, flag: "wx" });
      renameSync(partial, this.#path);
    } catch {
      removeQuietly(partial);
    }
  }

  /** Forgets the ticket: it has done its work. */
  forget(): void {
    removeQuietly(this.#path);
  }
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It stays, and expires.
  }
}

function isServedTicket(value: unknown): value is ServedTicket {
  if (typeof value !== "object" || value === null) return false;
  const { ticket, listen, expiresAtMs } = value as Partial<ServedTicket>;
  const areAddresses = Array.isArray(listen) && listen.every((one) => typeof one === "string");
  return typeof ticket === "string" && areAddresses && typeof expiresAtMs === "number";
}
