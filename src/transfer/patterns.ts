/** Lists of patterns in the manner of `.gitignore`: the last one that fits a path decides. Pure. */

import { TransferError } from "../errors.ts";
import { matchesPath, type PathPattern, parseGlob } from "./glob.ts";

/** One pattern of a list. */
interface Pattern {
  /** Whether it takes back what an earlier one says (`!`). */
  isNegated: boolean;
  /** Whether only folders fit (`/` at the end). */
  isForFolders: boolean;
  /** Whether it is for the whole path, and not for a name at any depth. */
  isAnchored: boolean;
  /** One of which has to fit. */
  paths: readonly PathPattern[];
}

/** Patterns in their order. */
export class Patterns {
  readonly #patterns: readonly Pattern[];

  private constructor(patterns: readonly Pattern[]) {
    this.#patterns = patterns;
  }

  /**
   * The patterns that a person gave one by one; a `#` begins no comment.
   *
   * @throws {TransferError} `INVALID_ARGUMENT` for one that can never fit.
   */
  static given(texts: readonly string[]): Patterns {
    return new Patterns(texts.map(givenPattern));
  }

  /** The patterns of a `.gitignore` file, a line each. Lines that can never fit say nothing, as in git. */
  static ofFile(text: string): Patterns {
    const lines = text.replace(/^\ufeff/, "").split("\n");
    const patterns = lines.map((line) => {
      const end = line.endsWith("\r") ? line.slice(0, -1) : line;
      return end.startsWith("#") ? null : parsePattern(withoutTrailingSpaces(end));
    });
    return new Patterns(patterns.filter((pattern) => pattern !== null));
  }

  get isEmpty(): boolean {
    return this.#patterns.length === 0;
  }

  /** Whether a path is one of those meant; undefined where no pattern fits. */
  decide(parts: readonly string[], kind: "folder" | "other"): boolean | undefined {
    for (let at = this.#patterns.length - 1; at >= 0; at -= 1) {
      const pattern = this.#patterns[at];
      if (pattern && fits(pattern, parts, kind)) return !pattern.isNegated;
    }
    return undefined;
  }
}

function fits(pattern: Pattern, parts: readonly string[], kind: "folder" | "other"): boolean {
  if (pattern.isForFolders && kind !== "folder") return false;
  const meant = pattern.isAnchored ? parts : parts.slice(-1);
  return pattern.paths.some((path) => matchesPath(path, meant));
}

function givenPattern(text: string): Pattern {
  const pattern = parsePattern(text);
  const isLost = text.includes("//") || text.split("/").some((part) => dots.has(part));
  if (pattern && !isLost) return pattern;
  throw new TransferError(
    "INVALID_ARGUMENT",
    `the pattern "${text}" fits no path; write it as in .gitignore: *.tmp, cache/, /top/only, **/old`,
  );
}

/** Null for what fits no path. */
function parsePattern(text: string): Pattern | null {
  const isNegated = text.startsWith("!");
  let rest = isNegated ? text.slice(1) : text;
  const isForFolders = rest.endsWith("/");
  if (isForFolders) rest = rest.slice(0, -1);
  const isAnchored = rest.includes("/");
  if (rest.startsWith("/")) rest = rest.slice(1);
  if (rest === "" || rest.startsWith("\\/")) return null;
  const paths = (isAnchored ? spelledOut(rest) : [rest]).map(parseGlob);
  if (!paths.every((path) => path !== null)) return null;
  return { isNegated, isForFolders, isAnchored, paths };
}

/**
 * Git compares what stands before the first wildcard by itself: a `**` right behind it is at the beginning of the rest.
 * One `**` after the other says no more than one, so that two paths are enough whatever the pattern.
 */
function spelledOut(path: string): string[] {
  const found = /^([^*?[\\]*[^*?[\\/])\*{2,}(?:\/\*{2,})*(?:(\\?)\/(.*))?$/s.exec(path);
  const [, plain, escaped, rest] = found ?? [];
  if (plain === undefined) return [path];
  if (rest === undefined) return [`${plain}*`, `${plain}*/**`];
  const deeper = `${plain}*/**/${rest}`;
  return escaped ? [deeper] : [plain + rest, deeper];
}

/** Spaces at a line's end do not count, unless a `\` stands before them. */
function withoutTrailingSpaces(line: string): string {
  let end = line.length;
  while (line[end - 1] === " " && !isEscaped(line, end - 1)) end -= 1;
  return line.slice(0, end);
}

/** Whether an odd number of `\` stands before a position. */
function isEscaped(line: string, at: number): boolean {
  let first = at;
  while (line[first - 1] === "\\") first -= 1;
  return (at - first) % 2 === 1;
}

/** Parts that no path here has. */
const dots = new Set([".", ".."]);
