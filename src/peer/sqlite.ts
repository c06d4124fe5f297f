/** The database that Node brings, without the words that some versions of Node say about it. */

import type { DatabaseSync } from "node:sqlite";

/** A constructor of databases. Versions of Node that call `node:sqlite` an experiment do not say so. */
export function loadSqlite(): typeof DatabaseSync {
  const { emitWarning } = process;
  // The warning comes while the module loads, and the load is synchronous: no other one is lost.
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule("node:sqlite").DatabaseSync;
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** SQLite's own number for a failure, without its details (sqlite.org/rescode.html); 0 for any other. */
export function sqliteCode(error: unknown): number {
  if (!(error instanceof Error) || !("errcode" in error)) return 0;
  return typeof error.errcode === "number" ? error.errcode & 0xff : 0;
}

/** Numbers of failures that callers tell apart. */
export const sqliteCodes = { busy: 5, full: 13, corrupt: 11, notADatabase: 26 };
