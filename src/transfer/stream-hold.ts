/**
 * What a stream has brought, held from one connection to the next.
 *
 * Not for another process: the sender has let go of what was proven, and nothing else has the rest.
 */

import type { Folder } from "../engine/engine.ts";
import { TransferError } from "../errors.ts";
import type { BoundShare } from "./events.ts";
import type { Landed } from "./receipt-writer.ts";
import { type Reception, removeReception } from "./reception.ts";

/** A stream that has come in part. */
export interface HeldStream {
  transferId: string;
  reception: Reception;
  /** The folder where it lands; closed with it. */
  target: Folder;
}

/** A stream that has landed, while its sender may not know it. */
export interface LandedStream {
  landed: Landed;
  seconds: number;
  /** The folder where it landed. */
  into: string;
  wireBytes: number;
  bounds: BoundShare[];
}

/** Holds one stream at most. */
export class StreamHold {
  #held: HeldStream | null = null;
  #landed: LandedStream | null = null;

  /** Holds what has come. */
  keep(held: HeldStream): void {
    this.#held = held;
  }

  /** Remembers what has landed. */
  land(landed: LandedStream): void {
    this.#landed = landed;
  }

  /** What has landed of a transfer; null for another one. */
  landed(transferId: string): LandedStream | null {
    return this.#landed?.landed.transferId === transferId ? this.#landed : null;
  }

  /** Gives up what is held of a transfer; of another one it goes. */
  async take(transferId: string): Promise<HeldStream | null> {
    const held = this.#held;
    if (held?.transferId !== transferId) await this.leave();
    this.#held = null;
    return held?.transferId === transferId ? held : null;
  }

  /** A lost connection, where that is the end of what is held; null for all else. */
  explain(error: unknown): TransferError | null {
    if (!this.#held || !(error instanceof TransferError)) return null;
    if (error.code !== "CONNECTION_LOST" && error.code !== "PEER_UNREACHABLE") return null;
    const what = "what came of the stream is removed: only the process that sent it could go on";
    return new TransferError(error.code, `${error.message}; ${what}`, { cause: error });
  }

  /** Removes what is held. */
  async leave(): Promise<void> {
    const held = this.#held;
    this.#held = null;
    if (!held) return;
    await removeReception(held.reception).finally(() => held.target.close());
  }
}
