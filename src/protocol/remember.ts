/** Adds to a cache and lets go of the oldest when it is full. */
export function remember<T>(cache: Map<number, T>, most: number, key: number, value: T): void {
  if (cache.size >= most) {
    const [oldest] = cache.keys();
    if (oldest !== undefined) cache.delete(oldest);
  }
  cache.set(key, value);
}

/** Paths of folders kept whole: at 4 KiB a path, all of a hostile offer's would fill memory. */
export const keptPaths = 1024;
