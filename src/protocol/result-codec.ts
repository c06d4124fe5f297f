/** What became of files, as it travels. */

import { codeOfWire, errorCodes } from "../errors.ts";
import { bytes, entryNumber, integer, invalid, maxWire, text, tuple } from "./fields.ts";
import { valueBytes } from "./lane.ts";
import { maxPathBytes, maxReason } from "./limits.ts";
import type { ArrivedRun, FileResult } from "./messages.ts";
import { nameFromWire, nameToWire } from "./wire-name.ts";

/** A result as it travels. */
export function resultToWire(result: FileResult): unknown[] {
  const { entry, status, hash, savedAs, code, reason } = result;
  const wire = code === null ? 0 : errorCodes[code].wire;
  const text = cutText(reason, maxReason);
  return [entry, statuses.indexOf(status), hash, nameToWire(savedAs), wire, text];
}

/** A text of at most `most` UTF-16 units; never half a character, which UTF-8 cannot say. */
export function cutText(text: string, most: number): string {
  return text.slice(0, most).toWellFormed();
}

/** A result that came; whatever is wrong with it is refused. */
export function resultOf(value: unknown): FileResult {
  const fields = tuple(value, "result", 6);
  const status = statuses[integer(fields[1], "status", 0, statuses.length - 1)];
  if (status === undefined) throw invalid("status");
  const hash = bytes(fields[2], "hash");
  if (hash.length !== 0 && hash.length !== valueBytes) throw invalid("hash");
  const code = integer(fields[4], "code", 0, maxWire);
  return {
    entry: entryNumber(fields[0]),
    status,
    hash,
    savedAs: nameFromWire(fields[3], "saved as", 2 * maxPathBytes),
    code: code === 0 ? null : codeOfWire(code),
    reason: text(fields[5], "reason", maxReason),
  };
}

/** A run of files that arrived, as it travels. */
export function arrivedToWire({ first, hashes }: ArrivedRun): unknown[] {
  return [first, hashes];
}

/** Such a run that came. */
export function arrivedOf(value: unknown): ArrivedRun {
  const fields = tuple(value, "run", 2);
  const hashes = bytes(fields[1], "hashes");
  if (hashes.length === 0 || hashes.length % valueBytes !== 0) throw invalid("hashes");
  return { first: entryNumber(fields[0]), hashes };
}

const statuses = ["received", "skipped", "failed"] as const;
