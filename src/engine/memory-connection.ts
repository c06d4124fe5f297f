/** A connection between two memory endpoints. */

import { createHmac } from "node:crypto";
import { TransferError } from "../errors.ts";
import type {
  BidirectionalStream,
  CloseReason,
  Connection,
  ConnectionStats,
  PathFigures,
  PeerLimits,
  ReceiveStream,
  SendStream,
} from "./engine.ts";
import type { Cuttable } from "./memory-network.ts";
import { codeOfPeer, Pipe } from "./memory-pipe.ts";
import { MemoryReceiveStream, MemorySendStream } from "./memory-stream.ts";
import { Places, Queue } from "./memory-waiting.ts";

/** What one end lets the other do: bytes that wait, and open streams of each kind. */
export interface Allowance {
  windowBytes: number;
  bidirectional: number;
  unidirectional: number;
}

/** What one end of a connection must be told. */
export interface ConnectionEnd {
  /** Who is at the other end, and where. */
  peerId: string;
  remoteAddress: string;
  /** This end's window for each stream that it reads. */
  streamWindowBytes: number;
  /** What the other end may send at first. */
  allowance: Allowance;
  /** A secret that both ends of this connection have, and nobody else. */
  session: Uint8Array;
  /** Asks the network to carry bytes; it says how many pass. */
  carry: (bytes: number) => number;
  /** The time in milliseconds. */
  now: () => number;
  /** Called once, when the connection has ended. */
  onEnd: () => void;
}

/** One end of a connection; made by {@link MemoryConnection.pair}. */
export class MemoryConnection implements Connection, Cuttable {
  readonly peerId: string;
  /** See {@link Connection.early}; set by the endpoint. */
  early: BidirectionalStream | null = null;
  readonly #end: ConnectionEnd;
  readonly #bidirectional = new Queue<BidirectionalStream>();
  readonly #unidirectional = new Queue<ReceiveStream>();
  readonly #openable: { bidirectional: StreamKind; unidirectional: StreamKind };
  /** The pipes of the streams that this end opened, each with the end that writes. */
  readonly #pipes = new Map<Pipe, MemoryConnection>();
  readonly #closed = Promise.withResolvers<CloseReason>();
  /** Bytes that may wait at this end for its reader. */
  #windowBytes: number;
  #far: MemoryConnection | null = null;
  #failure: TransferError | null = null;
  #rateBytesPerSecond = 0;
  #sentBytes = 0;
  #receivedBytes = 0;

  private constructor(end: ConnectionEnd, far: ConnectionEnd) {
    this.peerId = end.peerId;
    this.#end = end;
    this.#windowBytes = end.allowance.windowBytes;
    const { bidirectional, unidirectional } = far.allowance;
    this.#openable = {
      bidirectional: new StreamKind(bidirectional),
      unidirectional: new StreamKind(unidirectional),
    };
  }

  /** Two ends that are joined. */
  static pair(one: ConnectionEnd, two: ConnectionEnd): [MemoryConnection, MemoryConnection] {
    const left = new MemoryConnection(one, two);
    const right = new MemoryConnection(two, one);
    left.#far = right;
    right.#far = left;
    return [left, right];
  }

  /** See {@link Connection.admit}. */
  admit({ receiveWindowBytes, maxStreams }: PeerLimits): void {
    this.#windowBytes = receiveWindowBytes;
    const far = this.#far;
    if (!far) return;
    for (const { places } of Object.values(far.#openable)) places.resize(maxStreams);
    for (const pipe of [...this.#pipes.keys(), ...far.#pipes.keys()]) pipe.widen();
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

  /** See {@link Connection.knowPath}; here a path that is known carries what it carried, and no other has a rate. */
  knowPath({ rateBytesPerSecond }: PathFigures): void {
    this.#rateBytesPerSecond ||= rateBytesPerSecond;
  }

  /** See {@link Connection.stats}; nothing is lost or late here, no path is ever full, and no peer falls silent. */
  stats(): ConnectionStats {
    return {
      remoteAddress: this.#end.remoteAddress,
      isRelayed: false,
      localAddress: "127.0.0.1",
      rttMs: 0,
      rateBytesPerSecond: this.#rateBytesPerSecond,
      congestionWindowBytes: this.#end.streamWindowBytes,
      deliveredBytes: this.#sentBytes,
      unfilledBytes: this.#sentBytes,
      lostPackets: 0,
      sentPackets: Math.ceil(this.#sentBytes / PACKET_BYTES),
      sentBytes: this.#sentBytes,
      receivedBytes: this.#receivedBytes,
      silentMs: 0,
      pathMtuBytes: PACKET_BYTES,
    };
  }

  /** See {@link Connection.closed}. */
  closed(): Promise<CloseReason> {
    return this.#closed.promise;
  }

  /** See {@link Connection.close}. */
  close(code: number, reason: string): void {
    this.#endBoth({ by: "local", code, reason }, { by: "peer", code, reason });
  }

  /** See {@link Cuttable.lose}. */
  lose(): void {
    const reason: CloseReason = { by: "lost", code: 0, reason: "the network was cut" };
    this.#endBoth(reason, reason);
  }

  async #place(kind: StreamKind): Promise<MemoryConnection> {
    await kind.places.take();
    if (this.#far) return this.#far;
    throw this.#failure;
  }

  #pipe(from: MemoryConnection, to: MemoryConnection, onDone: () => void): Pipe {
    const pipe = new Pipe({
      now: this.#end.now,
      windowBytes: () => Math.min(to.#end.streamWindowBytes, to.#windowBytes),
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
    this.#pipes.set(pipe, from);
    return pipe;
  }

  /** Ends this end for one reason and the other for another; the first call counts. */
  #endBoth(hereFor: CloseReason, thereFor: CloseReason): void {
    const there = this.#far;
    if (!there) return;
    const [here, far] = [failureOf(hereFor), failureOf(thereFor)];
    for (const [pipe, from] of [...this.#pipes, ...there.#pipes]) {
      pipe.lose(from === this ? { writer: here, reader: far } : { writer: far, reader: here });
    }
    this.#finish(hereFor, here);
    there.#finish(thereFor, far);
  }

  #finish(reason: CloseReason, failure: TransferError): void {
    this.#failure = failure;
    this.#far = null;
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
