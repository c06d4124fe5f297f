/** Begins what is asked for next before it is: while one folder of a walk is looked at, the next ones are being listed. */

/** What came of a group of items, under way. */
interface Group<Result> {
  results: Promise<readonly (Result | Error)[]>;
  items: number;
}

/**
 * Does work for items, in order and some at once, and yields what comes of each.
 *
 * How many are worked on at once is asked before each group. If that is more than one, the next group is begun
 * before anything of this one is yielded. What fails rejects where it is waited for, and is silent where nobody does.
 */
export function* ahead<Item, Result>(
  items: readonly Item[],
  atOnce: () => number,
  work: (items: readonly Item[]) => Promise<readonly (Result | Error)[]>,
): Generator<Promise<Result>> {
  let begun = 0;
  const begin = (): Group<Result> => {
    const some = items.slice(begun, begun + atOnce());
    begun += some.length;
    const results = work(some);
    results.catch(() => {});
    return { results, items: some.length };
  };
  let next: Group<Result> | null = null;
  while (next || begun < items.length) {
    const group: Group<Result> = next ?? begin();
    next = begun < items.length && atOnce() > 1 ? begin() : null;
    for (let at = 0; at < group.items; at += 1) {
      const result = resultOf(group, at);
      result.catch(() => {});
      yield result;
    }
  }
}

async function resultOf<Result>({ results }: Group<Result>, at: number): Promise<Result> {
  const result = (await results)[at];
  if (result === undefined || result instanceof Error) throw result;
  return result;
}
