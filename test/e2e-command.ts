/** Runs `bin/quiver` in processes of its own, each with an identity of its own. */

import { type ChildProcess, spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { Readable } from "node:stream";
import type { TestContext } from "node:test";
import type { TransferEvent } from "../src/index.ts";
import { encodeTicket } from "../src/protocol/ticket.ts";
import { atEnd } from "./ending.ts";
import { temporaryFolder } from "./peers.ts";

/** The command of this checkout. */
export const command = resolve(import.meta.dirname, "../bin/quiver");

/** How to start the command. */
export interface RunOptions {
  /** Given to standard input, which is closed after it; a stream is piped to it. */
  input?: string | Uint8Array | Readable;
  environment?: Record<string, string>;
  /** A command to run it by, such as one that changes the user. */
  by?: readonly string[];
}

/** What a process came to. */
export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** A process that runs. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** The first line of standard output; rejects when the process ends without one. */
  readonly ticket: Promise<string>;
  /** The first `--json` event of a type that also `fits`; rejects when the process ends without one. */
  event<Type extends TransferEvent["type"]>(
    type: Type,
    fits?: (event: EventOf<Type>) => boolean,
  ): Promise<EventOf<Type>>;
}

/** An event of a type. */
export type EventOf<Type> = Extract<TransferEvent, { type: Type }>;

/** Starts `quiver` with arguments; it is killed when the test ends before it does. */
export function start(
  t: TestContext,
  args: readonly string[],
  { input, environment = {}, by = [] }: RunOptions = {},
): Running {
  const [program = command, ...before] = [...by, command];
  const child = spawn(program, [...before, ...args], {
    env: {
      ...process.env,
      QUIVER_HOME: join(temporaryFolder(t), "home"),
      NO_COLOR: "1",
      ...environment,
    },
  });
  atEnd(t, () => child.kill("SIGKILL"));
  child.stdin.on("error", () => {});
  if (input instanceof Readable) input.pipe(child.stdin);
  else child.stdin.end(input ?? "");
  const heard = { stdout: "", stderr: "" };
  const ticket = Promise.withResolvers<string>();
  const waiting = new Set<() => boolean>();
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    heard.stdout += text;
    const [first, ...rest] = heard.stdout.split("\n");
    if (rest.length > 0) ticket.resolve(first ?? "");
    for (const look of waiting) if (look()) waiting.delete(look);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    heard.stderr += text;
  });
  const ended = Promise.withResolvers<Ended>();
  child.on("error", ended.reject);
  child.on("close", (status) => ended.resolve({ status, ...heard }));
  const early = ended.promise.then(({ status, stderr }) => {
    throw new Error(`quiver ${args[0]} ended with ${status}: ${stderr}`);
  });
  // Whoever does not ask for a line need not hear that there is none.
  const line = Promise.race([ticket.promise, early]);
  line.catch(() => {});
  return {
    child,
    ended: ended.promise,
    ticket: line,
    event<Type extends TransferEvent["type"]>(
      type: Type,
      fits: (event: EventOf<Type>) => boolean = () => true,
    ): Promise<EventOf<Type>> {
      const found = Promise.withResolvers<EventOf<Type>>();
      const isIt = (event: TransferEvent): event is EventOf<Type> =>
        event.type === type && fits(event as EventOf<Type>);
      const look = () => {
        const event = eventsIn(heard.stdout).find(isIt);
        if (event) found.resolve(event);
        return event !== undefined;
      };
      if (!look()) waiting.add(look);
      return Promise.race([found.promise, early]);
    },
  };
}

/** Runs `quiver` to its end. */
export function run(
  t: TestContext,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Ended> {
  return start(t, args, options).ended;
}

/** Starts a sender on this machine's own address. */
export function startSend(
  t: TestContext,
  args: readonly string[],
  options: RunOptions = {},
): Running {
  return start(t, ["send", "--listen", "127.0.0.1:0", ...args], options);
}

/** The whole lines of `--json` output as events. */
export function eventsIn(stdout: string): TransferEvent[] {
  const lines = stdout.split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as TransferEvent);
}

/** Sends paths to a receiver of the same machine; both run to their end. */
export async function sendAndReceive(
  t: TestContext,
  paths: readonly string[],
  { into, send = [], receive = [] }: { into: string; send?: string[]; receive?: string[] },
): Promise<{ sender: Ended; receiver: Ended; ticket: string }> {
  const sending = startSend(t, [...send, ...paths]);
  const ticket = send.includes("--json")
    ? (await sending.event("ready")).ticket
    : await sending.ticket;
  const receiver = await run(t, ["receive", ticket, "--into", into, "--yes", ...receive]);
  return { sender: await sending.ended, receiver, ticket };
}

/** A machine of somebody: an identity of its own, and a folder. */
export async function machine(t: TestContext) {
  const environment = { QUIVER_HOME: temporaryFolder(t) };
  const { stdout } = await run(t, ["id"], { environment });
  const folder = temporaryFolder(t);
  return {
    peerId: stdout.trim(),
    at: (path: string) => join(folder, path),
    run: (...args: string[]) => run(t, args, { environment }),
    start: (...args: string[]) => start(t, args, { environment }),
  };
}

/** A whole ticket, with nobody behind it. */
export const wholeTicket = encodeTicket({
  peerId: "ab".repeat(32),
  secret: new Uint8Array(16),
  addresses: [],
});
