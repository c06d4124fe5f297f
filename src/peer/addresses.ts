/** Addresses as people write them, and those that a ticket should carry. */

import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { TransferError } from "../errors.ts";

/**
 * An address in its plain form, `ip:port` or `[ip]:port`.
 *
 * @throws {TransferError} `INVALID_ARGUMENT` for anything else, host names included.
 */
export function parseAddress(text: string): string {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text.trim());
  const ip = match?.[1] ?? match?.[2] ?? "";
  const port = Number(match?.[3]);
  const isWhole = match !== null && isIP(ip) === (match[1] === undefined ? 4 : 6);
  if (!isWhole || port > 65_535) {
    throw new TransferError(
      "INVALID_ARGUMENT",
      `"${text}" is not an address; write it as 192.0.2.1:4433 or [2001:db8::1]:4433`,
    );
  }
  return text.trim();
}

/**
 * The addresses under which others may reach what is bound to `bound`: an unspecified address stands
 * for those of all network cards, the machine's own loopback last.
 */
export function reachableAddresses(bound: readonly string[]): string[] {
  const found = bound.flatMap((address) => {
    const at = address.lastIndexOf(":");
    const ip = address.slice(0, at);
    const port = address.slice(at + 1);
    if (ip === "0.0.0.0") return cardAddresses("IPv4").map((card) => `${card}:${port}`);
    if (ip === "[::]") return cardAddresses("IPv6").map((card) => `[${card}]:${port}`);
    return [address];
  });
  return [...new Set(found)];
}

function cardAddresses(family: "IPv4" | "IPv6"): string[] {
  const all = Object.values(networkInterfaces()).flatMap((card) => card ?? []);
  // A link-local address means nothing without the name of a card.
  const usable = all.filter((card) => card.family === family && !card.address.startsWith("fe80:"));
  const outside = usable.filter(({ internal }) => !internal);
  const inside = usable.filter(({ internal }) => internal);
  return [...outside, ...inside].map(({ address }) => address);
}
