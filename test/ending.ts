/** What a test leaves to be closed or removed when it ends, in the order that is safe. */

/** What ends: a test, or what stands for one. */
export interface Ending {
  after(action: () => unknown): void;
}

const endings = new WeakMap<Ending, (() => unknown)[]>();

/**
 * Does `action` when the test ends, whether it passes or fails.
 *
 * The last that was asked for is the first that is done: a peer is closed before its folder is removed. All
 * are done even if one fails; the first failure is the test's.
 */
export function atEnd(t: Ending, action: () => unknown): void {
  const actions = endings.get(t);
  if (actions) {
    actions.push(action);
    return;
  }
  const all = [action];
  endings.set(t, all);
  t.after(async () => {
    const failures: unknown[] = [];
    for (const each of all.toReversed()) {
      await Promise.try(each).catch((failure) => failures.push(failure));
    }
    if (failures.length > 0) throw failures[0];
  });
}
