/**
 * A second, small encoder of docs/protocol.md, for peers that do not keep to it.
 *
 * It shares nothing with src/protocol: what both agree on is what the document says.
 */

import { createHmac, randomBytes } from "node:crypto";
import type { TestContext } from "node:test";
import { setImmediate } from "node:timers/promises";
import type {
  BidirectionalStream,
  Connection,
  Endpoint,
  EndpointOptions,
  Engine,
  ReceiveStream,
  SendStream,
} from "../src/engine/engine.ts";
import { pieceValue } from "../src/engine/memory-hash.ts";
import { defaultTuning } from "../src/index.ts";
import { atEnd } from "./ending.ts";
import type { Side } from "./peers.ts";

/** A value that CBOR can say. `raw` is put in as it is. */
export type Value =
  | number
  | bigint
  | string
  | boolean
  | null
  | Uint8Array
  | { raw: Uint8Array }
  | readonly Value[]
  | { readonly [key: string]: Value };

/** A message as it came. */
export type Message = Record<string, unknown>;

/** `[kind, depth, name, bytes, mode, mtimeMs, target?]`; kind 0 is a file, 1 a folder, 2 a link. */
export type RawEntry = readonly Value[];

/** Numbers of failures, as the document lists them. */
export const wire = { CANCELLED: 1, CONTENT_MISMATCH: 3, INVALID_FRAME: 5, PEER_REJECTED: 6 };

/** Where machines come from; a memory network is one. */
export interface RawNetwork {
  engine: (name: string) => Engine;
}

/** Who is dialled, and where. */
export interface Reached {
  peerId: string;
  addresses: readonly string[];
}

/** A connection on which anything can be said. */
export class RawPeer {
  readonly connection: Connection;
  readonly peerId: string;
  readonly #control: BidirectionalStream;

  private constructor(peerId: string, connection: Connection, control: BidirectionalStream) {
    this.peerId = peerId;
    this.connection = connection;
    this.#control = control;
  }

  /** Dials a peer and opens the control stream, without a word. */
  static async dial(t: TestContext, network: RawNetwork, { peer }: Side): Promise<RawPeer> {
    const endpoint = await bindRaw(t, network.engine("mallory"));
    await peer.start();
    const connection = await endpoint.connect(peer.peerId, peer.addresses, 1000);
    return new RawPeer(endpoint.peerId, connection, await connection.openBidirectional());
  }

  /** Dials a peer and exchanges hellos. */
  static async greet(
    t: TestContext,
    network: RawNetwork,
    side: Side,
    changes: { readonly [key: string]: Value } = {},
  ): Promise<RawPeer> {
    const raw = await RawPeer.dial(t, network, side);
    await raw.say({ ...hello, ...changes });
    await raw.hear("hello");
    // The other side has a session of it in this turn of the loop.
    await setImmediate();
    return raw;
  }

  /** Dials the sender of a ticket and proves its secret. */
  static async redeem(
    t: TestContext,
    network: RawNetwork,
    sender: Side,
    ticket: string,
    features: readonly string[] = [],
  ): Promise<RawPeer> {
    const raw = await RawPeer.dial(t, network, sender);
    await raw.say({ ...hello, features, proof: proofOf(secretOf(ticket), raw.connection) });
    return raw;
  }

  /** Dials from an endpoint and begins the control stream with bytes, in the first flight where that can be. */
  static async early(from: Endpoint, to: Reached, bytes: Uint8Array): Promise<RawPeer> {
    const connection = await from.connectEarly(to.peerId, to.addresses, 5000, bytes);
    if (!connection.early) return RawPeer.#begin(from, connection, bytes);
    return new RawPeer(from.peerId, connection, connection.early);
  }

  /** Dials from an endpoint and begins the control stream with bytes. */
  static async late(from: Endpoint, to: Reached, bytes: Uint8Array): Promise<RawPeer> {
    const connection = await from.connect(to.peerId, to.addresses, 5000);
    return RawPeer.#begin(from, connection, bytes);
  }

  /** Takes a call, without a word. */
  static async accept(endpoint: Endpoint): Promise<RawPeer> {
    const connection = await endpoint.accept();
    if (!connection) throw new Error("the endpoint is closed");
    return new RawPeer(endpoint.peerId, connection, await connection.acceptBidirectional());
  }

  static async #begin(from: Endpoint, connection: Connection, bytes: Uint8Array): Promise<RawPeer> {
    const control = await connection.openBidirectional();
    await control.send.write(bytes);
    return new RawPeer(from.peerId, connection, control);
  }

  /** Says a message on the control stream. */
  async say(message: Value): Promise<void> {
    await this.write(frame(cbor(message)));
  }

  /** Writes bytes on the control stream. */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#control.send.write(bytes);
  }

  /** The next message of one of the types; others are passed over. */
  async hear(...types: string[]): Promise<Message> {
    for (;;) {
      const message = await readMessage(this.#control.receive);
      if (types.includes(String(message["type"]))) return message;
    }
  }

  /** Offers entries truthfully, up to but not including the answer. */
  async offer(entries: readonly RawEntry[], changes: Changes = {}): Promise<Uint8Array> {
    const { transfer = new Uint8Array(randomBytes(16)) } = changes;
    const { targetDir = "", offered = {} } = changes;
    await this.say({ type: "offer", transfer, targetDir, profile: "ultra" });
    await this.say({ type: "entries", transfer, batch: cbor(entries) });
    const sizes = entries.map(([kind, , , size]) => (kind === 0 ? Number(size) : 0));
    const sum = sizes.reduce((total, size) => total + size, 0);
    const bytes = Number.isSafeInteger(sum) ? Math.max(0, sum) : 0;
    const counts = { entries: entries.length, bytes, skipped: [] };
    await this.say({ type: "offered", transfer, ...counts, ...offered });
    return transfer;
  }

  /** Takes the receipt as an honest sender does; returns the results, `[entry, status, hash, …]`. */
  async settle(transfer: Uint8Array): Promise<unknown[][]> {
    const results: unknown[][] = [];
    for (;;) {
      const message = await this.hear("results", "receipt");
      if (message["type"] === "receipt") break;
      results.push(...(message["files"] as unknown[][]));
    }
    await this.say({ type: "settled", transfer });
    return results;
  }

  /** Opens a lane and writes its header and what follows; it stays open. */
  async lane(transfer: Uint8Array, number: number, ...parts: Uint8Array[]): Promise<SendStream> {
    return this.stream(laneHeader(transfer, number, ultra), ...parts);
  }

  /** Opens a stream one way and writes bytes. */
  async stream(...parts: Uint8Array[]): Promise<SendStream> {
    const stream = await this.connection.openUnidirectional();
    await stream.write(Buffer.concat(parts));
    return stream;
  }
}

/** An endpoint with a key of its own. */
export async function bindRaw(
  t: TestContext,
  engine: Engine,
  options: Partial<EndpointOptions> = {},
): Promise<Endpoint> {
  const endpoint = await engine.bind({
    ...defaultTuning,
    secretKey: randomBytes(32),
    listen: ["127.0.0.1:0"],
    alpn: "quiver/1",
    ...options,
  });
  atEnd(t, () => endpoint.close());
  return endpoint;
}

/** The secret in a ticket: 16 bytes after the version and the peer id. */
export function secretOf(ticket: string): Uint8Array {
  const alphabet = "abcdefghijklmnopqrstuvwxyz234567";
  const digits = [...ticket.replace(/^quiver/, "")].map((letter) => alphabet.indexOf(letter));
  const bits = digits.map((digit) => digit.toString(2).padStart(5, "0")).join("");
  return Uint8Array.from({ length: 16 }, (_, at) =>
    Number.parseInt(bits.slice(8 * (33 + at), 8 * (34 + at)), 2),
  );
}

/** The proof of a ticket's secret for one connection. */
export function proofOf(secret: Uint8Array, connection: Connection): Uint8Array {
  const label = "EXPORTER-quiver/1-ticket";
  const material = connection.exportKeyingMaterial(label, new Uint8Array());
  return createHmac("sha256", secret).update("quiver/1 ticket").update(material).digest();
}

/** How an offer departs from the truth. */
export interface Changes {
  transfer?: Uint8Array;
  targetDir?: string;
  offered?: { readonly [key: string]: Value };
}

/** A truthful hello. */
export const hello = {
  type: "hello",
  version: 1,
  name: "mallory",
  features: [],
  profiles: ["ultra", "standard"],
  codecs: ["none"],
  maxLanes: 256,
  proof: new Uint8Array(),
} satisfies Value;

export const standard = 1;
export const ultra = 2;

/** A truthful entry of a file. */
export function file(name: Value, bytes: Value, depth: Value = 0): RawEntry {
  return [0, depth, name, bytes, 0o644, 1_600_000_000_000];
}

/** A truthful entry of a folder. */
export function folder(name: Value, depth: Value = 0): RawEntry {
  return [1, depth, name, 0, 0o755, 1_600_000_000_000];
}

/** A truthful entry of a link. */
export function link(name: Value, target: Value, depth: Value = 0): RawEntry {
  return [2, depth, name, 0, 0o777, 1_600_000_000_000, target];
}

/** `QVR`, format, transfer, lane. */
export function laneHeader(transfer: Uint8Array, lane: number, format: number): Uint8Array {
  return Buffer.concat([Buffer.from("QVR"), Buffer.of(format), transfer, integer(lane, 2)]);
}

/** What a run says of itself. */
export interface RawRun {
  entry: number;
  pieceLog?: number;
  offset: number | bigint;
  length: number | bigint;
}

/** The header of a run in an ultra lane. */
export function runHeader({ entry, pieceLog = 10, offset, length }: RawRun): Uint8Array {
  const place = [integer(entry, 4), Buffer.of(pieceLog), integer(offset, 8), integer(length, 8)];
  return Buffer.concat([Buffer.of(1), ...place]);
}

/** The header of a piece in a standard lane: it is a run of its own. */
export function pieceHeader({ entry, pieceLog = 10, offset }: Omit<RawRun, "length">): Uint8Array {
  return Buffer.concat([integer(entry, 4), Buffer.of(pieceLog), integer(offset, 8)]);
}

/** The header of a bundle in an ultra lane. */
export function bundleHeader(entries: readonly number[], count = entries.length): Uint8Array {
  const list = entries.map((entry) => integer(entry, 4));
  return Buffer.concat([Buffer.of(2), integer(count, 2), Buffer.alloc(19), ...list]);
}

/** A truthful piece. `offset` is null for a file of one piece. */
export function piece(bytes: Uint8Array, offset: number | null = null): Uint8Array {
  const place = { offset: offset ?? 0, isWholeFile: offset === null };
  return Buffer.concat([pieceHead(0, bytes.length), bytes, pieceValue(bytes, place)]);
}

/** A piece with a value that is not that of its bytes. */
export function spoiltPiece(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([pieceHead(0, bytes.length), bytes, Buffer.alloc(32, 7)]);
}

/** Codec and length. */
export function pieceHead(codec: number, length: number): Uint8Array {
  return Buffer.concat([Buffer.of(codec), integer(length, 4)]);
}

/** A frame's length and body. */
export function frame(body: Uint8Array, length = body.length): Uint8Array {
  return Buffer.concat([integer(length, 4), body]);
}

/** A value as CBOR (RFC 8949) with definite lengths. */
export function cbor(value: Value): Uint8Array {
  if (value === null) return Buffer.of(0xf6);
  if (typeof value === "boolean") return Buffer.of(value ? 0xf5 : 0xf4);
  if (typeof value === "bigint") return head(0, value);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) return double(value);
    return value < 0 ? head(1, -1 - value) : head(0, value);
  }
  if (typeof value === "string")
    return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value]);
  if (isList(value)) return Buffer.concat([head(4, value.length), ...value.map(cbor)]);
  if (isRaw(value)) return value.raw;
  // The canonical order of keys: the shorter ones first.
  const fields = Object.entries(value).sort(([a], [b]) => a.length - b.length || (a < b ? -1 : 1));
  const parts = fields.flatMap(([key, field]) => [cbor(key), cbor(field)]);
  return Buffer.concat([head(5, fields.length), ...parts]);
}

/** Type and size of a CBOR item. */
export function head(major: number, size: number | bigint): Uint8Array {
  const start = major << 5;
  if (size < 24) return Buffer.of(start + Number(size));
  for (const [at, bytes] of [1, 2, 4, 8].entries()) {
    if (BigInt(size) >> BigInt(8 * bytes)) continue;
    return Buffer.concat([Buffer.of(start + 24 + at), integer(size, bytes)]);
  }
  throw new RangeError(`${size} is too large`);
}

function double(value: number): Uint8Array {
  const bytes = Buffer.alloc(9, 0xfb);
  bytes.writeDoubleBE(value, 1);
  return bytes;
}

/** A whole number in so many bytes, big-endian. */
function integer(value: number | bigint, bytes: number): Uint8Array {
  return Buffer.from(
    BigInt(value)
      .toString(16)
      .padStart(2 * bytes, "0"),
    "hex",
  );
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function isRaw(value: object): value is { raw: Uint8Array } {
  return "raw" in value && value.raw instanceof Uint8Array;
}

async function readMessage(stream: ReceiveStream): Promise<Message> {
  const header = await stream.read(4);
  if (header === null) throw new Error("the peer said no more");
  const body = await stream.read(Buffer.from(header).readUInt32BE());
  const { value } = read(Buffer.from(body ?? []), 0);
  return value as Message;
}

/** The CBOR item at a position, and where the next one begins. */
function read(input: Buffer, at: number): { value: unknown; next: number } {
  const first = input.readUInt8(at);
  const major = first >> 5;
  const info = first & 31;
  if (major === 7) {
    if (info === 27) return { value: input.readDoubleBE(at + 1), next: at + 9 };
    return { value: info === 22 ? null : info === 21, next: at + 1 };
  }
  const wide = info < 24 ? 0 : 2 ** (info - 24);
  const size = wide === 0 ? info : Number(`0x${input.toString("hex", at + 1, at + 1 + wide)}`);
  let next = at + 1 + wide;
  if (major === 0) return { value: size, next };
  if (major === 1) return { value: -1 - size, next };
  if (major === 2) return { value: input.subarray(next, next + size), next: next + size };
  if (major === 3) return { value: input.toString("utf8", next, next + size), next: next + size };
  const items: unknown[] = [];
  for (let n = 0; n < size * (major - 3); n += 1) {
    const item = read(input, next);
    items.push(item.value);
    next = item.next;
  }
  if (major === 4) return { value: items, next };
  const fields = items.flatMap((key, n) => (n % 2 === 0 ? [[String(key), items[n + 1]]] : []));
  return { value: Object.fromEntries(fields), next };
}
