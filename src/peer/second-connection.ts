/**
 * A second connection between the two ends of a session, for lanes and nothing else.
 *
 * A connection can use one thread at either end. Where that is what holds a transfer, another one with
 * sockets and a thread of its own at both ends carries half of the lanes.
 */

import { type Clock, within } from "../clock.ts";
import type { Connection, Endpoint, PeerLimits } from "../engine/engine.ts";
import { TransferError } from "../errors.ts";
import type { ControlMessage } from "../protocol/messages.ts";
import { unexpected } from "../transfer/unexpected.ts";

/** How a side says where its sockets for the second connection are. */
export type WidenMessage = Extract<ControlMessage, { type: "widen" }>;

/** What a second connection is made with. */
export interface SecondOptions {
  /** Opens sockets where the first connection's can be, with a key and a thread that serve for nothing else. */
  open: () => Promise<Endpoint>;
  /** How long the two may take to meet. */
  timeoutMs: number;
  /** What the other side may send over it. */
  limits: PeerLimits;
  clock: Clock;
}

/** The session that has one. */
export interface FirstConnection {
  connection: Connection;
  /** Whether this side has dialled it, and so dials again. */
  isDialler: boolean;
  say: (message: WidenMessage) => Promise<void>;
  ended: Promise<unknown>;
}

/** The second connection of one session: none yet, sought, or made. */
export class SecondConnection {
  /** Resolves with the connection, or with null where none can be made; never without being asked, by either side. */
  readonly met: Promise<Connection | null>;
  readonly #first: FirstConnection;
  readonly #options: SecondOptions;
  readonly #met = Promise.withResolvers<Connection | null>();
  #opened: Promise<Endpoint> | null = null;
  #told: Promise<Endpoint> | null = null;
  #isHeard = false;

  constructor(first: FirstConnection, options: SecondOptions) {
    this.met = this.#met.promise;
    this.#first = first;
    this.#options = options;
    void first.ended.then(() => this.#leave());
  }

  /** Asks the other side for it. It is made once. */
  ask(): void {
    this.#tell().catch(() => this.#leave());
  }

  /** Hears where the other side's sockets are. `INVALID_FRAME` for the second time. */
  heard(message: WidenMessage): void {
    if (this.#isHeard) throw unexpected("a second widen");
    this.#isHeard = true;
    this.#meet(message).then(this.#met.resolve, () => this.#leave());
  }

  /** Opens this side's sockets and says where they are, once. */
  #tell(): Promise<Endpoint> {
    this.#told ??= this.#open();
    return this.#told;
  }

  async #open(): Promise<Endpoint> {
    const { isRelayed, remoteAddress } = this.#first.connection.stats();
    this.#opened = this.#options.open();
    const { peerId, addresses } = await this.#opened;
    const isAlike = (address: string) => isIpv6(address) === isIpv6(remoteAddress);
    const port = addresses.find(isAlike)?.split(":").at(-1);
    if (isRelayed || remoteAddress === "" || !port) throw noPath;
    await this.#first.say({ type: "widen", peerId, port: Number(port) });
    return this.#opened;
  }

  async #meet({ peerId, port }: WidenMessage): Promise<Connection> {
    const { clock, limits, timeoutMs } = this.#options;
    const endpoint = await this.#tell();
    // Only ever where the first connection leads: a peer cannot have this side dial others.
    const host = this.#first.connection.stats().remoteAddress.replace(/:\d+$/, "");
    if (this.#first.isDialler) return endpoint.connect(peerId, [`${host}:${port}`], timeoutMs);
    const connection = await within(clock, timeoutMs, calledBy(endpoint, peerId), () => noPath);
    connection.admit(limits);
    return connection;
  }

  async #leave(): Promise<void> {
    this.#met.resolve(null);
    await this.#opened?.then((endpoint) => endpoint.close()).catch(() => {});
  }
}

/** The call of a peer; all others are turned away. */
async function calledBy(endpoint: Endpoint, peerId: string): Promise<Connection> {
  for (;;) {
    const connection = await endpoint.accept();
    if (!connection) throw noPath;
    if (connection.peerId === peerId) return connection;
    connection.close(0, "");
  }
}

function isIpv6(address: string): boolean {
  return address.startsWith("[");
}

const noPath = new TransferError("PEER_UNREACHABLE", "no second connection could be made");
