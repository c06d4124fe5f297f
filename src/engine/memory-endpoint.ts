/** An endpoint on the memory network. */

import { createPrivateKey, createPublicKey } from "node:crypto";
import type { Clock } from "../clock.ts";
import { TransferError } from "../errors.ts";
import type { Connection, EarlyCall, Endpoint, EndpointOptions } from "./engine.ts";
import { type Allowance, type ConnectionEnd, MemoryConnection } from "./memory-connection.ts";
import type { Network } from "./memory-network.ts";
import { Queue } from "./memory-waiting.ts";

/** See {@link Endpoint}. */
export class MemoryEndpoint implements Endpoint {
  readonly peerId: string;
  readonly addresses: readonly string[];
  readonly #network: Network<MemoryEndpoint>;
  readonly #clock: Clock;
  readonly #options: EndpointOptions;
  readonly #incoming = new Queue<Connection | null>();
  readonly #early = new Queue<EarlyCall | null>();
  /** With whom an early connection can be made: an endpoint that is opened anew knows nobody. */
  readonly #met = new WeakSet<MemoryEndpoint>();
  readonly #connections = new Set<MemoryConnection>();
  #isOpen = true;

  /** Takes its addresses on the network. */
  constructor(network: Network<MemoryEndpoint>, clock: Clock, options: EndpointOptions) {
    this.peerId = peerIdOf(options.secretKey);
    this.#network = network;
    this.#clock = clock;
    this.#options = options;
    this.addresses = network.listen(options.listen, this);
  }

  /** See {@link Endpoint.connect}. */
  async connect(
    peerId: string,
    addresses: readonly string[],
    timeoutMs: number,
  ): Promise<Connection> {
    const peer = await this.#reach(peerId, addresses, timeoutMs);
    const { near, far } = this.#join(peer);
    peer.#incoming.push(far);
    return near;
  }

  /** See {@link Endpoint.connectEarly}; nobody copies anything here. */
  async connectEarly(
    peerId: string,
    addresses: readonly string[],
    timeoutMs: number,
    bytes: Uint8Array,
  ): Promise<Connection> {
    const peer = await this.#reach(peerId, addresses, timeoutMs);
    const isKnown = this.#met.has(peer);
    const { near, far } = this.#join(peer);
    if (!isKnown) {
      peer.#incoming.push(far);
      return near;
    }
    near.early = await near.openBidirectional();
    const written = near.early.send.write(bytes);
    if (peer.#early.isWanted) peer.#early.push(earlyCall(far));
    else peer.#incoming.push(far);
    await written;
    return near;
  }

  async #reach(
    peerId: string,
    addresses: readonly string[],
    timeoutMs: number,
  ): Promise<MemoryEndpoint> {
    if (!/^[0-9a-f]{64}$/.test(peerId)) {
      throw new TransferError("INVALID_ARGUMENT", `${peerId} is not a peer id`);
    }
    const timeout = Promise.withResolvers<"late">();
    const timer = setTimeout(() => timeout.resolve("late"), timeoutMs);
    try {
      let peer = this.#find(peerId, addresses);
      while (!peer) {
        const event = await Promise.race([this.#network.changed(), timeout.promise]);
        if (event === "late") throw unreachable(peerId, `did not answer within ${timeoutMs} ms`);
        peer = this.#find(peerId, addresses);
      }
      return peer;
    } finally {
      clearTimeout(timer);
    }
  }

  /** See {@link Endpoint.accept}. */
  accept(): Promise<Connection | null> {
    return this.#incoming.take();
  }

  /** See {@link Endpoint.acceptEarly}. */
  acceptEarly(): Promise<EarlyCall | null> {
    return this.#early.take();
  }

  /** See {@link Endpoint.close}. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#network.release(this.addresses);
    for (const connection of [...this.#connections]) connection.close(0, "");
    this.#incoming.end(() => Promise.resolve(null));
    this.#early.end(() => Promise.resolve(null));
  }

  #find(peerId: string, addresses: readonly string[]): MemoryEndpoint | undefined {
    if (!this.#isOpen) throw new TransferError("CANCELLED", "the endpoint was closed on this side");
    const found = addresses.map((address) => this.#network.find(address));
    return this.#network.isUp ? found.find((peer) => peer?.peerId === peerId) : undefined;
  }

  /** The two ends of a new connection. */
  #join(peer: MemoryEndpoint): { near: MemoryConnection; far: MemoryConnection } {
    if (peer.#options.alpn !== this.#options.alpn) {
      throw unreachable(peer.peerId, `does not speak ${this.#options.alpn}`);
    }
    const session = crypto.getRandomValues(new Uint8Array(32));
    const onEnd = { near: () => this.#forget(near), far: () => peer.#forget(far) };
    const [near, far] = MemoryConnection.pair(
      { ...this.#endTo(peer), session, allowance: this.#toDialled(), onEnd: onEnd.near },
      { ...peer.#endTo(this), session, allowance: peer.#toStranger(), onEnd: onEnd.far },
    );
    this.#keep(near);
    peer.#keep(far);
    this.#met.add(peer);
    return { near, far };
  }

  #endTo(peer: MemoryEndpoint): Omit<ConnectionEnd, "session" | "allowance" | "onEnd"> {
    return {
      peerId: peer.peerId,
      remoteAddress: peer.addresses[0] ?? "",
      streamWindowBytes: this.#options.streamWindowBytes,
      carry: (bytes) => this.#network.carry(bytes),
      now: () => this.#clock.now(),
    };
  }

  #toDialled(): Allowance {
    const { receiveWindowBytes, maxStreams } = this.#options;
    const streams = { bidirectional: maxStreams, unidirectional: maxStreams };
    return { windowBytes: receiveWindowBytes, ...streams };
  }

  #toStranger(): Allowance {
    return { windowBytes: this.#options.strangerWindowBytes, bidirectional: 1, unidirectional: 0 };
  }

  #keep(connection: MemoryConnection): void {
    this.#connections.add(connection);
    this.#network.add(connection);
  }

  #forget(connection: MemoryConnection): void {
    this.#connections.delete(connection);
    this.#network.remove(connection);
  }
}

function earlyCall(far: MemoryConnection): EarlyCall {
  const { peerId } = far;
  return { peerId, takeStream: () => far.acceptBidirectional(), proven: async () => far };
}

/** The Ed25519 public key, as in the native engine. */
function peerIdOf(secretKey: Uint8Array): string {
  if (secretKey.length !== 32) {
    throw new TransferError(
      "INVALID_ARGUMENT",
      `a secret key of ${secretKey.length} bytes, not 32`,
    );
  }
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8_OF_ED25519, secretKey]),
    format: "der",
    type: "pkcs8",
  });
  const { x = "" } = createPublicKey(key).export({ format: "jwk" });
  return Buffer.from(x, "base64url").toString("hex");
}

function unreachable(peerId: string, fact: string): TransferError {
  return new TransferError("PEER_UNREACHABLE", `peer ${peerId.slice(0, 10)} ${fact}`);
}

/** What stands before the 32 bytes of the key (RFC 8410, section 7). */
const PKCS8_OF_ED25519 = Buffer.from("302e020100300506032b657004220420", "hex");
