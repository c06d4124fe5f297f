/**
 * Patterns for names, as a shell has them: `*`, `?`, `[a-z]`, `\` before a character that is meant itself.
 *
 * Matching takes at most the product of both lengths, whatever pattern and name are: the names may be
 * a peer's. Pure.
 */

import { parseSet } from "./glob-set.ts";

/** What one character of a name may be. */
type Token = { kind: "one"; fits: (character: string) => boolean } | { kind: "many" };

/** A pattern for one part of a path. */
export type NamePattern = (name: string) => boolean;

/** A pattern for a whole path: its parts; `null` stands for any number of parts (`**`). */
export type PathPattern = readonly (NamePattern | null)[];

/**
 * Reads a pattern; null for one that no name can fit (a `[` without its end, a `\` at the end).
 *
 * @example
 * matchesPath(parseGlob("src/*.ts") ?? [], ["src", "glob.ts"]);
 * // true
 */
export function parseGlob(text: string): PathPattern | null {
  const parts: (NamePattern | null)[] = [];
  let tokens: Token[] = [];
  const characters = Array.from(text);
  let at = 0;
  const endPart = (isEscaped = false) => {
    // Two stars alone between slashes are any number of folders, before an escaped one not none; anywhere else they are
    // one star.
    const isAnyDepth = tokens.length > 1 && tokens.every(({ kind }) => kind === "many");
    if (!isAnyDepth || isEscaped) parts.push(namePattern(tokens));
    if (isAnyDepth) parts.push(null);
    tokens = [];
  };
  while (at < characters.length) {
    const character = characters[at] ?? "";
    at += 1;
    if (character === "/") endPart();
    else if (character === "*") tokens.push({ kind: "many" });
    else if (character === "?") tokens.push({ kind: "one", fits: () => true });
    else if (character === "[") {
      const set = parseSet(characters, at);
      if (!set) return null;
      tokens.push({ kind: "one", fits: set.fits });
      at = set.end;
    } else if (character === "\\") {
      const meant = characters[at];
      if (meant === undefined) return null;
      at += 1;
      if (meant === "/") endPart(true);
      else tokens.push(literal(meant));
    } else tokens.push(literal(character));
  }
  endPart();
  return parts;
}

/** Whether all parts of a path fit. `**` at the end wants one part at least. */
export function matchesPath(pattern: PathPattern, parts: readonly string[]): boolean {
  return matches(pattern, parts, {
    isMany: (one) => one === null,
    fits: (one, part) => one?.(part) ?? false,
    mustEndFull: true,
  });
}

function namePattern(tokens: readonly Token[]): NamePattern {
  return (name) => {
    return matches(tokens, Array.from(name), {
      isMany: ({ kind }) => kind === "many",
      fits: (token, character) => token.kind === "one" && token.fits(character),
      mustEndFull: false,
    });
  };
}

function literal(meant: string): Token {
  return { kind: "one", fits: (character) => character === meant };
}

/** How the elements of a pattern are to be understood. */
interface Reading<Element> {
  /** Whether it stands for any number of things. */
  isMany: (element: Element) => boolean;
  fits: (element: Element, thing: string) => boolean;
  /** Whether one of those at the very end stands for one thing at least. */
  mustEndFull: boolean;
}

/** Only the last `many` need ever take more: what came before it has matched as early as it can. */
function matches<Element>(
  pattern: readonly Element[],
  things: readonly string[],
  { isMany, fits, mustEndFull }: Reading<Element>,
): boolean {
  let at = 0;
  let thing = 0;
  let retry: { at: number; thing: number } | null = null;
  for (;;) {
    const element = pattern[at];
    const one = things[thing];
    if (element !== undefined && isMany(element)) {
      at += 1;
      if (at === pattern.length) return !mustEndFull || one !== undefined;
      retry = { at, thing };
    } else if (element !== undefined && one !== undefined && fits(element, one)) {
      at += 1;
      thing += 1;
    } else if (element === undefined && one === undefined) return true;
    else {
      if (!retry || retry.thing >= things.length) return false;
      retry.thing += 1;
      ({ at, thing } = retry);
    }
  }
}
