/** Sets of characters in a pattern: `[abc]`, `[a-z]`, `[!0-9]`, `[[:digit:]]`. Pure. */

/** Whether a character is in a set. */
type CharacterTest = (character: string) => boolean;

/**
 * Reads a set from after its `[`, and tells where it ends.
 *
 * Null for one without an end, or with a class that there is not.
 */
export function parseSet(
  characters: readonly string[],
  from: number,
): { fits: CharacterTest; end: number } | null {
  const isNegated = characters[from] === "!" || characters[from] === "^";
  const start = isNegated ? from + 1 : from;
  const members: CharacterTest[] = [];
  // A `]` that comes first is one of the set.
  for (let at = start; at === start || characters[at] !== "]"; ) {
    const member = parseClass(characters, at) ?? parseRange(characters, at);
    if (!member) return null;
    members.push(member.fits);
    at = member.end;
    if (characters[at] !== "]") continue;
    const fits: CharacterTest = (one) => members.some((test) => test(one)) !== isNegated;
    return { fits, end: at + 1 };
  }
  return null;
}

/** A class such as `[:digit:]`; null for anything else. One that is not known has no characters. */
function parseClass(characters: readonly string[], at: number) {
  if (characters[at] !== "[" || characters[at + 1] !== ":") return null;
  const end = characters.indexOf("]", at + 2);
  if (end < at + 3 || characters[end - 1] !== ":") return null;
  const known = classes.get(characters.slice(at + 2, end - 1).join(""));
  return { fits: (one: string) => known?.test(one) ?? false, end: end + 1 };
}

/** One character, or two with a `-` between them. */
function parseRange(characters: readonly string[], at: number) {
  const low = parseOne(characters, at);
  if (!low) return null;
  const isRange = characters[low.end] === "-" && characters[low.end + 1] !== "]";
  const high = isRange ? parseOne(characters, low.end + 1) : low;
  return high && { fits: between(low.point, high.point), end: high.end };
}

function parseOne(characters: readonly string[], at: number) {
  const isEscaped = characters[at] === "\\";
  const character = characters[isEscaped ? at + 1 : at];
  if (character === undefined) return null;
  return { point: pointOf(character), end: isEscaped ? at + 2 : at + 1 };
}

function between(low: number, high: number): CharacterTest {
  return (character) => {
    const point = pointOf(character);
    return point >= low && point <= high;
  };
}

function pointOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}

/** Those of POSIX, for ASCII. */
const classes = new Map([
  ["alnum", /^[0-9A-Za-z]$/],
  ["alpha", /^[A-Za-z]$/],
  ["blank", /^[ \t]$/],
  ["cntrl", /^\p{Cc}$/u],
  ["digit", /^[0-9]$/],
  ["graph", /^[!-~]$/],
  ["lower", /^[a-z]$/],
  ["print", /^[ -~]$/],
  ["punct", /^[!-/:-@[-`{-~]$/],
  ["space", /^[ \t\n\v\f\r]$/],
  ["upper", /^[A-Z]$/],
  ["xdigit", /^[0-9A-Fa-f]$/],
]);
