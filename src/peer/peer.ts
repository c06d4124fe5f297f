/** A running participant: an endpoint, its connections, and the transfers over them. */

import { randomBytes } from "node:crypto";
import { systemClock } from "../clock.ts";
import type { Connection } from "../engine/engine.ts";
import { openNativeEngine } from "../engine/native.ts";
import { TransferError } from "../errors.ts";
import { defaultTuning } from "../options.ts";
import type { Direction, Logger, Receipt, TransferProgress } from "../transfer/events.ts";
import type { OfferMessage } from "../transfer/incoming.ts";
import { LogLines } from "../transfer/log-lines.ts";
import { Source } from "../transfer/source.ts";
import { type Transfer, TransferRecord } from "../transfer/transfer.ts";
import { unexpected } from "../transfer/unexpected.ts";
import { parseAddress } from "./addresses.ts";
import { background, bindEndpoint, dialPeer, helloOf, type PeerContext } from "./context.ts";
import { loadIdentity } from "./identity.ts";
import type { PeerOptions, ReceiveOptions, SendOptions } from "./peer-options.ts";
import { receiveTicket, takeOffer } from "./receiving.ts";
import { sendOver, serveTicket } from "./sending.ts";
import { Session, type SessionOptions } from "./session.ts";
import { Tickets } from "./tickets.ts";

/** A participant. */
export class Peer {
  readonly #context: PeerContext;
  readonly #tickets = new Tickets(systemClock);
  /** Connections made for {@link Peer.connectToPeer} or by others, by peer id. */
  readonly #sessions = new Map<string, Session>();
  /** Looked up by the id that each has now: a receiver learns the sender's with the offer. */
  readonly #transfers = new Set<TransferRecord>();
  readonly #working = new Set<Promise<unknown>>();
  #isStarted = false;

  private constructor(context: PeerContext) {
    this.#context = context;
  }

  /**
   * Binds the endpoint.
   *
   * @throws {TransferError} `ADDRESS_IN_USE`, `INVALID_ARGUMENT`, or `DISK_*` for the identity.
   */
  static async open(options: PeerOptions = {}): Promise<Peer> {
    const tuning = { ...defaultTuning, ...options.tuning };
    const listen = options.listen === undefined ? undefined : [parseAddress(options.listen)];
    const { workerThreads } = tuning;
    const engine = options.engine ?? openNativeEngine({ workerThreads });
    const identity = options.identity ?? (await loadIdentity());
    const endpoint = await bindEndpoint(engine, identity, tuning, listen);
    return new Peer({ options, tuning, engine, endpoint, clock: systemClock });
  }

  /** The public key, 64 lower-case hex digits. */
  get peerId(): string {
    return this.#context.endpoint.peerId;
  }

  /** The addresses it listens on, `ip:port`. */
  get addresses(): readonly string[] {
    return this.#context.endpoint.addresses;
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
    const session = this.#session(peerId);
    const source = await Source.open(this.#context.engine, [path]);
    const record = this.#record("send", options);
    const work = sendOver(this.#context, session, source, record, { targetDir });
    this.#run(
      record,
      work.finally(() => source.close()),
    );
    return record.id;
  }

  /** How far a transfer of this peer is; undefined for an id that it does not know. */
  getTransferProgress(transferId: string): TransferProgress | undefined {
    return this.getTransfer(transferId)?.progress();
  }

  /** A transfer of this peer, its own or an incoming one. */
  getTransfer(transferId: string): Transfer | undefined {
    for (const record of this.#transfers) if (record.id === transferId) return record;
    return undefined;
  }

  /**
   * Sends files and folders: to a connected peer, or to whoever gets the ticket of the `ready` event.
   *
   * The transfer's `done` rejects with `DISK_*`, `PEER_*`, `CONNECTION_LOST`, or the signal's reason.
   */
  send(paths: string | readonly string[], options: SendOptions = {}): Transfer {
    const record = this.#record("send", { signal: options.signal });
    const list = typeof paths === "string" ? [paths] : paths;
    this.#run(record, this.#sendPaths(list, record, options));
    return record;
  }

  /** Receives what a ticket points to. `done` rejects like that of {@link Peer.send}. */
  receive(ticket: string, options: ReceiveOptions = {}): Transfer {
    const record = this.#record("receive", { signal: options.signal });
    this.#run(record, receiveTicket(this.#context, ticket, record, options));
    return record;
  }

  /** Ends all transfers and connections and frees the port. */
  async close(): Promise<void> {
    for (const record of this.#transfers) record.cancel();
    await Promise.all(this.#working);
    await this.#context.endpoint.close();
  }

  async #sendPaths(
    paths: readonly string[],
    record: TransferRecord,
    options: SendOptions,
  ): Promise<Receipt> {
    const session = options.to === undefined ? null : this.#session(options.to);
    const source = await Source.open(this.#context.engine, paths);
    try {
      if (session) return await sendOver(this.#context, session, source, record, options);
      await this.start();
      return await serveTicket(this.#context, this.#tickets, source, record, options);
    } finally {
      await source.close();
    }
  }

  async #acceptConnections(): Promise<void> {
    for (;;) {
      const connection = await this.#context.endpoint.accept();
      if (!connection) return;
      background(this.#greet(connection));
    }
  }

  /** Takes a connection: its hello must prove a ticket, or this peer must take offers of anyone. */
  async #greet(connection: Connection): Promise<void> {
    const granted: { serve?: (session: Session) => void } = {};
    const session = await Session.accept(connection, {
      ...this.#sessionOptions(),
      check: ({ proof }, material) => {
        const serve = this.#tickets.find(proof, material);
        if (serve) granted.serve = serve;
        else if (proof.length > 0 || !this.#context.options.onOffer) throw unknownTicket;
      },
    });
    if (granted.serve) granted.serve(session);
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
    const message = `${peerId} is not connected; call connectToPeer first`;
    throw new TransferError("PEER_UNREACHABLE", message);
  }

  #sessionOptions(): SessionOptions {
    const { clock, tuning } = this.#context;
    return {
      clock,
      helloTimeoutMs: tuning.handshakeTimeoutMs,
      hello: () => helloOf(this.#context, new Uint8Array()),
      onOffer: (session, offer) => this.#takeOffer(session, offer),
    };
  }

  #takeOffer(session: Session, offer: OfferMessage): void {
    const { transfer } = offer;
    const { onOffer } = this.#context.options;
    if (!onOffer) {
      const reason = "the peer takes no offers without a ticket";
      background(session.say({ type: "reject", transfer, code: "PEER_REJECTED", reason }));
    } else if (this.getTransfer(transfer)) {
      session.closeFor(unexpected("an offer with the id of another"));
    } else {
      const record = this.#record("receive", { id: transfer });
      this.#run(record, takeOffer(this.#context, session, offer, record, onOffer));
    }
  }

  #record(direction: Direction, given: { id?: string; signal?: AbortSignal } = {}): TransferRecord {
    const id = given.id ?? randomBytes(16).toString("hex");
    const record = new TransferRecord(direction, id, given.signal);
    this.#transfers.add(record);
    const { logger } = this.#context.options;
    if (logger) background(logEvents(record, logger));
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

async function logEvents(record: TransferRecord, logger: Logger): Promise<void> {
  const lines = new LogLines();
  for await (const event of record) {
    for (const line of lines.linesOf(event, systemClock.now())) logger.info(line);
  }
}

const unknownTicket = new TransferError(
  "PEER_REJECTED",
  "the ticket is not known to the sender: it was used, has expired, or is of another run; ask for a new one",
);
