/** The network that the memory engines of a test share: who listens where, and whether bytes pass. */

import { isIPv6, SocketAddress } from "node:net";
import { TransferError } from "../errors.ts";
import { Signal } from "./memory-waiting.ts";

/** A connection, as the network sees it. */
export interface Cuttable {
  /** Ends it at both ends, as a broken cable does. */
  lose(): void;
}

/** Addresses that are taken by listeners of type `L`, and a cable that can be cut. */
export class Network<L> {
  readonly #listeners = new Map<string, L>();
  readonly #connections = new Set<Cuttable>();
  readonly #changed = new Signal();
  #nextPort = FIRST_FREE_PORT;
  #isUp = true;
  #bytesUntilCut = Number.POSITIVE_INFINITY;
  /** Stream bytes that have passed so far. */
  carriedBytes = 0;

  /** Whether bytes pass. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Loses all connections; none can be made until {@link Network.mend}. */
  cut(): void {
    this.#isUp = false;
    for (const connection of [...this.#connections]) connection.lose();
  }

  /** Cuts as soon as so many more stream bytes were read by their receivers. */
  cutAfter(bytes: number): void {
    this.#bytesUntilCut = bytes;
    if (bytes === 0) this.cut();
  }

  /** Lets connections be made again, and forgets {@link Network.cutAfter}. */
  mend(): void {
    this.#isUp = true;
    this.#bytesUntilCut = Number.POSITIVE_INFINITY;
    this.#changed.notify();
  }

  /** Carries bytes of a stream; returns how many pass. */
  carry(bytes: number): number {
    const carried = Math.min(bytes, this.#bytesUntilCut);
    this.#bytesUntilCut -= carried;
    this.carriedBytes += carried;
    if (this.#bytesUntilCut === 0) this.cut();
    return carried;
  }

  /** Takes all the addresses or none; returns them with their real ports. */
  listen(addresses: readonly string[], listener: L): string[] {
    const taken: string[] = [];
    for (const wanted of addresses.map(parseAddress)) {
      const port = wanted.port === 0 ? this.#nextPort++ : wanted.port;
      const address = format(wanted.ip, port);
      if (this.find(address) || this.#listeners.has(anyAddress(wanted.ip, port))) {
        this.release(taken);
        throw new TransferError("ADDRESS_IN_USE", `${address} is taken by another endpoint`);
      }
      this.#listeners.set(address, listener);
      taken.push(address);
    }
    this.#changed.notify();
    return taken;
  }

  /** Frees addresses. */
  release(addresses: readonly string[]): void {
    for (const address of addresses) this.#listeners.delete(address);
  }

  /** Who listens on an address, or on all addresses with its port. */
  find(address: string): L | undefined {
    const { ip, port } = parseAddress(address);
    return this.#listeners.get(format(ip, port)) ?? this.#listeners.get(anyAddress(ip, port));
  }

  /** Resolves when someone begins to listen or the network was mended. */
  changed(): Promise<void> {
    return this.#changed.wait();
  }

  /** Counts a connection among those that a cut loses. */
  add(connection: Cuttable): void {
    this.#connections.add(connection);
  }

  /** Forgets a connection. */
  remove(connection: Cuttable): void {
    this.#connections.delete(connection);
  }
}

function parseAddress(text: string): { ip: string; port: number } {
  const parsed = /:\d+$/.test(text) ? SocketAddress.parse(text) : undefined;
  if (parsed) return { ip: parsed.address, port: parsed.port };
  throw new TransferError("INVALID_ARGUMENT", `${text} is not an address; write ip:port`);
}

function anyAddress(ip: string, port: number): string {
  return format(isIPv6(ip) ? "::" : "0.0.0.0", port);
}

function format(ip: string, port: number): string {
  return isIPv6(ip) ? `[${ip}]:${port}` : `${ip}:${port}`;
}

const FIRST_FREE_PORT = 40_000;
