/** What a transfer needs of the session that carries it. */

import type { Connection, ReceiveStream } from "../engine/engine.ts";
import type { LaneHeader } from "../protocol/lane.ts";
import type { ControlMessage, Hello } from "../protocol/messages.ts";
import type { Looks } from "./looks.ts";
import type { Mailbox } from "./mailbox.ts";
import type { PaceMessage } from "./pacing.ts";
import type { Turns } from "./turns.ts";

/** One connection with its control stream, on which this side has said hello. */
export interface Channel {
  readonly connection: Connection;
  /** Its counters, and those of a second connection. */
  readonly looks: Looks;
  readonly peerId: string;
  /** Whose turn it is to send over this connection. */
  readonly turns: Turns;
  /** What the peer says first. Rejects with why it did not, and the channel has ended then. */
  readonly greeted: Promise<Hello>;
  /** That, once it has come; until then that of a peer of whom nothing is known. */
  readonly hello: Hello;
  /** Sends a message; resolves when the stream has taken it. */
  say(message: ControlMessage): Promise<void>;
  /** Gives a transfer the messages and streams that name its id. */
  join(transferId: string, part: Part): void;
  leave(transferId: string): void;
  /** Lets the peer send more at once, for one more transfer that was accepted. */
  makeRoom(transferId: string): void;
  /** A second connection for lanes, made once for all transfers; null where there can be none. */
  widen(): Promise<Connection | null>;
}

/** A transfer's part in a session. */
export interface Part {
  readonly mailbox: Mailbox<ControlMessage>;
  /** Takes what the peer says of the transfer's pace, whatever the transfer is at. */
  takePace?(message: PaceMessage): void;
  /** Takes a lane of the transfer, after its header. `format` may be one that nobody knows. */
  takeLane?(format: number, header: LaneHeader, stream: ReceiveStream): Promise<void>;
  /** Takes the progress stream of the transfer, after its header. */
  takeProgress?(stream: ReceiveStream): Promise<void>;
}
