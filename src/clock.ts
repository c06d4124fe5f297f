/** Time, as everything here takes it: a clock that tests can replace. */

/** A monotonic clock with timers. */
export interface Clock {
  /** Milliseconds since some start; never goes back. */
  now(): number;
  /** Milliseconds since 1970. */
  wallNow(): number;
  /** Calls `tick` every so many milliseconds until the returned function is called. */
  every(intervalMs: number, tick: () => void): () => void;
  /** Calls `ring` once, unless the returned function is called before. */
  after(delayMs: number, ring: () => void): () => void;
  /** Resolves after a time; rejects with the signal's reason if that fires before. Keeps the process alive. */
  wait(delayMs: number, signal: AbortSignal): Promise<void>;
}

/** The system's clock. Its timers do not keep the process alive, but for those of `wait`. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  every(intervalMs, tick) {
    const timer = setInterval(tick, intervalMs);
    timer.unref();
    return () => clearInterval(timer);
  },
  after(delayMs, ring) {
    const timer = setTimeout(ring, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
  wait(delayMs, signal) {
    return new Promise((resolve, reject) => {
      const abort = () => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener("abort", abort);
        resolve();
      }, delayMs);
      if (signal.aborted) abort();
      else signal.addEventListener("abort", abort, { once: true });
    });
  },
};

/** Rejects with `error` when `promise` takes longer than `limitMs`. */
export async function within<T>(
  clock: Clock,
  limitMs: number,
  promise: Promise<T>,
  error: () => Error,
): Promise<T> {
  const late = Promise.withResolvers<never>();
  const cancel = clock.after(limitMs, () => late.reject(error()));
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    cancel();
  }
}
