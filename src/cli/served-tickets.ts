/**
 * Remembers the tickets of `quiver send`, so that a sender that was ended can serve its old one again.
 *
 * One small file for each set of paths and choice of what is in them, in the folder of quiver's own
 * files, for its owner only: a ticket is a secret.
 */

import { createHash, randomBytes } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
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

  /** Keeps a ticket. A folder that cannot be written to costs the convenience, not the transfer. */
  async keep(ticket: ServedTicket): Promise<void> {
    const partial = `${this.#path}.${randomBytes(4).toString("hex")}`;
    try {
      await mkdir(join(this.#path, ".."), { recursive: true, mode: 0o700 });
      await writeFile(partial, JSON.stringify(ticket), { mode: 0o600, flag: "wx" });
      await rename(partial, this.#path);
    } catch {
      await rm(partial, { force: true }).catch(() => {});
    }
  }

  /** Forgets the ticket: it has done its work. */
  async forget(): Promise<void> {
    await rm(this.#path, { force: true }).catch(() => {});
  }
}

function isServedTicket(value: unknown): value is ServedTicket {
  if (typeof value !== "object" || value === null) return false;
  const { ticket, listen, expiresAtMs } = value as Partial<ServedTicket>;
  const areAddresses = Array.isArray(listen) && listen.every((one) => typeof one === "string");
  return typeof ticket === "string" && areAddresses && typeof expiresAtMs === "number";
}
