/** Ctrl-C: once asks politely, twice ends at once. A closed terminal asks, too. */

/** What happens when a person wants to end. */
export interface InterruptPlan {
  /** Called once, at the first Ctrl-C, SIGTERM or SIGHUP. */
  politely: () => void;
  /** Called at the second Ctrl-C, just before the process ends; must not wait for anything. */
  atOnce?: () => void;
}

/** Watches for Ctrl-C, SIGTERM and SIGHUP until the returned function is called. */
export function watchInterrupts({ politely, atOnce }: InterruptPlan): () => void {
  let isAsked = false;
  let interrupts = 0;
  const ask = () => {
    if (isAsked) return;
    isAsked = true;
    politely();
  };
  const interrupt = () => {
    interrupts += 1;
    if (interrupts < 2) return ask();
    atOnce?.();
    process.exit(130);
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", ask);
  process.on("SIGHUP", ask);
  return () => {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", ask);
    process.off("SIGHUP", ask);
  };
}
