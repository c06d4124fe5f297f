/** What the other person types, so that their machine finds this one. */

import { hostname } from "node:os";

/** A machine that waits to be dialled. */
export interface Waiting {
  peerId: string;
  addresses: readonly string[];
}

/** The lines to type on the other machine: first those that make this one known there. */
export function introduction(
  { peerId, addresses }: Waiting,
  commands: readonly string[],
): string[] {
  const add = `quiver peers add ${ownName()} ${peerId} ${addresses.join(" ")}`;
  return ["On the other machine:", "", ...[add, ...commands].map((line) => `  ${line}`), ""];
}

/** A name for this machine that every address book takes. */
export function ownName(host = hostname()): string {
  const [label = ""] = host.split(".");
  return (
    label
      .replace(/[^A-Za-z0-9_-]/g, "")
      .replace(/^[_-]+/, "")
      .slice(0, 60) || "peer"
  );
}
