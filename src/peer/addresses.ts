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
 * The addresses under which others may reach what is bound to `bound`.
 *
 * An unspecified address stands for those of all network cards; loopback only where there is no other.
 */
export function reachableAddresses(bound: readonly string[]): string[] {
  const outside = bound.flatMap((address) => addressesFor(address, false));
  const found = outside.length > 0 ? outside : bound.flatMap((a) => addressesFor(a, true));
  return [...new Set(found)];
}

/** The IP addresses of this machine's network cards. */
export function cardAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap(
    (cards) => cards?.map(({ address }) => address) ?? [],
  );
}

function addressesFor(address: string, isLoopback: boolean): string[] {
  const at = address.lastIndexOf(":");
  const ip = address.slice(0, at);
  const port = address.slice(at + 1);
  const family = ip === "0.0.0.0" ? "IPv4" : ip === "[::]" ? "IPv6" : null;
  if (!family) return [address];
  return (
    Object.values(networkInterfaces())
      .flatMap((cards) => cards ?? [])
      .filter((card) => card.family === family && card.internal === isLoopback)
      // A link-local address means nothing without the name of a card.
      .filter((card) => !card.address.startsWith("fe80:"))
      .map((card) => (family === "IPv6" ? `[${card.address}]:${port}` : `${card.address}:${port}`))
  );
}
