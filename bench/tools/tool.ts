/** What the benchmark must know of a tool to run it. */

import type { Data } from "../data.ts";
import type { Lab } from "../lab.ts";
import type { Command, SideResult } from "../side.ts";

/** One way to bring files from one host to another. */
export interface Tool {
  /** As in `--only`. */
  name: string;
  /** As in the table. */
  title: string;
  /** What it can carry in one command. */
  carries: "file" | "folder" | "both";
  /** Whether what is on the wire is encrypted. */
  encrypts: boolean;
  /** Programs that it needs; all that are missing are named with the way to install them. */
  needs: Program[];
  /** Tells the version that is measured. */
  version(): string;
  /** Makes what all runs share (keys, configuration) below a folder. */
  prepare?(folder: string): void;
  plan(job: Job): Plan;
}

/** A program and how to get it. */
export interface Program {
  isThere(): boolean;
  install: string;
}

/** One transfer that is asked of a tool. */
export interface Job {
  data: Data;
  /** Empty folder for the copy, which gets the name that the data has. */
  into: string;
  /** The sending host's address. Its ports are free: nothing else runs there. */
  address: string;
  /** The folder that `prepare` was given. */
  folder: string;
  /** netlab's words for the wire: some tools must be told what it carries. */
  wire: readonly string[];
  /** The command to measure as quiver; undefined for this checkout's. */
  quiver: string | undefined;
  /** How quiver's sender compresses; undefined for its default. */
  compress: string | undefined;
}

/** The two commands of a transfer. The sender is started first and waits for the receiver. */
export interface Plan {
  sender: Command;
  /** What the receiver must know, as soon as it can start; undefined before. */
  ready(senderOutput: string, lab: Lab): string | undefined;
  receiver(ready: string): Command;
  /** Whether the sender is a server that does not end with the transfer. */
  staysUp?: boolean;
  /** Reads the tool's own figure of seconds from what the receiver has said. */
  ownSeconds?(receiver: SideResult): number | undefined;
}

/** The `ready` of a sender that listens on a TCP port. */
export function listening(port: number): Plan["ready"] {
  return (_, lab) => (lab.isListening("a", port) ? "" : undefined);
}
