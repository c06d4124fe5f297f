/** What is known of a connection: its counters, its limits, its end. */

/** How a connection ended. */
export interface CloseReason {
  /** `peer`: the other side closed it with `code`; `local`: this side; `lost`: time-out, reset or transport failure. */
  by: "peer" | "local" | "lost";
  /** The application's error number; 0 for `lost`. */
  code: number;
  /** Text for people; hostile when `by` is `peer`. */
  reason: string;
}

/** Counters of a connection since its start; 64-bit, bytes and milliseconds. */
export interface ConnectionStats {
  /** The selected path's far address, `ip:port`; `""` when none is known. */
  remoteAddress: string;
  /** Whether a relay carries it. */
  isRelayed: boolean;
  /** This side's address on it, without a port; `""` when none is known. */
  localAddress: string;
  rttMs: number;
  /** Bytes a second that the path carries; 0 until its start is over. */
  rateBytesPerSecond: number;
  congestionWindowBytes: number;
  /** Bytes that have arrived over the selected path. */
  deliveredBytes: number;
  /** Those of them that arrived when neither that path's window nor its pace held more back. */
  unfilledBytes: number;
  lostPackets: number;
  sentPackets: number;
  /** UDP payload bytes. */
  sentBytes: number;
  receivedBytes: number;
  /** Time since a look at the counters saw that something had come of the peer. */
  silentMs: number;
  pathMtuBytes: number;
}

/** What an earlier connection knew of a path. */
export interface PathFigures {
  /** Its round trip in milliseconds. */
  rttMs: number;
  /** Bytes a second that it carried, whole. */
  rateBytesPerSecond: number;
}

/** What a peer may send. */
export interface PeerLimits {
  /** Bytes that it may have sent and nobody has read. */
  receiveWindowBytes: number;
  /** Streams of either kind that it may have open at once. */
  maxStreams: number;
}
