/** Standard output and standard error: terminals, pipes and files, which can fail at any time. */

let failure: Error | undefined;

/** Keeps a failure of either from ending the process: a transfer has more to do than to talk. */
export function watchStandardStreams(): void {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    // A reader that went away, as `head` does, or a terminal that was closed wants no more.
    if (error.code !== "EPIPE" && error.code !== "EIO") failure ??= error;
  });
  // There is nowhere left to tell it.
  process.stderr.on("error", () => {});
}

/** Waits until both have taken all that was written; returns why standard output could not, if it could not. */
export async function standardStreamsWritten(): Promise<Error | undefined> {
  await Promise.all([written(process.stdout), written(process.stderr)]);
  return failure;
}

function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
}
