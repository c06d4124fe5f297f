/** What all work of one peer shares. */

import { hostname } from "node:os";
import type { Clock } from "../clock.ts";
import { allCodecs, type Codec } from "../codec.ts";
import type { Connection, Endpoint, EndpointOptions, Engine } from "../engine/engine.ts";
import { TransferError } from "../errors.ts";
import type { Tuning } from "../options.ts";
import {
  arrivedFeature,
  boundFeature,
  contentFeature,
  paceFeature,
  streamFeature,
  textFeature,
  wideFeature,
} from "../protocol/features.ts";
import { formatsByPreference } from "../protocol/lane.ts";
import { encodeMessage } from "../protocol/message-codec.ts";
import { alpn, type Hello, protocolVersion } from "../protocol/messages.ts";
import type { TransferRecord } from "../transfer/transfer.ts";
import type { AddressBook } from "./address-book.ts";
import type { Callers } from "./callers.ts";
import type { Identity } from "./identity.ts";
import type { KnownPaths } from "./known-paths.ts";
import type { Limits } from "./limits.ts";
import type { PeerOptions } from "./peer-options.ts";
import type { SecondOptions } from "./second-connection.ts";
import type { Session, SessionOptions } from "./session.ts";

/** A peer's engine, endpoint and settings. */
export interface PeerContext {
  options: PeerOptions;
  tuning: Tuning;
  engine: Engine;
  endpoint: Endpoint;
  clock: Clock;
  /** The names of peers. */
  book: AddressBook;
  identity: Identity;
  callers: Callers;
  /** What is known of paths; none where nothing is to be remembered. */
  knownPaths: KnownPaths | null;
  limits: Limits;
}

/** Binds an endpoint; without `listen` to any address, IPv6 too where the machine has it. */
export async function bindEndpoint(
  engine: Engine,
  { secretKey }: Identity,
  tuning: Tuning,
  listen?: readonly string[],
): Promise<Endpoint> {
  const options = { ...tuning, secretKey, alpn };
  if (listen) return bindTo(engine, { ...options, listen });
  try {
    return await engine.bind({ ...options, listen: ["0.0.0.0:0", "[::]:0"] });
  } catch {
    // A machine without IPv6 has only the first.
    return engine.bind({ ...options, listen: ["0.0.0.0:0"] });
  }
}

async function bindTo(engine: Engine, options: EndpointOptions): Promise<Endpoint> {
  try {
    return await engine.bind(options);
  } catch (error) {
    if (!(error instanceof TransferError) || error.code !== "ADDRESS_IN_USE") throw error;
    const message = `${options.listen.join(", ")} is in use by another program; choose another port, or 0 for a free one`;
    throw new TransferError("ADDRESS_IN_USE", message, { cause: error });
  }
}

/** An id that nobody else has: 32 hex digits. */
export function newId(engine: Engine): string {
  return Buffer.from(engine.random(16)).toString("hex");
}

/** How a session begins on this side. */
interface Greeting {
  /** Of a ticket's holder: the ticket's secret, which the hello proves to be known. @default none */
  secret?: Uint8Array;
  /** Named beside the features of every session. @default none */
  features?: readonly string[];
}

/** What a session needs of this peer, but for who takes what comes over it. */
export function sessionSettings(
  context: PeerContext,
  { secret, features = [] }: Greeting = {},
): Omit<SessionOptions, "onOffer" | "onRequest"> {
  const { clock, tuning } = context;
  const isWide = Number.isFinite(tuning.secondConnectionAbove);
  const more = isWide ? [wideFeature, ...features] : features;
  return {
    clock,
    helloTimeoutMs: tuning.handshakeTimeoutMs,
    sharing: tuning,
    hello: helloOf(context, more),
    secret,
    second: isWide ? secondOptions(context) : null,
  };
}

/** How a session of this peer gets a second connection: with a key and a thread that serve for nothing else. */
function secondOptions({ engine, endpoint, clock, tuning }: PeerContext): SecondOptions {
  const listen = endpoint.addresses.map((address) => address.replace(/\d+$/, "0"));
  const own = { ...tuning, alpn, listen, ownThread: true };
  return {
    open: () => engine.bind({ ...own, secretKey: engine.random(32) }),
    timeoutMs: tuning.connectTimeoutMs,
    limits: tuning,
    clock,
  };
}

/** This peer's first message, without a proof; it can do what `features` say besides. */
function helloOf({ options, tuning }: PeerContext, features: readonly string[]): Hello {
  return {
    type: "hello",
    version: protocolVersion,
    name: (options.name ?? hostname()).slice(0, 128),
    features: [...always, ...features],
    profiles: [...(options.formats ?? formatsByPreference)],
    codecs: readCodecs(options),
    maxLanes: tuning.maxLanes,
    proof: new Uint8Array(),
  };
}

/** Codecs that a peer reads, as its hello lists them. */
export function readCodecs({ codecs = allCodecs }: PeerOptions): Codec[] {
  return allCodecs.filter((codec) => codec === "none" || codecs.includes(codec));
}

/** How a peer is dialled. */
export interface DialOptions {
  signal?: AbortSignal | undefined;
  /** A message that may go ahead of the connection; see {@link Endpoint.connectEarly}. */
  early?: Hello;
}

/**
 * Dials a peer; a connection that comes after `signal` has fired is closed.
 *
 * @throws {TransferError} `PEER_UNREACHABLE`, or the signal's reason.
 */
export async function dialPeer(
  { endpoint, tuning: { connectTimeoutMs } }: PeerContext,
  peerId: string,
  addresses: readonly string[],
  { signal = new AbortController().signal, early }: DialOptions = {},
): Promise<Connection> {
  const dialling = early
    ? endpoint.connectEarly(peerId, addresses, connectTimeoutMs, encodeMessage(early))
    : endpoint.connect(peerId, addresses, connectTimeoutMs);
  try {
    return await orAborted(dialling, signal);
  } catch (error) {
    background(dialling.then((late) => late.close(0, "")));
    if (!(error instanceof TransferError) || error.code !== "PEER_UNREACHABLE") throw error;
    const seconds = Math.round(connectTimeoutMs / 1000);
    const message = `the other side did not answer at ${addresses.join(" or ")} within ${seconds} s; is it still running, and may UDP pass between the two?`;
    throw new TransferError("PEER_UNREACHABLE", message, { cause: error });
  }
}

/** Notes in the address book where a peer is, now that it has proven its key. */
export function noteSeen({ book, clock, options }: PeerContext, connection: Connection): void {
  try {
    book.see(connection.peerId, connection.stats().remoteAddress, clock.wallNow());
  } catch (error) {
    // A book that cannot be used costs the convenience, not the connection.
    const reason = error instanceof Error ? error.message : String(error);
    options.logger?.warn(`where the peer is was not noted: ${reason}`);
  }
}

/** Tells who watches a transfer to whom it is connected; on a receiver's side its id may not be known yet. */
export function tellConnected(record: TransferRecord, session: Session, transferId = ""): void {
  const { peerId, hello, connection } = session;
  const address = connection.stats().remoteAddress;
  record.emit({ type: "connected", transferId, peerId, peerName: hello.name, address });
}

/** {@link tellConnected} as soon as the other side has said who it is. */
export async function tellOnceGreeted(
  record: TransferRecord,
  session: Session,
  transferId?: string,
): Promise<void> {
  await session.greeted;
  tellConnected(record, session, transferId);
}

/** The result of `work`, unless its session ends first. */
export function unlessEnded<T>({ ended }: Session, work: Promise<T>): Promise<T> {
  return Promise.race([work, ended.then((error) => Promise.reject(error))]);
}

/** The result of `work`, unless the signal fires first. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  // Work that is no longer waited for may fail unheard.
  work.catch(() => {});
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** Lets work go on by itself; whoever began it has told of its failure. */
export function background(work: Promise<unknown>): void {
  void work.catch(() => {});
}

/** What any peer of this version can do. */
const always = [
  paceFeature,
  textFeature,
  streamFeature,
  boundFeature,
  arrivedFeature,
  contentFeature,
];
