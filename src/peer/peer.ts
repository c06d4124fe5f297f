/** A running participant: an endpoint, its connections, and the transfers over them. */

import { systemClock } from "../clock.ts";
import type { Connection, PeerLimits } from "../engine/engine.ts";
import { openNativeEngine } from "../engine/native.ts";
import { TransferError } from "../errors.ts";
import { defaultTuning, guestLimits } from "../options.ts";
import type { Hello } from "../protocol/messages.ts";
import { requireCompression } from "../transfer/compression.ts";
import type { OfferSummary, Receipt, TransferProgress } from "../transfer/events.ts";
import type { OfferMessage } from "../transfer/incoming.ts";
import type { Preflight } from "../transfer/preflight.ts";
import { Source, type SourceOptions } from "../transfer/source.ts";
import type { Transfer, TransferRecord } from "../transfer/transfer.ts";
import { unexpected } from "../transfer/unexpected.ts";
import { parseAddress } from "./addresses.ts";
import { Callers } from "./callers.ts";
import { background, bindEndpoint, dialPeer, helloOf, type PeerContext } from "./context.ts";
import { Guests } from "./guests.ts";
import { configurationFolder, loadIdentity } from "./identity.ts";
import { KnownPaths } from "./known-paths.ts";
import { Limits } from "./limits.ts";
import type { PeerOptions, ReceiveOptions, SendOptions } from "./peer-options.ts";
import { lookAtTicket, type PreflightOptions } from "./preflight.ts";
import { pushTo } from "./pushing.ts";
import { receiveTicket, takeOffer } from "./receiving.ts";
import { noOffers, tooManyOffers, unknownTicket } from "./refusals.ts";
import { type SentSources, serveTicket } from "./sending.ts";
import { Session, type SessionOptions } from "./session.ts";
import { Tickets } from "./tickets.ts";
import { TransferList } from "./transfer-list.ts";

/** A participant. */
export class Peer {
  readonly #context: PeerContext;
  readonly #tickets: Tickets;
  /** Connections made for {@link Peer.connectToPeer} or by others, by peer id. */
  readonly #sessions = new Map<string, Session>();
  /** Addresses at which {@link Peer.connectToPeer} has found peers. */
  readonly #dialled = new Map<string, string>();
  /** The sessions over which incoming transfers were offered. */
  readonly #offeredOver = new WeakMap<TransferRecord, Session>();
  readonly #guests: Guests;
  readonly #transfers: TransferList;
  #isStarted = false;

  private constructor(context: Omit<PeerContext, "callers">) {
    const callers = new Callers(() => background(this.start()));
    this.#context = { ...context, callers };
    this.#tickets = new Tickets(context.clock, (bytes) => context.engine.random(bytes));
    this.#guests = new Guests(context.tuning);
    this.#transfers = new TransferList(context.engine, context.clock, context.options.logger);
  }

  /**
   * Binds the endpoint.
   *
   * @throws {TransferError} `ADDRESS_IN_USE`, `INVALID_ARGUMENT`, or `DISK_*` for the identity.
   */
  static async open(options: PeerOptions = {}): Promise<Peer> {
    const tuning = { ...defaultTuning, ...options.tuning };
    const given = typeof options.listen === "string" ? [options.listen] : options.listen;
    const listen = given?.map(parseAddress);
    const { workerThreads } = tuning;
    const { clock = systemClock } = options;
    const engine = options.engine ?? openNativeEngine({ workerThreads });
    const limits = new Limits(engine, clock, options);
    const identity = options.identity ?? (await loadIdentity());
    const endpoint = await bindEndpoint(engine, identity, tuning, listen);
    const { pathsFolder = options.identity ? undefined : configurationFolder() } = options;
    const knownPaths = pathsFolder === undefined ? null : new KnownPaths(pathsFolder, clock);
    return new Peer({ options, tuning, engine, endpoint, clock, identity, knownPaths, limits });
  }

  /** The public key, 64 lower-case hex digits. */
  get peerId(): string {
    return this.#context.endpoint.peerId;
  }

  /** The addresses it listens on, `ip:port`. */
  get addresses(): readonly string[] {
    return this.#context.endpoint.addresses;
  }

  /** How fast it may send and receive, each by itself, over all transfers and for single peers. */
  get limits(): Limits {
    return this.#context.limits;
  }

  /** Begins to take connections. Twice is fine. */
  async start(): Promise<void> {
    if (this.#isStarted) return;
    this.#isStarted = true;
    background(this.#acceptConnections());
  }

  /**
   * Connects to a peer by address and key, so that {@link Peer.sendFile} finds it. Twice is fine.
   *
   * Cancelling: `signal` rejects with its reason; a connection that comes later is closed.
   *
   * @throws {TransferError} `PEER_UNREACHABLE`, `PEER_REJECTED`, `UNSUPPORTED_VERSION` or
   * `INVALID_ARGUMENT`.
   */
  async connectToPeer(
    address: string,
    peerId: string,
    options: { signal?: AbortSignal } = {},
  ): Promise<void> {
    if (this.#sessions.has(peerId)) return;
    const connection = await dialPeer(
      this.#context,
      peerId,
      [parseAddress(address)],
      options.signal,
    );
    this.#keep(await Session.dial(connection, this.#sessionOptions()));
    this.#dialled.set(peerId, address);
  }

  /**
   * Offers a file or folder to a connected peer and returns the transfer's id once it can be read.
   *
   * `targetDir` is relative to the other's inbox.
   *
   * @throws {TransferError} `DISK_*` when it cannot be read, `PEER_UNREACHABLE` when not connected.
   */
  async sendFile(
    peerId: string,
    path: string,
    targetDir = "",
    options: { signal?: AbortSignal } = {},
  ): Promise<string> {
    this.#session(peerId);
    const first = await Source.open(this.#context.engine, [path]);
    const record = this.#transfers.add("send", options);
    const work = this.#push(peerId, this.#sources(first, [path], {}), record, { targetDir });
    this.#transfers.run(
      record,
      work.finally(() => first.close()),
    );
    return record.id;
  }

  /** How far a transfer of this peer is; undefined for an id that it does not know. */
  getTransferProgress(transferId: string): TransferProgress | undefined {
    return this.getTransfer(transferId)?.progress();
  }

  /** A transfer of this peer, its own or an incoming one. */
  getTransfer(transferId: string): Transfer | undefined {
    return this.#transfers.find(transferId);
  }

  /**
   * Sends files and folders, or with `text` a text alone: to a connected peer, or to whoever gets the ticket of the `ready` event.
   *
   * The transfer's `done` rejects with `DISK_*`, `PEER_*`, `CONNECTION_LOST`, or the signal's reason.
   */
  send(paths: string | readonly string[], options: SendOptions = {}): Transfer {
    const record = this.#transfers.add("send", options);
    const list = typeof paths === "string" ? [paths] : paths;
    this.#transfers.run(record, this.#sendPaths(list, record, options));
    return record;
  }

  /** Receives what a ticket points to. `done` rejects like that of {@link Peer.send}. */
  receive(ticket: string, options: ReceiveOptions = {}): Transfer {
    const record = this.#transfers.add("receive", options);
    this.#transfers.run(record, receiveTicket(this.#context, ticket, record, options));
    return record;
  }

  /**
   * Reports what receiving a ticket's offer would come to. Writes nothing; the ticket stays good.
   *
   * Rejects as {@link Peer.receive} would before its first byte, and with the reason of `signal`.
   */
  preflight(ticket: string, options: PreflightOptions = {}): Promise<Preflight> {
    return lookAtTicket(this.#context, ticket, options);
  }

  /** Ends all transfers and connections and frees the port. */
  async close(): Promise<void> {
    await this.#transfers.cancelAll();
    this.#context.limits.close();
    await this.#context.endpoint.close();
  }

  async #sendPaths(
    paths: readonly string[],
    record: TransferRecord,
    options: SendOptions,
  ): Promise<Receipt> {
    requireCompression(options.compress);
    if (options.to !== undefined) this.#session(options.to);
    const first = await Source.open(this.#context.engine, paths, options);
    const sources = this.#sources(first, paths, options);
    try {
      if (options.to !== undefined) return await this.#push(options.to, sources, record, options);
      await this.start();
      return await serveTicket(this.#context, this.#tickets, sources, record, options);
    } finally {
      await first.close();
    }
  }

  #sources(first: Source, paths: readonly string[], options: SourceOptions): SentSources {
    return { first, again: () => Source.open(this.#context.engine, paths, options) };
  }

  /** Sends to a peer that is connected; a connection that is lost is dialled again. */
  #push(
    peerId: string,
    sources: SentSources,
    record: TransferRecord,
    options: SendOptions,
  ): Promise<Receipt> {
    const connect = async () => {
      const address = this.#dialled.get(peerId);
      const { signal } = record;
      // A peer that dialled this one must come back by itself.
      if (address !== undefined) await this.connectToPeer(address, peerId, { signal });
      return this.#session(peerId);
    };
    return pushTo(this.#context, connect, sources, record, options);
  }

  async #acceptConnections(): Promise<void> {
    for (;;) {
      const connection = await this.#context.endpoint.accept();
      if (!connection) return;
      background(this.#greet(connection));
    }
  }

  /** Takes a connection that is expected, or proves a ticket; others if this peer takes offers of anyone. */
  async #greet(connection: Connection): Promise<void> {
    if (this.#context.callers.take(connection)) return;
    const granted: { serve?: (session: Session) => void } = {};
    const admit = ({ proof }: Hello, material: Uint8Array): PeerLimits => {
      const serve = this.#tickets.find(proof, material);
      if (serve) granted.serve = serve;
      else if (proof.length > 0 || !this.#context.options.onOffer) throw unknownTicket;
      const { receiveWindowBytes, maxStreams } = this.#context.tuning;
      return serve ? { receiveWindowBytes, maxStreams } : guestLimits;
    };
    const session = await Session.accept(connection, this.#sessionOptions(), admit);
    if (granted.serve) return granted.serve(session);
    this.#guests.add(session);
    this.#keep(session);
  }

  #keep(session: Session): void {
    this.#sessions.set(session.peerId, session);
    void session.ended.then(() => {
      if (this.#sessions.get(session.peerId) === session) this.#sessions.delete(session.peerId);
    });
  }

  #session(peerId: string): Session {
    const session = this.#sessions.get(peerId);
    if (session) {
      this.#guests.trust(session);
      return session;
    }
    const message = `${peerId} is not connected; call connectToPeer first`;
    throw new TransferError("PEER_UNREACHABLE", message);
  }

  #sessionOptions(): SessionOptions {
    const { clock, tuning } = this.#context;
    return {
      clock,
      helloTimeoutMs: tuning.handshakeTimeoutMs,
      sharing: tuning,
      hello: () => helloOf(this.#context, new Uint8Array()),
      onOffer: (session, offer) => this.#takeOffer(session, offer),
    };
  }

  #takeOffer(session: Session, offer: OfferMessage): void {
    const { transfer } = offer;
    const { onOffer } = this.#context.options;
    const earlier = this.#transfers.find(transfer);
    const over = earlier && this.#offeredOver.get(earlier);
    if (earlier && (over?.peerId !== session.peerId || over === session)) {
      session.closeFor(unexpected("an offer with the id of another"));
      return;
    }
    // The sender has lost a connection that this side may still believe in.
    earlier?.lose(new TransferError("CONNECTION_LOST", "the sender dialled again"));
    const answered = onOffer && this.#guests.wait(session);
    if (!onOffer || !answered) {
      const [code, reason] = onOffer ? tooManyOffers : noOffers;
      background(session.say({ type: "reject", transfer, code, reason }));
      return;
    }
    const answer = async (summary: OfferSummary) => {
      const given = await onOffer(summary);
      await earlier?.done.catch(() => {});
      answered();
      if (given) this.#guests.trust(session);
      return given;
    };
    const record = this.#transfers.add("receive", { id: transfer });
    this.#offeredOver.set(record, session);
    const work = takeOffer(this.#context, session, offer, record, answer);
    this.#transfers.run(record, work.finally(answered));
  }
}
