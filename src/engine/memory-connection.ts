/** A connection between two memory endpoints. */

import { createHmac } from "node:crypto";
import { TransferError } from "../errors.ts";
import type {
  BidirectionalStream,
  CloseReason,
  Connection,
  ConnectionStats,
  ReceiveStream,
  SendStream,
} from "./engine.ts";
import type { Cuttable } from "./memory-network.ts";
import { codeOfPeer, Pipe } from "./memory-pipe.ts";
import { MemoryReceiveStream, MemorySendStream } from "./memory-stream.ts";
import { Places, Queue } from "./memory-waiting.ts";

/** What one end of a connection must be told. */
export interface ConnectionEnd {
  /** Who is at the other end, and where. */
  peerId: string;
  remoteAddress: string;
  /** This end's window for each stream that it reads. */
  streamWindowBytes: number;
  /** Streams of either kind that the other end may have open at once. */
  maxStreams: number;
  /** A secret that both ends of this connection have, and nobody else. */
  session: Uint8Array;
  /** Asks the network to carry bytes; it says how many pass. */
  carry: (bytes: number) => number;
  /** Called once, when the connection has ended. */
  onEnd: () => void;
}

/** One end of a connection; made by {@link MemoryConnection.pair}. */
export class MemoryConnection implements Connection, Cuttable {
  readonly peerId: string;
  readonly #end: ConnectionEnd;
  readonly #bidirectional = new Queue<BidirectionalStream>();
  readonly #unidirectional = new Queue<ReceiveStream>();
  readonly #openable: { bidirectional: StreamKind; unidirectional: StreamKind };
  readonly #pipes = new Set<Pipe>();
  readonly #closed = Promise.withResolvers<CloseReason>();
  #far: MemoryConnection | null = null;
  #failure: TransferError | null = null;
  #sentBytes = 0;
  #receivedBytes = 0;

  private constructor(end: ConnectionEnd, maxStreams: number) {
    this.peerId = end.peerId;
    this.#end = end;
    this.#openable = {
      bidirectional: new StreamKind(maxStreams),
      unidirectional: new StreamKind(maxStreams),
    };
  }

  /** Two ends that are joined. */
  static pair(one: ConnectionEnd, two: ConnectionEnd): [MemoryConnection, MemoryConnection] {
    const left = new MemoryConnection(one, two.maxStreams);
    const right = new MemoryConnection(two, one.maxStreams);
    left.#far = right;
    right.#far = left;
    return [left, right];
  }

  /** See {@link Connection.openBidirectional}. */
  async openBidirectional(): Promise<BidirectionalStream> {
    const kind = this.#openable.bidirectional;
    const far = await this.#place(kind);
    let halves = 2;
    const onDone = () => {
      halves -= 1;
      if (halves === 0) kind.places.free();
    };
    const there = this.#pipe(this, far, onDone);
    const back = this.#pipe(far, this, onDone);
    const announce = kind.announcer(() =>
      far.#bidirectional.push({
        send: new MemorySendStream(back, () => {}),
        receive: new MemoryReceiveStream(there),
      }),
    );
    return { send: new MemorySendStream(there, announce), receive: new MemoryReceiveStream(back) };
  }

  /** See {@link Connection.acceptBidirectional}. */
  acceptBidirectional(): Promise<BidirectionalStream> {
    return this.#bidirectional.take();
  }

  /** See {@link Connection.openUnidirectional}. */
  async openUnidirectional(): Promise<SendStream> {
    const kind = this.#openable.unidirectional;
    const far = await this.#place(kind);
    const pipe = this.#pipe(this, far, () => kind.places.free());
    const announce = kind.announcer(() => far.#unidirectional.push(new MemoryReceiveStream(pipe)));
    return new MemorySendStream(pipe, announce);
  }

  /** See {@link Connection.acceptUnidirectional}. */
  acceptUnidirectional(): Promise<ReceiveStream> {
    return this.#unidirectional.take();
  }

  /** See {@link Connection.exportKeyingMaterial}. */
  exportKeyingMaterial(label: string, context: Uint8Array): Uint8Array {
    const hmac = createHmac("sha256", this.#end.session);
    return hmac
      .update(`${Buffer.byteLength(label)}:${label}`)
      .update(context)
      .digest();
  }

  /** See {@link Connection.stats}; no packet is ever lost here, and all is there at once. */
  stats(): ConnectionStats {
    return {
      remoteAddress: this.#end.remoteAddress,
      rttMs: 0,
      congestionWindowBytes: this.#end.streamWindowBytes,
      lostPackets: 0,
      sentPackets: Math.ceil(this.#sentBytes / PACKET_BYTES),
      sentBytes: this.#sentBytes,
      receivedBytes: this.#receivedBytes,
      pathMtuBytes: PACKET_BYTES,
    };
  }

  /** See {@link Connection.closed}. */
  closed(): Promise<CloseReason> {
    return this.#closed.promise;
  }

  /** See {@link Connection.close}. */
  close(code: number, reason: string): void {
    const far = this.#far;
    this.#finish({ by: "local", code, reason });
    if (far) far.#finish({ by: "peer", code, reason });
  }

  /** See {@link Cuttable.lose}. */
  lose(): void {
    const reason: CloseReason = { by: "lost", code: 0, reason: "the network was cut" };
    const far = this.#far;
    this.#finish(reason);
    if (far) far.#finish(reason);
  }

  async #place(kind: StreamKind): Promise<MemoryConnection> {
    await kind.places.take();
    if (this.#far) return this.#far;
    throw this.#failure;
  }

  #pipe(from: MemoryConnection, to: MemoryConnection, onDone: () => void): Pipe {
    const pipe = new Pipe({
      windowBytes: to.#end.streamWindowBytes,
      carry: (wanted) => {
        const bytes = this.#end.carry(wanted);
        from.#sentBytes += bytes;
        to.#receivedBytes += bytes;
        return bytes;
      },
      onDone: () => {
        this.#pipes.delete(pipe);
        onDone();
      },
    });
    this.#pipes.add(pipe);
    return pipe;
  }

  #finish(reason: CloseReason): void {
    if (this.#failure) return;
    const failure = failureOf(reason);
    this.#failure = failure;
    this.#far = null;
    for (const pipe of [...this.#pipes]) pipe.lose(failure);
    for (const { places } of Object.values(this.#openable)) places.fail(failure);
    this.#bidirectional.end(() => Promise.reject(failure));
    this.#unidirectional.end(() => Promise.reject(failure));
    this.#closed.resolve(reason);
    this.#end.onEnd();
  }
}

/** The streams of one kind that one end opens. */
class StreamKind {
  readonly places: Places;
  readonly #hidden = new Set<() => void>();

  constructor(maxStreams: number) {
    this.places = new Places(maxStreams);
  }

  /** Makes what shows a stream to the peer; as in QUIC, the streams opened before it show up too. */
  announcer(show: () => void): () => void {
    this.#hidden.add(show);
    return () => {
      if (!this.#hidden.has(show)) return;
      for (const next of this.#hidden) {
        this.#hidden.delete(next);
        next();
        if (next === show) return;
      }
    };
  }
}

function failureOf({ by, code, reason }: CloseReason): TransferError {
  if (by === "lost") return new TransferError("CONNECTION_LOST", reason);
  if (by === "local")
    return new TransferError("CANCELLED", "the connection was closed on this side");
  const text = `the peer closed the connection with error ${code}: ${reason}`;
  return new TransferError(codeOfPeer(code), text);
}

const PACKET_BYTES = 1_200;
