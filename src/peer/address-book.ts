/**
 * The names that this user gives to peers, and where each of them was last seen.
 *
 * A small SQLite database in the folder of quiver's own files, for its user only. Calls are
 * synchronous; each change is one transaction, so that any number of processes can use it at once.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { displayText } from "../display-text.ts";
import { TransferError } from "../errors.ts";
import { mostKnownAddresses } from "../options.ts";
import {
  bookError,
  inMemory,
  openDatabase,
  selectAddresses,
  selectPeers,
  transaction,
} from "./address-database.ts";
import { parseAddress } from "./addresses.ts";
import { configurationFolder } from "./identity.ts";
import { foldPeerName, parsePeerId, parsePeerName } from "./peer-name.ts";

/** A peer that has a name. */
export interface KnownPeer {
  name: string;
  /** The public key, 64 lower-case hex digits. */
  peerId: string;
  /** Where it was, `ip:port`: the address that was given or answered last comes first. */
  addresses: string[];
  /** When a connection with it was last made, in milliseconds since 1970; null for never. */
  seenAtMs: number | null;
}

/** A name for a peer. */
export interface NewPeer {
  name: string;
  peerId: string;
  /** Where it can be dialled, `ip:port`. @default none: it is learnt when the peer dials */
  addresses?: readonly string[];
}

/** Names for peers. Nothing is on the disk before the first name is given. */
export class AddressBook {
  readonly #path: string;
  #database: DatabaseSync | null = null;

  /** The book in a folder, opened at its first use; of null, one that is kept nowhere. */
  constructor(folder: string | null = configurationFolder()) {
    this.#path = folder === null ? inMemory : join(folder, "peers.sqlite");
  }

  /** All peers, by name. Every call fails with `DISK_*` for a book that cannot be used. */
  list(): KnownPeer[] {
    return this.#hasNothing ? [] : this.#use((database) => knownPeers(database, "TRUE"));
  }

  /** The peer with a name, or with a peer id; undefined for one that nobody has named. */
  find(nameOrId: string): KnownPeer | undefined {
    if (this.#hasNothing) return undefined;
    const wanted = [foldPeerName(nameOrId), nameOrId.toLowerCase()];
    return this.#use((database) => knownPeers(database, "folded = ? OR peer_id = ?", wanted)[0]);
  }

  /**
   * Gives a peer a name. The same again adds addresses.
   *
   * @throws {TransferError} `INVALID_ARGUMENT` where the name is another peer's or the peer has
   * another name, and for values that are none.
   */
  add({ name, peerId, addresses = [] }: NewPeer): KnownPeer {
    const added = { name: parsePeerName(name), peerId: parsePeerId(peerId) };
    const places = addresses.map(parseAddress);
    return this.#change((database) => {
      requireFree(database, added);
      const insert = "INSERT INTO peers VALUES (?, ?, ?, NULL) ON CONFLICT DO NOTHING";
      database.prepare(insert).run(added.peerId, added.name, foldPeerName(added.name));
      // The first one comes last, and is the first in the book.
      for (const address of places.toReversed()) note(database, added.peerId, address, "given");
      return required(database, added.peerId);
    });
  }

  /** Gives a named peer another name. `INVALID_ARGUMENT` where there is none, or the name is taken. */
  rename(nameOrId: string, name: string): KnownPeer {
    const plain = parsePeerName(name);
    return this.#change((database) => {
      const { peerId } = required(database, nameOrId);
      const [holder] = knownPeers(database, "folded = ?", [foldPeerName(plain)]);
      if (holder && holder.peerId !== peerId) throw taken(holder);
      const update = "UPDATE peers SET name = ?, folded = ? WHERE peer_id = ?";
      database.prepare(update).run(plain, foldPeerName(plain), peerId);
      return required(database, peerId);
    });
  }

  /** Removes a peer with its addresses, and returns it. `INVALID_ARGUMENT` where there is none. */
  forget(nameOrId: string): KnownPeer {
    return this.#change((database) => {
      const known = required(database, nameOrId);
      database.prepare("DELETE FROM peers WHERE peer_id = ?").run(known.peerId);
      return known;
    });
  }

  /** Notes where a peer is, if it has a name. Only for a peer that has proven its key. */
  see(peerId: string, address: string, atMs: number): void {
    if (!this.find(peerId)) return;
    const place = parseAddress(address);
    this.#change((database) => {
      const update = "UPDATE peers SET seen_ms = ? WHERE peer_id = ?";
      const { changes } = database.prepare(update).run(Math.round(atMs), peerId);
      if (changes > 0) note(database, peerId, place, "learnt");
    });
  }

  /** Frees the file. It is opened again at the next use. */
  close(): void {
    this.#database?.close();
    this.#database = null;
  }

  get #hasNothing(): boolean {
    return this.#database === null && !existsSync(this.#path);
  }

  #change<T>(change: (database: DatabaseSync) => T): T {
    return this.#use((database) => transaction(database, () => change(database)));
  }

  #use<T>(use: (database: DatabaseSync) => T): T {
    try {
      this.#database ??= openDatabase(this.#path);
      return use(this.#database);
    } catch (error) {
      throw bookError(this.#path, error);
    }
  }
}

/** The failure of a name that is nobody's. */
export function unknownPeer(name: string): TransferError {
  const message = `nobody is called "${displayText(name, 80)}" here; quiver peers lists who is`;
  return new TransferError("INVALID_ARGUMENT", message);
}

function knownPeers(database: DatabaseSync, where: string, values?: string[]): KnownPeer[] {
  return selectPeers(database, where, values).map(({ name, peerId, seenAtMs }) => {
    return { name, peerId, addresses: selectAddresses(database, peerId), seenAtMs };
  });
}

function required(database: DatabaseSync, nameOrId: string): KnownPeer {
  const wanted = [foldPeerName(nameOrId), nameOrId.toLowerCase()];
  const [known] = knownPeers(database, "folded = ? OR peer_id = ?", wanted);
  if (known) return known;
  throw unknownPeer(nameOrId);
}

/** Makes sure that neither the name nor the peer has another partner. */
function requireFree(database: DatabaseSync, { name, peerId }: NewPeer): void {
  const folded = foldPeerName(name);
  const [holder] = knownPeers(database, "folded = ? AND peer_id != ?", [folded, peerId]);
  if (holder) throw taken(holder);
  const [other] = knownPeers(database, "folded != ? AND peer_id = ?", [folded, peerId]);
  if (!other) return;
  const message = `that peer is called ${other.name} already; use quiver peers rename`;
  throw new TransferError("INVALID_ARGUMENT", message);
}

function taken({ name, peerId }: KnownPeer): TransferError {
  const message = `${name} is the name of the peer ${peerId}; choose another, or rename or forget that one`;
  return new TransferError("INVALID_ARGUMENT", message);
}

/** Puts an address first; those a person gave and those learnt do not push each other out. */
function note(
  database: DatabaseSync,
  peerId: string,
  address: string,
  how: "given" | "learnt",
): void {
  const isGiven = how === "given" ? 1 : 0;
  // A peer that dials has another port each time, and the one before is of no use any more.
  if (how === "learnt") database.prepare(dropSameHost).run({ peerId, address });
  database.prepare(noteAddress).run({ peerId, address, isGiven });
  database.prepare(dropOldest).run({ peerId, isGiven, most: mostKnownAddresses });
}

const noteAddress = `
  INSERT INTO addresses
  VALUES (:peerId, :address, :isGiven, (SELECT 1 + COALESCE(MAX(turn), 0) FROM addresses))
  ON CONFLICT DO UPDATE SET turn = excluded.turn, is_given = MAX(is_given, excluded.is_given)
`;

/** Without the digits of its port an address is its host's. */
const dropSameHost = `
  DELETE FROM addresses
  WHERE peer_id = :peerId AND is_given = 0
    AND rtrim(address, '0123456789') = rtrim(:address, '0123456789')
`;

const dropOldest = `
  DELETE FROM addresses WHERE rowid IN (
    SELECT rowid FROM addresses WHERE peer_id = :peerId AND is_given = :isGiven
    ORDER BY turn DESC LIMIT -1 OFFSET :most
  )
`;
