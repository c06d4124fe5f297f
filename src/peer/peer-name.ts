/** How a person calls a peer: in the address book, and on the command line. */

import { displayText } from "../display-text.ts";
import { TransferError } from "../errors.ts";
import { longestPeerName } from "../options.ts";
import { parseAddress } from "./addresses.ts";

/** Whom a person means. */
export type PeerReference =
  | { name: string }
  /** A peer by its key, with the addresses that were said. */
  | { peerId: string; addresses: string[] };

/**
 * A peer id in its plain form, 64 lower-case hex digits.
 *
 * @throws {TransferError} `INVALID_ARGUMENT` for anything else.
 */
export function parsePeerId(text: string): string {
  const peerId = text.trim().toLowerCase();
  if (/^[0-9a-f]{64}$/.test(peerId)) return peerId;
  const message = `"${displayText(text, 80)}" is not a peer id; quiver id prints it on the other machine`;
  throw new TransferError("INVALID_ARGUMENT", message);
}

/**
 * A name for a peer in its plain form: letters, digits, `.`, `_` and `-`, a letter or digit first.
 *
 * So it is one word for every shell, and nothing in it is taken for a path, an address or a list.
 *
 * @throws {TransferError} `INVALID_ARGUMENT` for anything else.
 */
export function parsePeerName(text: string): string {
  const name = text.normalize("NFC");
  const isId = /^[0-9a-f]{64}$/i.test(name);
  if (plainName.test(name) && name.length <= longestPeerName && !isId) return name;
  const message = `"${displayText(text, 80)}" cannot be a peer's name; take up to ${longestPeerName} letters, digits, ".", "_" and "-"`;
  throw new TransferError("INVALID_ARGUMENT", message);
}

/** What two names have in common that people would take for one. */
export function foldPeerName(name: string): string {
  return name.normalize("NFKC").toLowerCase();
}

/**
 * Reads `NAME`, `PEER-ID` or `PEER-ID@ADDRESS`.
 *
 * @throws {TransferError} `INVALID_ARGUMENT` for anything else.
 */
export function parsePeerReference(text: string): PeerReference {
  const [, id, address] = /^([0-9a-f]{64})(?:@(.+))?$/i.exec(text) ?? [];
  if (id === undefined) return { name: parsePeerName(text) };
  return {
    peerId: parsePeerId(id),
    addresses: address === undefined ? [] : [parseAddress(address)],
  };
}

/** Letters and digits of all scripts, but none that is drawn as nothing. */
const plainName =
  /^[[\p{L}\p{N}]--\p{Default_Ignorable_Code_Point}][[\p{L}\p{M}\p{N}._\-]--\p{Default_Ignorable_Code_Point}]*$/v;
