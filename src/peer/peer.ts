/** A running participant: an endpoint, its connections, and the transfers over them. */

import { systemClock } from "../clock.ts";
import { openNativeEngine } from "../engine/native.ts";
import { defaultTuning } from "../options.ts";
import { requestsFeature } from "../protocol/features.ts";
import type { ListedEntry } from "../protocol/request-messages.ts";
import { requireCompression } from "../transfer/compression.ts";
import type { Receipt, TransferProgress } from "../transfer/events.ts";
import type { Preflight } from "../transfer/preflight.ts";
import type { Transfer, TransferRecord } from "../transfer/transfer.ts";
import { AddressBook } from "./address-book.ts";
import { parseAddress, reachableAddresses } from "./addresses.ts";
import { Answers } from "./answering.ts";
import { Callers } from "./callers.ts";
import { Connections } from "./connections.ts";
import { background, bindEndpoint, type PeerContext, sessionSettings } from "./context.ts";
import { acceptConnections, acceptEarlyCalls } from "./door.ts";
import { Guests } from "./guests.ts";
import { configurationFolder, loadIdentity } from "./identity.ts";
import { KnownPaths } from "./known-paths.ts";
import { Limits } from "./limits.ts";
import { Offers } from "./offers.ts";
import type { PeerOptions, ReceiveOptions, SendOptions } from "./peer-options.ts";
import { lookAtTicket, type PreflightOptions } from "./preflight.ts";
import { receiveTicket } from "./receiving.ts";
import { Requests } from "./requesting.ts";
import { openSources, type Sendable } from "./sendable.ts";
import { type Sender, sendByTicket, sendTo } from "./sends.ts";
import type { SessionOptions } from "./session.ts";
import { type Share, type ShareOptions, Shares } from "./shares.ts";
import { Tickets } from "./tickets.ts";
import { TransferList } from "./transfer-list.ts";
import { receiveFrom } from "./waiting.ts";

/** A participant. */
export class Peer {
  readonly #context: PeerContext;
  readonly #tickets: Tickets;
  readonly #guests: Guests;
  readonly #connections: Connections;
  readonly #transfers: TransferList;
  readonly #offers: Offers;
  readonly #shares: Shares;
  readonly #answers: Answers;
  readonly #requests: Requests;
  #isStarted = false;

  private constructor(context: Omit<PeerContext, "callers">) {
    const callers = new Callers(() => background(this.start()));
    this.#context = { ...context, callers };
    this.#tickets = new Tickets(context.clock, (bytes) => context.engine.random(bytes));
    this.#guests = new Guests(context.tuning);
    this.#connections = new Connections(this.#context, this.#guests, () => this.#sessionOptions());
    this.#transfers = new TransferList(context.engine, context.clock, context.options.logger);
    this.#offers = new Offers(this.#context, this.#transfers, this.#guests);
    this.#shares = new Shares(this.#context);
    this.#answers = new Answers(this.#context, this.#shares, this.#transfers);
    this.#requests = new Requests(this.#context, this.#connections, this.#offers);
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
    const { clock = systemClock } = options;
    const engine = options.engine ?? openNativeEngine(tuning);
    const limits = new Limits(engine, clock, options);
    const identity = options.identity ?? (await loadIdentity());
    const endpoint = await bindEndpoint(engine, identity, tuning, listen);
    const { pathsFolder = options.identity ? undefined : configurationFolder() } = options;
    const knownPaths = pathsFolder === undefined ? null : new KnownPaths(pathsFolder, clock);
    const book = options.addressBook ?? new AddressBook(options.identity ? null : undefined);
    const parts = { options, tuning, engine, endpoint, clock, identity, book, knownPaths, limits };
    return new Peer(parts);
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

  /** The addresses under which others may reach it: for an unspecified one those of all network cards. */
  get reachableAddresses(): string[] {
    return reachableAddresses(this.addresses);
  }

  /** The names that this user gives to peers. */
  get peers(): AddressBook {
    return this.#context.book;
  }

  /** Begins to take connections. Twice is fine. */
  async start(): Promise<void> {
    if (this.#isStarted) return;
    this.#isStarted = true;
    const house = {
      ...this.#sender,
      guests: this.#guests,
      isKnown: (peerId: string) => this.#offers.isExpected(peerId) || this.#shares.isReader(peerId),
      sessionOptions: () => this.#sessionOptions(),
    };
    background(acceptConnections(house));
    background(acceptEarlyCalls(house));
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
    await this.#connections.dial(peerId, [parseAddress(address)], options.signal);
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
    this.#connections.find(peerId);
    const sources = await openSources(this.#context, path);
    const record = this.#transfers.add("send", options);
    const sending = { peerId, record, options: { targetDir } };
    this.#transfers.run(record, sendTo(this.#sender, sources, sending));
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
   * Sends files and folders, or a stream as one file, or with `text` a text alone: to a known or connected
   * peer, or to whoever gets the ticket of the `ready` event.
   *
   * A stream goes to one receiver and is read as it keeps up. It outlives a lost connection, not this process.
   *
   * The transfer's `done` rejects with `DISK_*`, `PEER_*`, `CONNECTION_LOST`, or the signal's reason.
   */
  send(what: Sendable, options: SendOptions = {}): Transfer {
    const record = this.#transfers.add("send", options);
    this.#transfers.run(record, this.#send(what, record, options));
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

  /**
   * Receives the next offer that one of some peers makes: names, or peer ids. Others are not let in.
   *
   * Begins to take connections. `done` rejects like that of {@link Peer.send}.
   */
  receiveFrom(peers: readonly string[], options: ReceiveOptions = {}): Transfer {
    const record = this.#transfers.add("receive", options);
    const receive = async () => {
      const peerIds = new Set(peers.map((peer) => this.#connections.identify(peer)));
      await this.start();
      return receiveFrom(this.#context, this.#offers, { peerIds, record, options });
    };
    this.#transfers.run(record, receive());
    return record;
  }

  /**
   * Receives files and folders that a known peer shares, each as `SHARE` or `SHARE/PATH`.
   *
   * Calling it again with the same arguments continues where the last call stopped. `done` rejects like
   * that of {@link Peer.send}, and with `DISK_MISSING`, `DISK_DENIED` or `NAME_REFUSED` for a path that
   * is not given.
   */
  request(from: string, paths: string | readonly string[], options: ReceiveOptions = {}): Transfer {
    const record = this.#transfers.add("receive", options);
    const list = typeof paths === "string" ? [paths] : paths;
    const get = async () => {
      const peerId = this.#connections.identify(from);
      return this.#requests.get(peerId, list, { record, options });
    };
    this.#transfers.run(record, get());
    return record;
  }

  /**
   * Lists what a known peer shares with this one: its shares, or what is in a folder of one of them.
   *
   * @throws {TransferError} like {@link Peer.request}, when the list is iterated.
   */
  list(
    from: string,
    path = "",
    options: { signal?: AbortSignal } = {},
  ): AsyncGenerator<ListedEntry> {
    return this.#requests.list(from, path, options.signal);
  }

  /**
   * Lets some known peers read a folder until the share or the peer is closed, and takes connections.
   *
   * @throws {TransferError} `DISK_*`, or `INVALID_ARGUMENT` for a name that nobody has or can have.
   */
  async share(folder: string, options: ShareOptions = {}): Promise<Share> {
    const readers = new Set((options.peers ?? []).map((one) => this.#connections.identify(one)));
    await this.start();
    return this.#shares.open(folder, readers, options);
  }

  /** Ends all transfers and connections and frees the port. */
  async close(): Promise<void> {
    await this.#shares.close();
    await this.#transfers.cancelAll();
    this.#context.limits.close();
    await this.#context.endpoint.close();
    // One that was given is its owner's to close.
    if (!this.#context.options.addressBook) this.#context.book.close();
  }

  async #send(what: Sendable, record: TransferRecord, options: SendOptions): Promise<Receipt> {
    requireCompression(options.compress);
    const { to } = options;
    const peerId = to === undefined ? null : this.#connections.identify(to);
    const sources = await openSources(this.#context, what, options);
    if (peerId !== null) return sendTo(this.#sender, sources, { peerId, record, options });
    await this.start();
    return sendByTicket(this.#sender, sources, { record, options });
  }

  get #sender(): Sender {
    return { context: this.#context, tickets: this.#tickets, connections: this.#connections };
  }

  #sessionOptions(): SessionOptions {
    return {
      ...sessionSettings(this.#context, { features: [requestsFeature] }),
      onOffer: (session, offer) => this.#offers.take(session, offer),
      onBusy: (session) => this.#connections.watch(session),
      onRequest: async (session, message) => {
        if (message.type === "list" || message.type === "get") {
          await this.#answers.answer(session, message);
        } else this.#requests.take(session, message);
      },
    };
  }
}
