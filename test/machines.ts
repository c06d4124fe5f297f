/** Machines on a memory network whose process can be killed, or whose power can be cut, at any moment. */

import { hash } from "node:crypto";
import type { MemoryNetwork } from "../src/engine/memory.ts";
import { DiskRecording } from "../src/engine/memory-crash.ts";
import { MemoryDisk } from "../src/engine/memory-disk.ts";
import { Peer, type PeerOptions } from "../src/index.ts";
import { temporaryIdentity } from "../src/peer/identity.ts";
import { smallTables } from "./peers.ts";

/** One machine with one peer: always the same identity, at the same address. */
export class Machine {
  readonly #network: MemoryNetwork;
  readonly #options: PeerOptions;
  readonly #watchers: ((disk: MemoryDisk) => void)[] = [];
  readonly #dying: Promise<void>[] = [];
  #disk = new MemoryDisk();
  #recording = new DiskRecording(this.#disk);
  #peer: Peer | null = null;

  constructor(network: MemoryNetwork, options: PeerOptions & { listen: string }) {
    this.#network = network;
    this.#options = {
      identity: temporaryIdentity(),
      tuning: smallTables,
      inbox: "/home/inbox",
      ...options,
    };
    this.#disk.folder("/home/inbox");
  }

  /** What is on the disk; another object after each end of the process. */
  get disk(): MemoryDisk {
    return this.#disk;
  }

  get peer(): Peer {
    if (this.#peer) return this.#peer;
    throw new Error("the machine does not run");
  }

  get isRunning(): boolean {
    return this.#peer !== null;
  }

  /** Calls `watcher` with the disk of the process that runs and of each that is started later. */
  whenStarted(watcher: (disk: MemoryDisk) => void): void {
    this.#watchers.push(watcher);
    if (this.#peer) watcher(this.#disk);
  }

  /** Starts the process, once the one before it is gone. */
  async start(): Promise<Peer> {
    await Promise.all(this.#dying.splice(0));
    this.#recording = new DiskRecording(this.#disk);
    for (const watcher of this.#watchers) watcher(this.#disk);
    const engine = this.#network.engine("machine", this.#disk);
    this.#peer = await Peer.open({ ...this.#options, engine });
    return this.#peer;
  }

  /** Ends the process now, as SIGKILL does. The network is cut until somebody mends it. */
  kill(): void {
    this.#end(0, 0);
  }

  /** Cuts the power now; the seed says what the disk keeps of what was not synced. */
  crash(seed: number): void {
    this.#end(seed, anyVariant);
  }

  /** Ends the process as it should. */
  async stop(): Promise<void> {
    await Promise.all([...this.#dying.splice(0), this.#peer?.close()]);
    this.#peer = null;
  }

  #end(seed: number, variant: number): void {
    if (!this.#peer) return;
    const { point } = this.#recording;
    const states = [...this.#recording.crashStates({ seed, perPoint: variant + 1, point })];
    this.#disk = states.at(-1)?.disk ?? this.#disk;
    this.#network.cut();
    // What the old process still does, it does to a disk and a network that nobody has any more.
    this.#dying.push(this.#peer.close());
    this.#peer = null;
  }
}

/** What is below a folder, a line for each thing; of a link that is its text. */
export function linesOf(disk: MemoryDisk, folder: string): string[] {
  if (!disk.stat(folder)) return [];
  return disk.tree(folder).map(({ path, kind, mode, mtimeMs, bytes, target }) => {
    if (kind === "link") return `${path} -> ${target}`;
    const about = `${path} ${kind} 0o${mode.toString(8)} ${mtimeMs}`;
    return kind === "folder" ? about : `${about} ${bytes.length} bytes ${hash("sha256", bytes)}`;
  });
}

/** A state that is left to chance; see `CrashState.variant`. */
const anyVariant = 2;
