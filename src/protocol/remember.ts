/** Adds to a cache and lets go of the oldest when it is full, of more where it may hold fewer than before. */
export function remember<T>(cache: Map<number, T>, most: number, key: number, value: T): void {
  for (const oldest of cache.keys()) {
    if (cache.size < most) break;
    cache.delete(oldest);
  }
  cache.set(key, value);
}

/** Paths of folders kept whole: at 4 KiB a path, all of a hostile offer's would fill memory. */
export const keptPaths = 1024;
