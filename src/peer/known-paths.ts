/**
 * Remembers what the paths to peers carried, so that the next connection starts near it.
 *
 * One small file for each peer and pair of networks in the folder of quiver's own files, for its owner
 * only: who talks to whom is nobody's business.
 */

import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { isIPv6 } from "node:net";
import { join } from "node:path";
import type { Clock } from "../clock.ts";
import type { Connection, PathFigures } from "../engine/engine.ts";
import { knownPathLifeMs } from "../options.ts";

/** What of a connection tells its path. */
export type PathEnd = Pick<Connection, "peerId" | "stats" | "knowPath">;

/** What is known of the paths to peers. */
export class KnownPaths {
  readonly #folder: string;
  readonly #clock: Clock;

  constructor(folder: string, clock: Clock) {
    this.#folder = join(folder, "paths");
    this.#clock = clock;
  }

  /** Tells a connection's controller what its path carried, if that was not long ago. */
  async recall(connection: PathEnd): Promise<void> {
    const kept = await this.#read(connection);
    if (kept) connection.knowPath(kept);
  }

  /**
   * Keeps what a connection's path carries; without a folder that can be written, nothing.
   *
   * That is its rate, once it is known. A transfer that was over before tells of the least: what it `carried`, in
   * bytes a second, if no more is known of the path.
   */
  async keep(connection: PathEnd, carried: number): Promise<void> {
    const { rttMs, rateBytesPerSecond: rate } = connection.stats();
    const known = rate > 0 ? 0 : ((await this.#read(connection))?.rateBytesPerSecond ?? 0);
    const rateBytesPerSecond = Math.floor(rate || carried);
    if (rateBytesPerSecond <= known) return;
    const file = this.#file(connection);
    const partial = `${file}.${randomBytes(4).toString("hex")}`;
    const kept: Kept = { rttMs, rateBytesPerSecond, keptAtMs: this.#clock.wallNow() };
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await this.#removeOld();
      await writeFile(partial, JSON.stringify(kept), { mode: 0o600, flag: "wx" });
      await rename(partial, file);
    } catch {
      await rm(partial, { force: true }).catch(() => {});
    }
  }

  /** What was kept not long ago; null for none, or what cannot be read: the path is an unknown one then. */
  async #read(connection: PathEnd): Promise<Kept | null> {
    try {
      const kept: unknown = JSON.parse(await readFile(this.#file(connection), "utf8"));
      return isKept(kept) && this.#isFresh(kept.keptAtMs) ? kept : null;
    } catch {
      return null;
    }
  }

  #file(connection: PathEnd): string {
    const { localAddress, remoteAddress } = connection.stats();
    const host = remoteAddress.slice(0, remoteAddress.lastIndexOf(":")).replace(/^\[|\]$/g, "");
    const path = [connection.peerId, networkOf(localAddress), networkOf(host)];
    const hash = createHash("sha256").update(JSON.stringify(path)).digest("hex");
    return join(this.#folder, `${hash.slice(0, 32)}.json`);
  }

  async #removeOld(): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      const file = join(this.#folder, name);
      if (!this.#isFresh((await stat(file)).mtimeMs)) await rm(file, { force: true });
    }
  }

  /** A time that is still to come is of a clock that was wrong. */
  #isFresh(timeMs: number): boolean {
    const ageMs = this.#clock.wallNow() - timeMs;
    return ageMs > -knownPathLifeMs && ageMs < knownPathLifeMs;
  }
}

/**
 * The network that an address is of: 24 bits of IPv4, 64 of IPv6, as sites are given them.
 *
 * @example
 * networkOf("192.0.2.7"); // "192.0.2"
 * networkOf("2001:db8::7"); // "2001:db8:0:0"
 */
export function networkOf(address: string): string {
  const [bare = ""] = address.split("%", 1);
  if (!isIPv6(bare)) return bare.split(".").slice(0, 3).join(".");
  const [before = "", after] = bare.split("::", 2);
  const first = before === "" ? [] : before.split(":");
  const last = after === undefined || after === "" ? [] : after.split(":");
  const zeros = after === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  const groups = [...first, ...new Array<string>(zeros).fill("0"), ...last];
  return groups.slice(0, 4).join(":");
}

interface Kept extends PathFigures {
  /** Milliseconds since 1970. */
  keptAtMs: number;
}

function isKept(value: unknown): value is Kept {
  if (typeof value !== "object" || value === null) return false;
  const { rttMs, rateBytesPerSecond, keptAtMs } = value as Partial<Kept>;
  const isPositive = (one: unknown) => typeof one === "number" && Number.isFinite(one) && one > 0;
  return (
    isPositive(rttMs) &&
    isPositive(rateBytesPerSecond) &&
    Number.isSafeInteger(rateBytesPerSecond) &&
    isPositive(keptAtMs)
  );
}
