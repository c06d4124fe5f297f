/** What the kernel tells of processes. Linux only. */

import { readFileSync } from "node:fs";

/** A process and all that it started and that still lives. */
export function processTree(pid: number): number[] {
  const children = read(`/proc/${pid}/task/${pid}/children`).split(" ").filter(Boolean).map(Number);
  return [pid, ...children.flatMap(processTree)];
}

/** Memory of a process that no file stands behind; 0 when it has ended. */
export function anonymousBytes(pid: number): number {
  const match = /^RssAnon:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`));
  return Number(match?.[1] ?? 0) * 1024;
}

function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    // The process has ended between two looks.
    return "";
  }
}
