/** Two hosts, their folders, and quiver's command on them. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Host, Lab } from "../../bench/lab.ts";
import type { TransferEvent } from "../../src/index.ts";
import { atEnd, type Ending } from "../ending.ts";

/** For `send`: on a wire whose bytes are counted, a file of zeros is to be as long as any other. */
export const asItIs = ["--compress", "none"];

/** What cleans up after itself: a test, or a run of the torture. */
export interface Stage extends Ending {
  diagnostic(text: string): void;
}

/** Where commands run: two hosts of a net, or twice this machine. */
export type Places = Pick<Lab, "on" | "address">;

/** A net of the test's own, in netlab's words: `hosts(t, "wan", "rate=100", "delay=20")`. */
export function hosts(t: Stage, ...wire: string[]): Lab {
  const lab = new Lab();
  atEnd(t, () => lab.down());
  lab.up(wire);
  return lab;
}

/** A folder of the test's own; in memory where that has room, as most tests are about the wire. */
export function testFolder(t: Stage, place = memoryOrDisk()): string {
  const folder = mkdtempSync(join(place, "quiver-netlab-"));
  atEnd(t, () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Bytes that are free in a folder. */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

function memoryOrDisk(): string {
  try {
    return freeBytes("/dev/shm") > 4 * 2 ** 30 ? "/dev/shm" : tmpdir();
  } catch {
    return tmpdir();
  }
}

/** The two commands of one transfer. */
export interface Pair {
  sender: Quiver;
  receiver: Quiver;
  /** The receiver's target folder. */
  into: string;
}

/** What a test can say about the two commands. */
export interface PairOptions {
  path: string;
  /** The folder that `into` and both identities are made in. */
  folder: string;
  sendFlags?: string[];
  receiveFlags?: string[];
}

/** Starts `quiver send` on host a and `quiver receive` on host b, as two people would. */
export async function startPair(lab: Lab, options: PairOptions): Promise<Pair> {
  const { path, folder, sendFlags = [], receiveFlags = [] } = options;
  const into = join(folder, "into");
  mkdirSync(into);
  const sender = new Quiver(lab, "a", join(folder, "home-a"), [
    ...["send", path, "--json", ...asItIs, "--listen", `${lab.address("a")}:0`, ...sendFlags],
  ]);
  const { ticket } = await sender.event("ready");
  const receiver = new Quiver(lab, "b", join(folder, "home-b"), [
    ...["receive", "-", "--into", into, "--yes", "--json", ...receiveFlags],
  ]);
  receiver.type(`${ticket}\n`);
  return { sender, receiver, into };
}

/** Starts a transfer and waits until both commands have ended. */
export async function runPair(lab: Lab, options: PairOptions): Promise<Pair> {
  const pair = await startPair(lab, options);
  await Promise.all([pair.sender.exit, pair.receiver.exit]);
  return pair;
}

/** Everything below a folder, hidden things included. */
export function everythingIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" });
}

type EventOf<Type> = Extract<TransferEvent, { type: Type }>;

/** A running `quiver … --json`. */
export class Quiver {
  /** Resolves with the exit status. */
  readonly exit: Promise<number>;
  readonly events: TransferEvent[] = [];
  /** What people would read. */
  errors = "";
  #child: ChildProcess;
  readonly #heardMs = new Map<TransferEvent, number>();
  #rest: string[] = [];
  #hasEnded = false;

  /** `by` are words before the command, such as those that limit it; each must become the next. */
  constructor(places: Places, host: Host, home: string, args: string[], by: string[] = []) {
    // `ip netns exec` becomes the command, so that a signal to the child is one to quiver.
    const [program = "", ...words] = [...places.on(host), ...by, process.execPath, main, ...args];
    const env = { ...process.env, QUIVER_HOME: home, NO_COLOR: "1" };
    this.#child = spawn(program, words, { env, stdio: "pipe" });
    this.#child.stdout?.setEncoding("utf8").on("data", (text) => this.#read(text));
    this.#child.stderr?.setEncoding("utf8").on("data", (text) => {
      this.errors += text;
    });
    this.exit = new Promise((resolve, reject) => {
      this.#child.on("error", reject);
      this.#child.on("close", (code, signal) => {
        this.#hasEnded = true;
        resolve(code ?? 128 + constants.signals[signal ?? "SIGKILL"]);
      });
    });
  }

  /** The process, for signals and for `/proc`. */
  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Writes to standard input and ends it. */
  type(text: string): void {
    this.#child.stdin?.end(text);
  }

  /** What Ctrl-C does. */
  interrupt(): void {
    this.signal("SIGINT");
  }

  /** Sends a signal. */
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Closes what it writes to, as a reader does that goes away. */
  deafen(): void {
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.exit;
  }

  /** When an event came, by this process's clock. */
  heardAt(event: TransferEvent): number {
    return this.#heardMs.get(event) ?? Number.NaN;
  }

  /** Whether an event of a kind has come. */
  has(type: TransferEvent["type"]): boolean {
    return this.events.some((event) => event.type === type);
  }

  /** Waits for the first event of a kind that also `fits`. */
  async event<Type extends TransferEvent["type"]>(
    type: Type,
    fits: (event: EventOf<Type>) => boolean = () => true,
  ): Promise<EventOf<Type>> {
    const isIt = (event: TransferEvent): event is EventOf<Type> => {
      return event.type === type && fits(event as EventOf<Type>);
    };
    for (let waited = 0; waited < eventMs; waited += pollMs) {
      const found = this.events.find(isIt);
      if (found) return found;
      if (this.#hasEnded) break;
      await pause(pollMs);
    }
    throw new Error(`no ${type} event came; ${this.said}`);
  }

  /** What the command told in the end, for messages of assertions. */
  get said(): string {
    const last = JSON.stringify(this.events.at(-1))?.slice(0, 2000);
    return `last event ${last}; errors: ${this.errors.slice(-500)}`;
  }

  #read(text: string): void {
    // A receipt of a million files is one line: what has come of it is not looked at again.
    const [more = "", ...lines] = text.split("\n");
    this.#rest.push(more);
    for (const next of lines) {
      const line = this.#rest.join("");
      this.#rest = [next];
      const event = JSON.parse(line) as TransferEvent;
      this.#heardMs.set(event, performance.now());
      this.events.push(event);
    }
  }
}

const main = join(import.meta.dirname, "..", "..", "src", "cli", "main.ts");
const eventMs = 120_000;
const pollMs = 10;

/** The longest time without another byte proven. */
export function longestStallMs(receiver: Quiver): number {
  const times: number[] = [];
  let bytes = -1;
  for (const event of receiver.events) {
    if (event.type !== "progress" || event.bytes === bytes) continue;
    bytes = event.bytes;
    times.push(receiver.heardAt(event));
  }
  return Math.max(...times.map((ms, at) => ms - (times[at - 1] ?? ms)));
}
