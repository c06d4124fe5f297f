/**
 * Memory that a run may use at once. The host of a virtual machine takes free pages back, and the first use of each
 * costs a fault there: 1 GiB was written to memory in 0.4 s or in 3.8 s (see docs/performance.md), whoever wrote it.
 */

import { execFileSync } from "node:child_process";

/** Takes as much free memory as a run with so many bytes of data needs, or most of it, and gives it back just before. */
export function warmMemory(dataBytes: number): void {
  const size = Math.floor(Math.min(dataBytes + toolBytes, 0.8 * process.availableMemory()));
  // A process of its own gives back all at once, by its end.
  execFileSync(process.execPath, ["-e", "Buffer.alloc(Number(process.argv[1]), 1)", `${size}`]);
}

/** What the tools themselves and the system's buffers may take. */
const toolBytes = 256 * 2 ** 20;
