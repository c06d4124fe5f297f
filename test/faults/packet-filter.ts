/** Drops chosen packets of one host, by nftables. */

import { spawnSync } from "node:child_process";
import type { Host, Lab } from "../../bench/lab.ts";

/** Whether this machine has nftables. */
export function hasNft(): boolean {
  return spawnSync("nft", ["--version"]).status === 0;
}

/**
 * Drops every packet that a host has sent and that matches an expression of nft; no error tells of it.
 *
 * It is the other host that drops: on the way out several packets are still one.
 * Returns what mends it.
 */
export function dropFrom(lab: Lab, host: Host, match: string): () => void {
  const other = host === "a" ? "b" : "a";
  const hook = "{ type filter hook prerouting priority 0; policy accept; }";
  lab.output(other, "nft", `add table inet fault; add chain inet fault in ${hook}`);
  lab.output(other, "nft", `add rule inet fault in ${match} drop`);
  return () => void lab.output(other, "nft", "delete table inet fault");
}
