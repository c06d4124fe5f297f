/** One connection with its control stream: hello, messages, and streams given to their transfers. */

import { type Clock, within } from "../clock.ts";
import type { BidirectionalStream, Connection, PeerLimits } from "../engine/engine.ts";
import { errorCodes, TransferError } from "../errors.ts";
import { maxWaitingOffers } from "../options.ts";
import { wideFeature } from "../protocol/features.ts";
import { decodeMessage, encodeMessage } from "../protocol/message-codec.ts";
import type { ControlMessage, Hello } from "../protocol/messages.ts";
import type { AnswerMessage, RequestMessage } from "../protocol/request-messages.ts";
import type { Channel, Part } from "../transfer/channel.ts";
import { closeFailure, failureFor, peerFailure } from "../transfer/failure.ts";
import { Looks } from "../transfer/looks.ts";
import { readFrame } from "../transfer/progress-stream.ts";
import { Turns } from "../transfer/turns.ts";
import {
  type Greeted,
  greetWithin,
  keyingMaterial,
  openControl,
  readHello,
  sayHello,
  unheard,
} from "./greeting.ts";
import { SecondConnection, type SecondOptions } from "./second-connection.ts";
import { takeStreams } from "./streams.ts";

/** What a session needs of its peer. */
export interface SessionOptions {
  clock: Clock;
  /** How long the other side may take for its hello. */
  helloTimeoutMs: number;
  /** This side's hello, without a proof. */
  hello: Hello;
  /** The secret of the answerer's ticket, for a dialler that has one to prove. */
  secret?: Uint8Array | undefined;
  /** What is shared by the transfers of one connection. */
  sharing: SharingOptions;
  /** How it gets a second connection; null for never. @default null */
  second?: SecondOptions | null;
  /** Takes offers. */
  onOffer: (session: Session, offer: Extract<ControlMessage, { type: "offer" }>) => void;
  /** Takes requests and their answers; without it they are answered like any unknown message. */
  onRequest?: (session: Session, message: RequestMessage | AnswerMessage) => Promise<void>;
  /** Told when a first transfer begins; returns what is to be called when there is none any more. */
  onBusy?: (session: Session) => () => void;
}

/** How many transfers one connection carries, and with what room for them. */
export interface SharingOptions {
  /** Transfers that are sent at once. */
  maxMoving: number;
  /** Bytes that the peer may have sent for each transfer, and nobody has read. */
  receiveWindowBytes: number;
  streamWindowBytes: number;
  maxStreams: number;
}

/** A connection on which both sides say hello, and then all else. */
export class Session implements Channel {
  readonly connection: Connection;
  readonly greeted: Promise<Hello>;
  readonly turns: Turns;
  readonly looks: Looks;
  /** Resolves with the failure that ended it. */
  readonly ended: Promise<TransferError>;
  readonly #control: BidirectionalStream;
  readonly #options: SessionOptions;
  readonly #second: SecondConnection | null;
  /** Whether the peer was asked for a second connection. */
  #isWidening = false;
  readonly #parts = new Map<string, Part>();
  /** Transfers that are received, and the most that there were at once. */
  readonly #receiving = new Set<string>();
  #mostReceiving = 1;
  #hello: Hello;
  #onIdle: (() => void) | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(
    connection: Connection,
    control: BidirectionalStream,
    hello: Hello | Promise<Hello>,
    options: SessionOptions,
  ) {
    const { clock, sharing } = options;
    this.connection = connection;
    this.looks = new Looks(connection, clock);
    this.#control = control;
    this.#hello = hello instanceof Promise ? unheard : hello;
    this.greeted = Promise.resolve(hello);
    this.#options = options;
    const mostMoving = sharing.maxMoving;
    this.turns = new Turns({ mostMoving, mostOffers: maxWaitingOffers, clock });
    const closed = () => connection.closed().then(closeFailure);
    this.ended = this.greeted.then(closed, (error: TransferError) => error);
    void this.ended.then((error) => this.#fail(error));
    void this.#readControl().catch((error) => this.#breakOff(error));
    void takeStreams(connection, this.#parts).catch(() => {});
    const isDialler = hello instanceof Promise;
    const first = { connection, isDialler, say: this.say.bind(this), ended: this.ended };
    this.#second = options.second ? new SecondConnection(first, options.second) : null;
    void this.#second?.met.then((met) => met && this.#join(met));
  }

  /**
   * Says hello first, as the side that dialled, and does not wait for the other's: what is said next may be
   * on its way a round trip earlier.
   *
   * What went ahead of the connection ({@link Connection.early}) must have been that very hello.
   */
  static async begin(connection: Connection, options: SessionOptions): Promise<Session> {
    const { early } = connection;
    const { hello, secret } = options;
    const open = () => openControl(connection, hello, secret);
    const control = early ?? (await greetWithin(connection, options, open));
    const greeted = greetWithin(connection, options, () => readHello(control));
    greeted.catch(() => {});
    return new Session(connection, control, greeted, options);
  }

  /** {@link begin}, and waits for the other side's hello. */
  static async dial(connection: Connection, options: SessionOptions): Promise<Session> {
    const session = await Session.begin(connection, options);
    await session.greeted;
    return session;
  }

  /**
   * Answers the hello of the side that dialled; `early` is one that was answered already.
   *
   * `admit` looks at that hello and says what such a peer may send; it throws to refuse it.
   */
  static async accept(
    connection: Connection,
    options: SessionOptions,
    admit: (hello: Hello, keyingMaterial: Uint8Array) => PeerLimits,
    early: Promise<Greeted> | null = null,
  ): Promise<Session> {
    const { control, hello } = await greetWithin(connection, options, async () => {
      const answered = await early;
      const control = answered?.control ?? (await connection.acceptBidirectional());
      const hello = answered?.hello ?? (await readHello(control));
      // A stranger can send little before it has proven its right to talk, and learns nothing.
      connection.admit(admit(hello, keyingMaterial(connection)));
      if (!answered) await sayHello(control, options.hello);
      return { control, hello };
    });
    return new Session(connection, control, hello, options);
  }

  get hello(): Hello {
    return this.#hello;
  }

  get peerId(): string {
    return this.connection.peerId;
  }

  async say(message: ControlMessage): Promise<void> {
    const frame = encodeMessage(message);
    const written = this.#writing.then(() => this.#control.send.write(frame));
    this.#writing = written.catch(() => {});
    try {
      await written;
    } catch (error) {
      // Why a peer did not let this side in is more than that it does not listen.
      await this.greeted;
      throw error;
    }
  }

  join(transferId: string, part: Part): void {
    if (this.#parts.size === 0) this.#onIdle = this.#options.onBusy?.(this);
    this.#parts.set(transferId, part);
  }

  leave(transferId: string): void {
    this.#parts.delete(transferId);
    this.#receiving.delete(transferId);
    if (this.#parts.size === 0) this.#onIdle?.();
  }

  /**
   * See {@link Channel.makeRoom}: a transfer that nobody reads can fill a window, but not those of the others.
   *
   * Together they can be no larger than all streams' own windows, which is what the peer may send anyhow.
   */
  makeRoom(transferId: string): void {
    this.#receiving.add(transferId);
    if (this.#receiving.size <= this.#mostReceiving) return;
    this.#mostReceiving = this.#receiving.size;
    const { receiveWindowBytes, streamWindowBytes, maxStreams } = this.#options.sharing;
    const most = Math.max(receiveWindowBytes, maxStreams * streamWindowBytes);
    const bytes = Math.min(this.#mostReceiving * receiveWindowBytes, most);
    this.connection.admit({ receiveWindowBytes: bytes, maxStreams });
  }

  async widen(): Promise<Connection | null> {
    if (!this.#second || !this.hello.features.includes(wideFeature)) return null;
    this.#isWidening = true;
    this.#second.ask();
    return this.#second.met;
  }

  /** Takes lanes of the second connection, too. It lives as long as the first; if it is lost, so is all. */
  async #join(second: Connection): Promise<void> {
    this.looks.join(second);
    void takeStreams(second, this.#parts).catch(() => {});
    await second.closed();
    // At a good end both go, in either order.
    const late = () => closeFailure({ by: "lost", code: 0, reason: "" });
    await within(this.#options.clock, settleMs, this.ended, late).catch((error) =>
      this.fail(error),
    );
  }

  /** Ends the connection well. */
  close(): void {
    this.connection.close(0, "");
  }

  /** Ends the connection for a failure, which the peer is told; `who` is this side, as that one calls it. */
  closeFor(error: unknown, who = "the other side"): void {
    const { code, reason } = failureFor(error, who);
    this.connection.close(errorCodes[code].wire, reason);
  }

  /** Ends the connection, and the transfers over it, for a failure. */
  fail(error: unknown): void {
    this.#fail(error);
    this.closeFor(error);
  }

  async #readControl(): Promise<void> {
    this.#hello = await this.greeted;
    for (;;) {
      const body = await readFrame(this.#control.receive);
      if (body === null) return;
      const message = decodeMessage(body);
      if (message === null) await this.#sayUnknown();
      else await this.#deliver(message);
    }
  }

  #sayUnknown(): Promise<void> {
    const reason = "the message is of a type that this version does not know";
    return this.say({ type: "error", code: "INVALID_FRAME", reason });
  }

  async #deliver(message: ControlMessage): Promise<void> {
    if (message.type === "hello") {
      throw new TransferError("INVALID_FRAME", "the peer said hello twice");
    }
    if (message.type === "error") return;
    if (message.type === "widen") {
      // Who sends nothing that was accepted here, and was not asked, costs no sockets.
      const isWanted = this.#isWidening || this.#receiving.size > 0;
      if (!this.#second || !isWanted) return this.#sayUnknown();
      return this.#second.heard(message);
    }
    if ("request" in message) {
      await (this.#options.onRequest?.(this, message) ?? this.#sayUnknown());
      return;
    }
    const part = this.#parts.get(message.transfer);
    // A cancelled transfer learns of it at once, whatever it is waiting for.
    if (message.type === "cancel") {
      part?.mailbox.fail(peerFailure(message));
    } else if (message.type === "pace") part?.takePace?.(message);
    else if (part) await part.mailbox.put(message);
    else if (message.type === "offer") this.#options.onOffer(this, message);
    // Messages for a transfer that has ended on this side are late, not wrong.
  }

  /** Ends the connection for a fault of the peer. */
  #breakOff(error: unknown): void {
    if (error instanceof TransferError && error.code === "CONNECTION_LOST") return;
    this.fail(error);
  }

  #fail(error: unknown): void {
    for (const { mailbox } of this.#parts.values()) mailbox.fail(error);
  }
}

/** How long the first connection may outlive the second. */
const settleMs = 1000;
