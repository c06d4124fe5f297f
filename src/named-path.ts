/** Paths as people and programs name them. */

import { resolve } from "node:path";
import { TransferError } from "./errors.ts";

/**
 * A named path from the root on.
 *
 * @throws {TransferError} `INVALID_ARGUMENT` for an empty one: it is a variable that is not set, and must not mean the
 * folder that the program happens to be in.
 */
export function absolutePath(path: string): string {
  if (path !== "") return resolve(path);
  throw new TransferError("INVALID_ARGUMENT", "a path is empty; write . for the current folder");
}
