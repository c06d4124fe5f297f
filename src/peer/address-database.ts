/** The file of the address book: its tables, and what is asked of them. */

import { closeSync, fchmodSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { displayText } from "../display-text.ts";
import { TransferError } from "../errors.ts";
import { addressBookWaitMs } from "../options.ts";
import { parseAddress } from "./addresses.ts";
import { parsePeerId, parsePeerName } from "./peer-name.ts";
import { loadSqlite, sqliteCode, sqliteCodes } from "./sqlite.ts";

/** A path that is no file: the database is kept nowhere. */
export const inMemory = ":memory:";

/** A row of the book. */
export interface PeerRow {
  name: string;
  peerId: string;
  seenAtMs: number | null;
}

/** Opens the file and makes it if it is not there, for its user only. */
export function openDatabase(path: string): DatabaseSync {
  if (path !== inMemory) createForUser(path);
  const DatabaseSync = loadSqlite();
  const database = new DatabaseSync(path, { timeout: addressBookWaitMs });
  try {
    transaction(database, () => prepareTables(database, path));
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Does work as one step that other processes see whole or not at all. */
export function transaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    // A transaction that SQLite has ended itself has nothing to take back.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** The rows that fit a condition, by name. */
export function selectPeers(
  database: DatabaseSync,
  where: string,
  values: readonly string[] = [],
): PeerRow[] {
  const query = `SELECT name, peer_id, seen_ms FROM peers WHERE ${where} ORDER BY folded`;
  return database
    .prepare(query)
    .all(...values)
    .map(({ name, peer_id, seen_ms }) => ({
      name: asWritten(name, parsePeerName),
      peerId: asWritten(peer_id, parsePeerId),
      seenAtMs: typeof seen_ms === "number" ? seen_ms : null,
    }));
}

/** The addresses of a peer, the one that was noted last first. */
export function selectAddresses(database: DatabaseSync, peerId: string): string[] {
  const query = "SELECT address FROM addresses WHERE peer_id = ? ORDER BY turn DESC";
  return database
    .prepare(query)
    .all(peerId)
    .map(({ address }) => asWritten(address, parseAddress));
}

/** A value of the file, read as what a person typed is. */
function asWritten(value: unknown, parse: (text: string) => string): string {
  try {
    if (typeof value === "string") return parse(value);
  } catch {
    // It says of a value that nobody has typed that it is wrong.
  }
  throw notAsWritten;
}

/** A failure of the file as one of ours, which says what to do. */
export function bookError(path: string, error: unknown): unknown {
  if (error === notAsWritten || isDamage(error)) {
    const message = `the address book ${path} is damaged; move it away, and give the names again (quiver peers add)`;
    return new TransferError("DISK_FAILED", message, { cause: error });
  }
  if (sqliteCode(error) === sqliteCodes.busy) {
    const message = `the address book ${path} is in use by another process; try again`;
    return new TransferError("DISK_BUSY", message, { cause: error });
  }
  if (sqliteCode(error) === sqliteCodes.full) {
    const message = `there is no space for the address book ${path}; make room`;
    return new TransferError("DISK_FULL", message, { cause: error });
  }
  const isOfTheDisk =
    error instanceof Error && "code" in error && !(error instanceof TransferError);
  if (!isOfTheDisk) return error;
  const message = `the address book ${path} cannot be used (${error.message}); set QUIVER_HOME to a folder of yours`;
  return new TransferError("DISK_DENIED", message, { cause: error });
}

function isDamage(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === sqliteCodes.corrupt || code === sqliteCodes.notADatabase;
}

function createForUser(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // SQLite gives its own files beside this one the mode that this one has.
  const file = openSync(path, "a", 0o600);
  try {
    fchmodSync(file, 0o600);
  } finally {
    closeSync(file);
  }
}

function prepareTables(database: DatabaseSync, path: string): void {
  const version = database.prepare("PRAGMA user_version").get()?.["user_version"];
  if (version === tablesVersion) {
    const found = database.prepare("PRAGMA integrity_check(1)").get()?.["integrity_check"];
    if (found !== "ok") throw notAsWritten;
    return;
  }
  if (version !== 0) {
    const message = `the address book ${path} was written by a later version of quiver (${displayText(String(version))}); update this one`;
    throw new TransferError("DISK_FAILED", message);
  }
  database.exec(tables);
  database.exec(`PRAGMA user_version = ${tablesVersion}`);
}

const tablesVersion = 1;

const tables = `
  CREATE TABLE peers (
    peer_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    folded TEXT NOT NULL UNIQUE,
    seen_ms INTEGER
  ) STRICT;
  CREATE TABLE addresses (
    peer_id TEXT NOT NULL REFERENCES peers ON DELETE CASCADE,
    address TEXT NOT NULL,
    is_given INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    PRIMARY KEY (peer_id, address)
  ) STRICT;
`;

const notAsWritten = new Error("the file holds what quiver does not write");
