/** A running participant: an endpoint, its connections, and the transfers over them. */

import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { type Clock, systemClock } from "../clock.ts";
import type { Connection, Endpoint, Engine } from "../engine/engine.ts";
import { openNativeEngine } from "../engine/native.ts";
import { TransferError } from "../errors.ts";
import { defaultTuning, ticketLifeMs, type Tuning } from "../options.ts";
import { formatsByPreference, type LaneFormat } from "../protocol/lane.ts";
import { alpn, type ControlMessage, type Hello, protocolVersion } from "../protocol/messages.ts";
import { ticketProof } from "../protocol/proof.ts";
import { decodeTicket, encodeTicket } from "../protocol/ticket.ts";
import type { ConflictPolicy } from "../transfer/conflicts.ts";
import type {
  Direction,
  Logger,
  OfferSummary,
  ProfileName,
  Receipt,
  TransferProgress,
} from "../transfer/events.ts";
import { openBelow, openInbox } from "../transfer/inbox.ts";
import { type IncomingDecision, receiveOffer } from "../transfer/incoming.ts";
import { nameRules } from "../transfer/landing-name.ts";
import { LogLines } from "../transfer/log-lines.ts";
import { type DataFormat, sendSource } from "../transfer/outgoing.ts";
import { Source } from "../transfer/source.ts";
import { SourceFiles } from "../transfer/source-files.ts";
import { type Transfer, TransferRecord } from "../transfer/transfer.ts";
import { parseAddress, reachableAddresses } from "./addresses.ts";
import { type Identity, loadIdentity, temporaryIdentity } from "./identity.ts";
import { Session, type SessionOptions } from "./session.ts";
import { Tickets } from "./tickets.ts";

/** What {@link Peer.open} needs to know. */
export interface PeerOptions {
  /** Address to listen on, `ip:port`; port 0 takes a free one. @default any, IPv4 and IPv6 */
  listen?: string;
  /** Who this peer is. @default loadIdentity() */
  identity?: Identity;
  /** The name that others see. @default the host's name */
  name?: string;
  /** The folder where files of others land. @default the current folder */
  inbox?: string;
  /** Decides about offers that nobody here asked for with a ticket. @default refuses them */
  onOffer?: (offer: OfferSummary) => OfferAnswer | Promise<OfferAnswer>;
  logger?: Logger;
  tuning?: Partial<Tuning>;
  /** The engine to run on. @default the native one */
  engine?: Engine;
  /** Data formats that this peer takes. @default all */
  formats?: readonly LaneFormat[];
}

/** What to do with an offer. */
export type OfferAnswer = boolean | { into?: string; onConflict?: ConflictPolicy };

/** How to send. */
export interface SendOptions {
  /** The connected peer to send to; without it a ticket is made, and whoever holds it receives. */
  to?: string;
  /** Folder below the other's inbox. @default "" */
  targetDir?: string;
  /** @default "ultra" */
  profile?: ProfileName;
  /** Lanes at most. @default tuning.maxLanes */
  lanes?: number;
  /** Serve the ticket again and again until cancelled. @default false */
  keep?: boolean;
  signal?: AbortSignal;
  /** Data formats to try, for tests of peers to come. @default what both sides know */
  formats?: readonly DataFormat[];
}

/** How to receive. */
export interface ReceiveOptions {
  /** The folder where the files land, made if it is not there. @default the peer's inbox */
  into?: string;
  /** Asked before anything is written. @default accepts: the caller holds the ticket */
  accept?: (offer: OfferSummary) => boolean | Promise<boolean>;
  /** What to do where names are taken. @default "rename" */
  onConflict?: ConflictPolicy;
  signal?: AbortSignal;
}

/** A participant. */
export class Peer {
  readonly #options: PeerOptions;
  readonly #tuning: Tuning;
  readonly #engine: Engine;
  readonly #endpoint: Endpoint;
  readonly #clock: Clock = systemClock;
  readonly #tickets = new Tickets(systemClock);
  /** Connections made for {@link Peer.connectToPeer} or by others, by peer id. */
  readonly #sessions = new Map<string, Session>();
  readonly #transfers = new Map<string, TransferRecord>();
  readonly #working = new Set<Promise<unknown>>();
  #isStarted = false;

  private constructor(options: PeerOptions, tuning: Tuning, engine: Engine, endpoint: Endpoint) {
    this.#options = options;
    this.#tuning = tuning;
    this.#engine = engine;
    this.#endpoint = endpoint;
  }

  /**
   * Binds the endpoint.
   *
   * @throws {TransferError} `ADDRESS_IN_USE`, `INVALID_ARGUMENT`, or `DISK_*` for the identity.
   */
  static async open(options: PeerOptions = {}): Promise<Peer> {
    const tuning = { ...defaultTuning, ...options.tuning };
    const { workerThreads } = tuning;
    const engine = options.engine ?? openNativeEngine({ workerThreads });
    const identity = options.identity ?? (await loadIdentity());
    const listen = options.listen === undefined ? undefined : [parseAddress(options.listen)];
    return new Peer(options, tuning, engine, await bind(engine, identity, tuning, listen));
  }

  get peerId(): string {
    return this.#endpoint.peerId;
  }

  /** The addresses it listens on, `ip:port`. */
  get addresses(): readonly string[] {
    return this.#endpoint.addresses;
  }

  /** Begins to take connections. Twice is fine. */
  async start(): Promise<void> {
    if (this.#isStarted) return;
    this.#isStarted = true;
    background(this.#acceptConnections());
  }

  /**
   * Connects to a peer by address and key, so that {@link Peer.sendFile} finds it.
   *
   * @throws {TransferError} `PEER_UNREACHABLE`, `PEER_REJECTED`, `UNSUPPORTED_VERSION` or
   * `INVALID_ARGUMENT`.
   */
  async connectToPeer(address: string, peerId: string): Promise<void> {
    const known = this.#sessions.get(peerId);
    if (known) return;
    const { connectTimeoutMs } = this.#tuning;
    const addresses = [parseAddress(address)];
    const connection = await this.#endpoint.connect(peerId, addresses, connectTimeoutMs);
    this.#keep(await Session.dial(connection, this.#sessionOptions()));
  }

  /**
   * Offers a file or folder to a connected peer and returns the transfer's id once it can be read.
   *
   * `targetDir` is relative to the other's inbox.
   *
   * @throws {TransferError} `DISK_*` when it cannot be read, `PEER_UNREACHABLE` when not connected.
   */
  async sendFile(peerId: string, path: string, targetDir = ""): Promise<string> {
    const session = this.#session(peerId);
    const source = await Source.open(this.#engine, [path]);
    const record = this.#record("send");
    const work = this.#sendTo(session, source, record, { targetDir });
    this.#run(record, work.finally(() => source.close()));
    return record.id;
  }

  /** How far a transfer of this peer is; undefined for an id it does not know. */
  getTransferProgress(transferId: string): TransferProgress | undefined {
    return this.#transfers.get(transferId)?.progress();
  }

  /** A transfer of this peer, its own or an incoming one. */
  getTransfer(transferId: string): Transfer | undefined {
    return this.#transfers.get(transferId);
  }

  /**
   * Sends files and folders: to a connected peer, or to whoever gets the ticket of the `ready` event.
   *
   * The transfer's `done` rejects with `DISK_*`, `PEER_*`, `CONNECTION_LOST`, `CONTENT_MISMATCH`, or
   * the signal's reason.
   */
  send(paths: string | readonly string[], options: SendOptions = {}): Transfer {
    const record = this.#record("send", options.signal);
    const list = typeof paths === "string" ? [paths] : paths;
    this.#run(record, this.#sendPaths(list, record, options));
    return record;
  }

  /** Receives what a ticket points to. `done` rejects like that of {@link Peer.send}. */
  receive(ticket: string, options: ReceiveOptions = {}): Transfer {
    const record = this.#record("receive", options.signal);
    this.#run(record, this.#receiveTicket(ticket, record, options));
    return record;
  }

  /** Ends all transfers and connections and frees the port. */
  async close(): Promise<void> {
    for (const record of this.#transfers.values()) record.cancel();
    await Promise.allSettled(this.#working);
    await this.#endpoint.close();
  }

  async #sendPaths(
    paths: readonly string[],
    record: TransferRecord,
    options: SendOptions,
  ): Promise<Receipt> {
    const source = await Source.open(this.#engine, paths);
    try {
      if (options.to === undefined) return await this.#serve(source, record, options);
      return await this.#sendTo(this.#session(options.to), source, record, options);
    } finally {
      await source.close();
    }
  }

  async #sendTo(
    session: Session,
    source: Source,
    record: TransferRecord,
    options: SendOptions,
  ): Promise<Receipt> {
    const files = new SourceFiles(this.#engine, source, this.#tuning);
    const { peerId, hello, connection } = session;
    const address = connection.stats().remoteAddress;
    record.emit({ type: "connected", transferId: record.id, peerId, peerName: hello.name, address });
    try {
      return await sendSource(session, source, files, record, {
        engine: this.#engine,
        clock: this.#clock,
        tuning: this.#tuning,
        profile: options.profile ?? "ultra",
        lanes: Math.min(options.lanes ?? this.#tuning.maxLanes, this.#tuning.maxLanes),
        targetDir: options.targetDir ?? "",
        formats: options.formats,
      });
    } finally {
      await files.close();
    }
  }

  /** Makes a ticket and serves it: once, or until cancelled. */
  async #serve(source: Source, record: TransferRecord, options: SendOptions): Promise<Receipt> {
    await this.start();
    const result = Promise.withResolvers<Receipt>();
    const serving = new Set<Session>();
    const serve = async (session: Session) => {
      if (serving.size > 0 && !options.keep) {
        throw new TransferError("PEER_REJECTED", "the ticket is in use by another receiver");
      }
      serving.add(session);
      try {
        const receipt = await this.#sendTo(session, source, record, options);
        if (!options.keep) result.resolve(receipt);
        else record.emit({ type: "receipt", ...receipt });
      } catch (error) {
        if (!options.keep) result.reject(error);
        else record.warn(error);
      } finally {
        serving.delete(session);
      }
    };
    const { secret, revoke } = this.#tickets.issue(ticketLifeMs, (session) => {
      background(serve(session).catch((error) => closeWith(session, error)));
    });
    const addresses = reachableAddresses(this.addresses);
    record.ticket = encodeTicket({ peerId: this.peerId, secret, addresses });
    record.emit({ type: "ready", transferId: record.id, ticket: record.ticket });
    const cancel = () => serving.size === 0 && result.reject(record.signal.reason);
    const cancelAll = () => (options.keep ? result.reject(record.signal.reason) : cancel());
    record.signal.addEventListener("abort", cancelAll, { once: true });
    if (record.signal.aborted) cancelAll();
    try {
      return await result.promise;
    } finally {
      revoke();
      record.signal.removeEventListener("abort", cancelAll);
    }
  }

  async #receiveTicket(
    text: string,
    record: TransferRecord,
    options: ReceiveOptions,
  ): Promise<Receipt> {
    const { peerId, secret, addresses } = decodeTicket(text);
    const endpoint = await this.#endpointFor(peerId);
    let connection: Connection | null = null;
    try {
      const dialling = endpoint.connect(peerId, addresses, this.#tuning.connectTimeoutMs);
      connection = await orAborted(dialling, record.signal);
      const offered = Promise.withResolvers<Extract<ControlMessage, { type: "offer" }>>();
      const session = await Session.dial(connection, {
        ...this.#sessionOptions(),
        hello: (material) => this.#hello(ticketProof(secret, material)),
        onOffer: (_, offer) => offered.resolve(offer),
      });
      const { hello } = session;
      const address = connection.stats().remoteAddress;
      record.emit({ type: "connected", transferId: "", peerId, peerName: hello.name, address });
      const ended = session.ended.then((error) => Promise.reject(error));
      const offer = await orAborted(Promise.race([offered.promise, ended]), record.signal);
      record.id = offer.transfer;
      this.#transfers.set(record.id, record);
      return await receiveOffer(session, offer, record, {
        ...this.#incomingOptions(),
        decide: async (summary) => {
          if (options.accept && !(await options.accept(summary))) return null;
          return this.#decision(summary, options);
        },
      });
    } finally {
      connection?.close(0, "");
      if (endpoint !== this.#endpoint) await endpoint.close();
    }
  }

  /** A peer cannot dial itself: for a ticket of its own it dials as somebody else. */
  async #endpointFor(peerId: string): Promise<Endpoint> {
    if (peerId !== this.peerId) return this.#endpoint;
    return bind(this.#engine, temporaryIdentity(), this.#tuning);
  }

  async #acceptConnections(): Promise<void> {
    for (;;) {
      const connection = await this.#endpoint.accept();
      if (!connection) return;
      background(this.#greet(connection).catch(() => {}));
    }
  }

  async #greet(connection: Connection): Promise<void> {
    let serve: ((session: Session) => void) | null = null;
    const session = await Session.accept(connection, {
      ...this.#sessionOptions(),
      check: ({ proof }, material) => {
        serve = this.#tickets.find(proof, material);
        if (!serve && (proof.length > 0 || !this.#options.onOffer)) throw unknownTicket;
      },
    });
    const granted = serve as ((session: Session) => void) | null;
    if (granted) granted(session);
    else this.#keep(session);
  }

  #keep(session: Session): void {
    this.#sessions.set(session.peerId, session);
    void session.ended.then(() => {
      if (this.#sessions.get(session.peerId) === session) this.#sessions.delete(session.peerId);
    });
  }

  #session(peerId: string): Session {
    const session = this.#sessions.get(peerId);
    if (session) return session;
    throw new TransferError("PEER_UNREACHABLE", `${peerId} is not connected; call connectToPeer first`);
  }

  #sessionOptions(): SessionOptions {
    return {
      clock: this.#clock,
      helloTimeoutMs: this.#tuning.handshakeTimeoutMs,
      hello: () => this.#hello(new Uint8Array()),
      onOffer: (session, offer) => this.#takeOffer(session, offer),
    };
  }

  #takeOffer(session: Session, offer: Extract<ControlMessage, { type: "offer" }>): void {
    const { transfer } = offer;
    const { onOffer } = this.#options;
    if (!onOffer || this.#transfers.has(transfer)) {
      const reason = "the peer takes no offers without a ticket";
      background(session.say({ type: "reject", transfer, code: "PEER_REJECTED", reason }));
      return;
    }
    const record = this.#record("receive", undefined, transfer);
    const work = receiveOffer(session, offer, record, {
      ...this.#incomingOptions(),
      decide: async (summary) => {
        const answer = await onOffer(summary);
        return answer ? this.#decision(summary, answer === true ? {} : answer) : null;
      },
    });
    this.#run(record, work);
  }

  #incomingOptions() {
    const formats = this.#options.formats ?? formatsByPreference;
    return {
      engine: this.#engine,
      clock: this.#clock,
      rules: nameRules(process.platform),
      formats,
    };
  }

  async #decision(
    { targetDir }: OfferSummary,
    { into, onConflict }: { into?: string; onConflict?: ConflictPolicy },
  ): Promise<IncomingDecision> {
    const path = into ?? this.#options.inbox ?? ".";
    const inbox = await openInbox(this.#engine, path);
    try {
      const target = await openBelow(inbox, targetDir, nameRules(process.platform));
      const shown = targetDir === "" ? path : `${path}/${targetDir}`;
      return { target, into: shown, onConflict: onConflict ?? "rename" };
    } finally {
      await inbox.close();
    }
  }

  #hello(proof: Uint8Array): Hello {
    return {
      type: "hello",
      version: protocolVersion,
      name: (this.#options.name ?? hostname()).slice(0, 128),
      features: [],
      profiles: [...(this.#options.formats ?? formatsByPreference)],
      codecs: ["none"],
      maxLanes: this.#tuning.maxLanes,
      proof,
    };
  }

  #record(direction: Direction, signal?: AbortSignal, id?: string): TransferRecord {
    const record = new TransferRecord(direction, signal);
    record.id = id ?? randomBytes(16).toString("hex");
    this.#transfers.set(record.id, record);
    const { logger } = this.#options;
    if (logger) background(logEvents(record, logger, this.#clock));
    return record;
  }

  #run(record: TransferRecord, work: Promise<Receipt>): void {
    const settled = work.then(
      (receipt) => record.succeed(receipt),
      (error) => record.fail(error),
    );
    this.#working.add(settled);
    void settled.then(() => this.#working.delete(settled));
  }
}

/** Lets work go on by itself; whoever began it has told of its failure. */
function background(work: Promise<unknown>): void {
  void work.catch(() => {});
}

async function bind(
  engine: Engine,
  { secretKey }: Identity,
  tuning: Tuning,
  listen?: readonly string[],
): Promise<Endpoint> {
  const options = { ...tuning, secretKey, alpn };
  if (listen) return engine.bind({ ...options, listen });
  try {
    return await engine.bind({ ...options, listen: ["0.0.0.0:0", "[::]:0"] });
  } catch {
    // A machine without IPv6 has only the first.
    return engine.bind({ ...options, listen: ["0.0.0.0:0"] });
  }
}

async function logEvents(record: TransferRecord, logger: Logger, clock: Clock): Promise<void> {
  const lines = new LogLines();
  for await (const event of record) {
    for (const line of lines.linesOf(event, clock.now())) logger.info(line);
  }
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
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

function closeWith(session: Session, error: unknown): void {
  const known = error instanceof TransferError ? error : null;
  session.close(known ? 6 : 5, known?.message ?? "");
}

const unknownTicket = new TransferError(
  "PEER_REJECTED",
  "the ticket is not known to the sender: it was used, has expired, or is of another run; ask for a new one",
);
