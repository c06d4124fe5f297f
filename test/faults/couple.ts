/** Two people, each with a command that they run again when it has ended. */

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { leftoverOf } from "../journals.ts";
import { assertCopied } from "../netlab/contents.ts";
import { asItIs, type Places, Quiver, type Stage } from "../netlab/hosts.ts";
import { until } from "./stage.ts";

/** What is sent, and where. */
export interface CoupleOptions {
  places: Places;
  /** The folder that both identities are made in, and `into` where nothing is said. */
  folder: string;
  path: string;
  into?: string;
  sendFlags?: string[];
  receiveFlags?: string[];
  /** Words before the command of each, such as those that limit it. */
  sendBy?: string[];
  receiveBy?: string[];
}

/** The commands of one transfer, the last run of each. */
export class Couple {
  readonly into: string;
  readonly path: string;
  #sender: Quiver | null = null;
  #receiver: Quiver | null = null;
  #ticket = "";
  readonly #stage: Stage;
  readonly #options: CoupleOptions;

  private constructor(stage: Stage, options: CoupleOptions) {
    this.#stage = stage;
    this.#options = options;
    this.path = options.path;
    this.into = options.into ?? join(options.folder, "into");
    mkdirSync(this.into, { recursive: true });
  }

  /** Starts `quiver send`, and with its ticket `quiver receive`. */
  static async start(stage: Stage, options: CoupleOptions): Promise<Couple> {
    const couple = new Couple(stage, options);
    await couple.send();
    couple.receive();
    return couple;
  }

  get sender(): Quiver {
    assert.ok(this.#sender);
    return this.#sender;
  }

  get receiver(): Quiver {
    assert.ok(this.#receiver);
    return this.#receiver;
  }

  /** Runs the sender's command; the ticket must be the one that the receiver has. */
  async send(): Promise<void> {
    const { places, folder, sendFlags = [], sendBy } = this.#options;
    const args = ["send", this.path, "--json", ...asItIs, "--listen", `${places.address("a")}:0`];
    const home = join(folder, "home-a");
    this.#sender = this.#run(new Quiver(places, "a", home, [...args, ...sendFlags], sendBy));
    const { ticket } = await this.sender.event("ready");
    if (this.#ticket !== "") assert.equal(ticket, this.#ticket, "the ticket is another one");
    this.#ticket = ticket;
  }

  /** Runs the receiver's command, as whoever the folder `home` says. */
  receive(home = "home-b"): void {
    const { places, folder, receiveFlags = [], receiveBy } = this.#options;
    const args = ["receive", this.#ticket, "--into", this.into, "--yes", "--json", ...receiveFlags];
    this.#receiver = this.#run(new Quiver(places, "b", join(folder, home), args, receiveBy));
  }

  #run(quiver: Quiver): Quiver {
    // One that is stopped by a signal hears no other.
    this.#stage.after(() => quiver.kill());
    return quiver;
  }

  /** Waits until so many bytes are proven and the journal tells of some. */
  async midway(bytes: number): Promise<void> {
    await this.receiver.event("progress", (progress) => progress.bytes >= bytes);
    await until(() => journaledBytes(this.into) > 0, `a journal; ${this.receiver.said}`);
  }

  /** Runs both commands again, to a good end. */
  async again(stage: Stage): Promise<void> {
    await this.send();
    this.receive();
    await this.arrived(stage);
  }

  /** Waits until so many bytes are proven, or the receiver has ended. */
  async reached(bytes: number): Promise<void> {
    const { receiver } = this;
    await Promise.race([
      receiver.event("progress", (progress) => progress.bytes >= bytes),
      receiver.exit,
    ]);
  }

  /** How often each side said that it waits for a new connection. */
  get waits(): { sender: number; receiver: number } {
    const count = ({ events }: Quiver) => events.filter(({ type }) => type === "waiting").length;
    return { sender: count(this.sender), receiver: count(this.receiver) };
  }

  /** The last run of the receiver must have said that it takes something over. */
  assertResumed(): void {
    const isTold = this.receiver.events.some(({ type }) => type === "resumed");
    assert.ok(isTold, `nothing was taken over; ${this.receiver.said}`);
  }

  /** What the last run of the receiver took over. */
  get resumedBytes(): number {
    const [resumed] = this.receiver.events.filter((event) => event.type === "resumed");
    return resumed?.bytes ?? 0;
  }

  /** Waits for both, and checks that what arrived is what was sent, and that nothing else is there. */
  async arrived(stage: Stage): Promise<void> {
    const { sender, receiver, into } = this;
    await assertCopied(stage, { sender, receiver, into }, this.path);
    assert.deepEqual(leftovers(into), []);
  }
}

/** Twice this machine. */
export const loopback: Places = { on: () => [], address: () => "127.0.0.1" };

/** Names of what interrupted transfers have left in a folder. */
export function leftovers(into: string): string[] {
  if (!existsSync(into)) return [];
  return readdirSync(into).filter((name) => /^\.quiver-.*\.partial$/.test(name));
}

/** Names in a folder that people see. */
export function finalNames(into: string): string[] {
  return readdirSync(into).filter((name) => !leftovers(into).includes(name));
}

/** Bytes that the journal of the transfer under way calls proven. */
export function journaledBytes(into: string): number {
  const [name] = leftovers(into);
  const journal = join(into, name ?? "", "journal");
  if (!name || !existsSync(journal)) return 0;
  return leftoverOf(readFileSync(journal))?.provenBytes ?? 0;
}
