/** Begins what is asked for next before it is: while one folder of a walk is looked at, the next ones are being listed. */

/**
 * Does work for each item, in order, and yields what comes of it; so many more as `most` says are begun by then.
 *
 * Work that fails rejects where it is waited for, and is silent where nobody does.
 */
export function* ahead<Item, Result>(
  items: Iterable<Item>,
  most: () => number,
  work: (item: Item) => Promise<Result>,
): Generator<Promise<Result>> {
  const begun: Promise<Result>[] = [];
  for (const item of items) {
    const result = work(item);
    result.catch(() => {});
    begun.push(result);
    while (begun.length > most()) yield* begun.splice(0, 1);
  }
  yield* begun;
}
