/**
 * A ticket: what one person gives another so that they find each other and may talk.
 *
 * `quiver` and base32 of: version 1, peer id (32 bytes), secret (16), addresses, checksum (4). Only
 * lower-case letters and digits, so that a double click takes all of it and a shell leaves it alone.
 */

import { createHash } from "node:crypto";
import { isIPv4, isIPv6 } from "node:net";
import { base32nopad } from "@scure/base";
import { TransferError } from "../errors.ts";

/** What a ticket says. */
export interface Ticket {
  /** 64 hex digits. */
  peerId: string;
  /** 16 random bytes; whoever proves them may receive. */
  secret: Uint8Array;
  /** `ip:port`, at most 16. */
  addresses: string[];
}

/**
 * Refuses a text that cannot be a ticket, before anything is opened for it.
 *
 * @throws {TransferError} as {@link decodeTicket}.
 */
export function requireTicket(text: string): void {
  decodeTicket(text);
}

/** The ticket as text. */
export function encodeTicket(ticket: Ticket): string {
  const addresses = ticket.addresses.slice(0, maxAddresses).map(encodeAddress);
  const body = Buffer.concat([
    Buffer.of(version),
    Buffer.from(ticket.peerId, "hex"),
    ticket.secret,
    Buffer.of(addresses.length),
    ...addresses,
  ]);
  const whole = Buffer.concat([body, checksum(body)]);
  return prefix + base32nopad.encode(whole).toLowerCase();
}

/**
 * The ticket of a text; white space around and in it is fine, and so are capitals.
 *
 * @throws {TransferError} `INVALID_ARGUMENT` for a foreign text, a cut or mistyped ticket, or one of
 * a later version.
 */
export function decodeTicket(text: string): Ticket {
  const plain = text.replace(/\s+/g, "").toLowerCase();
  if (!plain.startsWith(prefix)) {
    throw wrong(`that is no quiver ticket: a ticket begins with "${prefix}"`);
  }
  const whole = decodeBase32(plain.slice(prefix.length));
  const body = whole.subarray(0, -checksumBytes);
  if (body.length === 0 || !checksum(body).equals(whole.subarray(-checksumBytes))) throw wrong(cut);
  const input = Buffer.from(body);
  if (input[0] !== version) {
    throw wrong("the ticket is of a later version of quiver; update this one");
  }
  if (input.length < fixedBytes) throw wrong(cut);
  return {
    peerId: input.subarray(1, 33).toString("hex"),
    secret: new Uint8Array(input.subarray(33, 49)),
    addresses: decodeAddresses(input.subarray(fixedBytes), input[fixedBytes - 1] ?? 0),
  };
}

function decodeBase32(text: string): Buffer {
  try {
    return Buffer.from(base32nopad.decode(text.toUpperCase()));
  } catch (error) {
    throw wrong(cut, error);
  }
}

function encodeAddress(address: string): Buffer {
  const at = address.lastIndexOf(":");
  const ip = address.slice(0, at).replace(/^\[|\]$/g, "");
  const port = Buffer.alloc(2);
  port.writeUInt16BE(Number(address.slice(at + 1)));
  if (isIPv4(ip))
    return Buffer.concat([Buffer.of(4), Buffer.from(ip.split(".").map(Number)), port]);
  const groups = ipv6Groups(ip);
  const raw = Buffer.alloc(16);
  groups.forEach((group, position) => {
    raw.writeUInt16BE(group, 2 * position);
  });
  return Buffer.concat([Buffer.of(6), raw, port]);
}

function decodeAddresses(input: Buffer, count: number): string[] {
  if (count > maxAddresses) throw wrong(cut);
  const addresses: string[] = [];
  let at = 0;
  for (let n = 0; n < count; n += 1) {
    const family = input[at];
    const ipBytes = family === 4 ? 4 : family === 6 ? 16 : 0;
    if (ipBytes === 0 || at + 3 + ipBytes > input.length) throw wrong(cut);
    const raw = input.subarray(at + 1, at + 1 + ipBytes);
    const port = input.readUInt16BE(at + 1 + ipBytes);
    addresses.push(family === 4 ? `${[...raw].join(".")}:${port}` : `[${ipv6Text(raw)}]:${port}`);
    at += 3 + ipBytes;
  }
  if (at !== input.length) throw wrong(cut);
  return addresses;
}

function ipv6Groups(ip: string): number[] {
  const [plain = ""] = ip.split("%");
  if (!isIPv6(plain)) throw new TypeError(`not an address: ${ip}`);
  const [head = "", tail] = plain.split("::");
  const parse = (part: string) => (part === "" ? [] : part.split(":").flatMap(group));
  const first = parse(head);
  if (tail === undefined) return first;
  const last = parse(tail);
  return [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
}

/** One group of an IPv6 address; two for an IPv4 address at its end. */
function group(part: string): number[] {
  if (!isIPv4(part)) return [Number.parseInt(part, 16)];
  const [a = 0, b = 0, c = 0, d = 0] = part.split(".").map(Number);
  return [a * 256 + b, c * 256 + d];
}

function ipv6Text(raw: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, at) => raw.readUInt16BE(2 * at).toString(16));
  return groups.join(":");
}

function checksum(body: Uint8Array): Buffer {
  return createHash("sha256")
    .update("quiver ticket")
    .update(body)
    .digest()
    .subarray(0, checksumBytes);
}

function wrong(message: string, cause?: unknown): TransferError {
  return new TransferError("INVALID_ARGUMENT", message, { cause });
}

const prefix = "quiver";
const version = 1;
const checksumBytes = 4;
const maxAddresses = 16;
const fixedBytes = 1 + 32 + 16 + 1;
const cut = "the ticket is cut short or mistyped; copy all of it again";
