/**
 * Transfers in which everything goes wrong that chance can think of, until they are done.
 *
 * Two machines on the memory engine: the cable is cut, processes are killed, the power goes, disks
 * fail, sources change. Whatever ended is started again; at the end everything must be there, once.
 * The same seed makes the same case.
 */

import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { createMemoryNetwork, type MemoryNetwork } from "../src/engine/memory.ts";
import type { DiskOperation, MemoryDisk } from "../src/engine/memory-disk.ts";
import { type Receipt, type Transfer, TransferError } from "../src/index.ts";
import { maxContentBytes } from "../src/protocol/limits.ts";
import { Random } from "./fuzz/random.ts";
import { linesOf, Machine } from "./machines.ts";
import { smallTables, ticketOf } from "./peers.ts";
import { type Cargo, change, expected, faultIn, filesIn, load } from "./simulation-tree.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** What to simulate. */
export interface SimulationOptions {
  /** The first case; those that follow have the next numbers. */
  seed: number;
  /** No case begins after this time of `performance.now()`; one always does. */
  untilMs: number;
  /** Hears of each case before it begins. */
  log: (line: string) => void;
}

/** How often each thing happened. */
export type Counts = Record<string, number>;

/** Plays cases until the time is over; rejects with the first that fails, and its seed. */
export async function simulate({ seed, untilMs, log }: SimulationOptions): Promise<Counts> {
  const counts: Counts = { cases: 0 };
  do {
    const at = seed + (counts["cases"] ?? 0);
    log(`case ${at}`);
    const story = await simulateCase(at);
    for (const what of story.happened) counts[what] = (counts[what] ?? 0) + 1;
    counts["cases"] = (counts["cases"] ?? 0) + 1;
  } while (performance.now() < untilMs);
  return counts;
}

/** What happened in one case. */
export interface Story {
  /** Every fault that came about, in order. */
  happened: string[];
  /** What stands in the inbox at the end. */
  lines: string[];
  carriedBytes: number;
}

/** Plays one case. */
export async function simulateCase(seed: number): Promise<Story> {
  const simulation = new Case(seed);
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("nothing goes on any more")), patienceMs);
  try {
    return await Promise.race([simulation.play(), late.promise]);
  } catch (error) {
    const told = [`QUIVER_SEED=${seed}`, ...simulation.story].join("\n  ");
    throw new Error(`a simulated transfer went wrong\n  ${told}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** One case: two machines, what one sends to the other, and what happens to them. */
class Case {
  readonly story: string[] = [];
  readonly #happened: string[] = [];
  readonly #random: Random;
  readonly #network: MemoryNetwork;
  readonly #clock = new VirtualClock();
  readonly #alice: Machine;
  readonly #bob: Machine;
  readonly #cargo: Cargo;
  #sending: Transfer | null = null;
  #receiving: Transfer | null = null;
  #ticket = "";
  /** Called before each operation on a disk. */
  #onOperation: (side: Side, operation: DiskOperation) => void = () => {};
  #died = Promise.withResolvers<void>();
  /** Whether in this round something kept the receiver from tidying up. */
  #isLeft = false;

  constructor(seed: number) {
    this.#random = new Random(seed);
    const secrets = new Random(~seed);
    this.#network = createMemoryNetwork((bytes) => secrets.bytes(bytes), this.#clock);
    const clock = this.#clock;
    const contentBytes = this.#random.pick([0, maxContentBytes]);
    const tuning = { ...smallTables, contentBytes };
    this.#alice = new Machine(this.#network, { clock, tuning, listen: "127.0.0.1:4001" });
    this.#bob = new Machine(this.#network, { clock, listen: "127.0.0.1:4002" });
    this.#cargo = load(this.#random, this.#alice.disk, this.#bob.disk);
    const msPerChange = this.#random.pick([1, 20, 500, 2000]);
    this.#bob.whenStarted((disk) => disk.watch(() => clock.advance(msPerChange)));
    this.#alice.whenStarted((disk) => this.#follow("sender", disk));
    this.#bob.whenStarted((disk) => this.#follow("receiver", disk));
  }

  /** Goes on until everything has arrived. */
  async play(): Promise<Story> {
    const rounds = this.#random.below(10);
    // Only what is written over the last time may be sent once more, and may change.
    const isAgain = this.#cargo.policy === "overwrite";
    let isDone = false;
    for (let round = 0; !isDone || (isAgain && round <= rounds); round += 1) {
      assert.ok(round < rounds + mostQuietRounds, "it does not end without faults either");
      isDone = await this.#round(round < rounds ? this.#random.below(3) : 0);
      assert.equal(faultIn(this.#cargo, this.#bob.disk), null);
    }
    const { disk } = this.#bob;
    const [found, wanted] = [filesIn(disk, "/home/inbox"), expected(this.#cargo, this.#alice.disk)];
    assert.deepEqual([...found.keys()].sort(), [...wanted.keys()].sort());
    for (const [path, content] of wanted) assert.ok(found.get(path) === content, `${path} differs`);
    const lines = linesOf(disk, "/home/inbox");
    const left = lines.filter((line) => line.startsWith(".quiver-"));
    if (!this.#isLeft) assert.deepEqual(left, []);
    await Promise.all([this.#alice.stop(), this.#bob.stop()]);
    const { carriedBytes } = this.#network;
    return {
      happened: this.#happened,
      lines: lines.filter((line) => !left.includes(line)),
      carriedBytes,
    };
  }

  /** Starts what does not run, and waits until something ends; whether everything has arrived. */
  async #round(faults: number): Promise<boolean> {
    if (!this.#alice.isRunning) await this.#alice.start();
    if (!this.#bob.isRunning) await this.#bob.start();
    this.#network.mend();
    this.#died = Promise.withResolvers();
    this.#isLeft = false;
    this.#onOperation = () => {};
    const armed = Array.from({ length: faults }, () => this.#arm());
    this.story.push(`round with ${armed.join(", ") || "no faults"}`);
    try {
      await this.#begin();
    } catch (error) {
      if (!(error instanceof TransferError)) throw error;
      this.story.push(`the sender cannot begin: ${error.message}`);
      this.#sending = null;
      return false;
    }
    const { done } = this.#receiving ?? { done: Promise.resolve(null) };
    await Promise.race([done.catch(() => {}), this.#died.promise]);
    // What is on its way to the sender arrives first.
    for (let n = 0; n < 3; n += 1) await turn();
    const received = await this.#outcome("receiver", this.#receiving);
    const sent = await this.#outcome("sender", this.#sending);
    if (received !== "runs") this.#receiving = null;
    if (sent !== "runs") this.#sending = null;
    if (sent === "done" && !this.#bob.isRunning) this.#isLeft = true;
    if (!this.#bob.isRunning) this.#receiving = null;
    if (!this.#alice.isRunning) this.#sending = null;
    return received === "done" || sent === "done";
  }

  async #begin(): Promise<void> {
    const { tops, policy } = this.#cargo;
    if (!this.#sending) {
      const paths = tops.map((top) => `/home/${top}`);
      const isSame = this.#ticket !== "" && this.#random.below(2) === 0;
      // A receiver that waits knows only the ticket that it has.
      const ticket = isSame || this.#receiving ? this.#ticket : undefined;
      this.#sending = this.#alice.peer.send(paths, { ticket });
      this.#ticket = await ticketOf(this.#sending);
    }
    this.#receiving ??= this.#bob.peer.receive(this.#ticket, { onConflict: policy });
  }

  /** How a transfer stands, checked against the disk where it says that files are stored. */
  async #outcome(side: Side, of: Transfer | null): Promise<"runs" | "done" | "failed"> {
    if (!of) return "failed";
    const end = await Promise.race([of.done.catch((error: Error) => error), turn("runs" as const)]);
    if (end === "runs") return end;
    if (end instanceof Error) {
      this.story.push(`the ${side} fails: ${end.message}`);
      return "failed";
    }
    this.#checkStored(end);
    const failed = [...end.files].filter(({ status }) => status === "failed");
    for (const { path, code, reason } of failed) {
      this.story.push(`the ${side} is told of ${path}: ${code} ${reason}`);
    }
    for (const { path, reason } of end.skipped) this.story.push(`${path} is left out: ${reason}`);
    return failed.length + end.skipped.length === 0 ? "done" : "failed";
  }

  /** What a receipt calls received is there. */
  #checkStored({ files }: Receipt): void {
    const found = filesIn(this.#bob.disk, "/home/inbox");
    for (const { status, path, savedAs, size } of files) {
      if (status !== "received") continue;
      const there = found.get(savedAs ?? path);
      const isSent = there !== undefined && this.#cargo.versions.get(path)?.has(there);
      assert.ok(isSent && there.length === size, `${path} was received, and is not there`);
    }
  }

  /** Prepares something that goes wrong; says what. */
  #arm(): string {
    const random = this.#random;
    const { policy } = this.#cargo;
    const happens = (what: string, detail = "") => {
      this.#happened.push(what);
      this.story.push(`now: ${what}${detail}`);
    };
    const fault = random.pick(["cut", "kill", "power cut", "disk", "change"] as const);
    if (fault === "cut") {
      const bytes = random.below(30_000);
      this.#network.cutAfter(bytes);
      this.#clock.after(random.below(60_000), () => this.#network.mend());
      happens("cut of the cable");
      return `a cut after ${bytes} bytes`;
    }
    // Without what the sender cannot read, or a link or a folder's mode that the receiver cannot
    // make, the rest lands: sent once more, it would be there twice under another policy.
    const isReceiver = fault === "power cut" || (fault === "disk" && policy !== "overwrite");
    const side = isReceiver ? "receiver" : random.pick(["sender", "receiver"] as const);
    const machine = side === "sender" ? this.#alice : this.#bob;
    let left = 1 + random.below(random.pick([5, 50, 200]));
    const crashSeed = random.below(2 ** 31);
    const code = random.pick(["DISK_FULL", "DISK_FAILED"] as const);
    const before = this.#onOperation;
    this.#onOperation = (where, operation) => {
      before(where, operation);
      const isAlone = operation === "createLink" || operation === "setMetadata";
      const isSpared = fault === "disk" && policy !== "overwrite" && isAlone;
      // An engine does not look again at a file of a bundle once it is open.
      const isRead = fault === "change" && operation === "read";
      if (where !== side || isSpared || isRead) return;
      left -= 1;
      if (left !== 0) return;
      if (fault === "change") return this.#changeSource(happens);
      if (fault === "disk") {
        happens(`failure of the ${side}'s disk`, `: ${code} at ${operation}`);
        if (operation === "remove") this.#isLeft = true;
        throw new TransferError(code, `${operation} failed`);
      }
      happens(`${fault} of the ${side}`);
      if (fault === "power cut") this.#bob.crash(crashSeed);
      else machine.kill();
      this.#died.resolve();
    };
    return `${fault} at operation ${left} of the ${side}`;
  }

  /** Where a file may land under another name, another content would land there once more. */
  #changeSource(happens: (what: string) => void): void {
    if (this.#cargo.policy !== "overwrite") return;
    if (change(this.#random, this.#alice.disk, this.#cargo)) happens("change of a file");
  }

  /** Lets faults strike at a disk as long as a process works on it. */
  #follow(side: Side, disk: MemoryDisk): void {
    const machine = side === "sender" ? this.#alice : this.#bob;
    const check = disk.check.bind(disk);
    disk.check = (operation) => {
      if (machine.isRunning && machine.disk === disk) this.#onOperation(side, operation);
      check(operation);
    };
  }
}

type Side = "sender" | "receiver";

const patienceMs = 20_000;
const mostQuietRounds = 5;
