/** The flags of every benchmark that prints a table of its own. */

/** To be spread among the options of `parseArgs`. */
export const commonFlags = {
  rounds: { type: "string", default: "1" },
  /** Another quiver than this checkout's. */
  quiver: { type: "string" },
  help: { type: "boolean", default: false },
} as const;
