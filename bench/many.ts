/**
 * What many transfers at once cost: `node bench/many.ts [ROUNDS]`; root, for the two hosts.
 *
 * Sender and receiver are processes of their own on netlab's wire `WIRE` (ethernet). In each round take turns: one
 * transfer, and 64 of as many bytes in sum over one connection; a small one alone, and beside a large one.
 */

import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { Peer, type Transfer } from "../src/index.ts";
import { temporaryIdentity } from "../src/peer/identity.ts";
import { sparseFile } from "../test/netlab/contents.ts";
import { hosts, type Stage, testFolder } from "../test/netlab/hosts.ts";
import type { Lab } from "./lab.ts";
import { warmMemory } from "./warm-memory.ts";

/** What a sender is told. */
interface Order {
  listen: string;
  address: string;
  peerId: string;
  paths: string[];
  /** Sent when the others move, which then are cancelled. */
  small?: string;
}

const MiB = 2 ** 20;
/** What each round's transfers have in sum; a large one beside which a small one goes has four times as much. */
const sumBytes = Number(process.env["MIB"] ?? 512) * MiB;

/** Takes whatever is offered, and says where it is. */
async function receive(listen: string, inbox: string): Promise<void> {
  const identity = temporaryIdentity();
  const peer = await Peer.open({ listen, identity, inbox, onOffer: () => true });
  await peer.start();
  console.log(JSON.stringify({ address: peer.addresses[0], peerId: peer.peerId }));
}

/** Sends all at once, and says how many seconds they took, or the small one. */
async function send({ listen, address, peerId, paths, small }: Order): Promise<void> {
  const peer = await Peer.open({ listen, identity: temporaryIdentity() });
  await peer.connectToPeer(address, peerId);
  // Of the files of zeros every byte is to travel.
  const begin = (path: string) => peer.send(path, { to: peerId, compress: "none" });
  let startedAtMs = performance.now();
  const all = paths.map(begin);
  if (small) {
    await Promise.all(all.map(moves));
    startedAtMs = performance.now();
    await begin(small).done;
    tell(startedAtMs);
    for (const one of all) one.cancel();
  } else {
    await Promise.all(all.map(({ done }) => done));
    tell(startedAtMs);
  }
  await peer.close();
}

function tell(startedAtMs: number): void {
  const { user, system } = process.cpuUsage();
  console.log((performance.now() - startedAtMs) / 1000, (user + system) / 1e6);
}

/** What a process has used so far. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Resolves when an eighth of a transfer has arrived. */
async function moves(transfer: Transfer): Promise<void> {
  for await (const event of transfer) {
    if (event.type === "progress" && event.bytes > event.total / 8) return;
  }
}

/** What a run took: seconds by the wall, and of the processors, of which other programs take none. */
interface Cost {
  wall: number;
  cpu: number;
}

/** One run between two hosts. */
async function run(lab: Lab, folder: string, paths: string[], small?: string): Promise<Cost> {
  const inbox = join(folder, "inbox");
  mkdirSync(inbox);
  warmMemory(sumBytes);
  const receiver = start(lab, "b", ["receive", `${lab.address("b")}:0`, inbox]);
  try {
    const there = JSON.parse(await receiver.line);
    const order: Order = { listen: `${lab.address("a")}:0`, ...there, paths, small };
    const sender = start(lab, "a", ["send", JSON.stringify(order)]);
    const [wall = 0, cpu = 0] = (await sender.line).split(" ").map(Number);
    await sender.end;
    return { wall, cpu: cpu + cpuSeconds(receiver.child.pid ?? 0) };
  } finally {
    receiver.child.kill();
    await receiver.end;
    rmSync(inbox, { recursive: true });
  }
}

function start(lab: Lab, host: "a" | "b", args: string[]) {
  const [program = "", ...words] = [...lab.on(host), process.execPath, import.meta.filename];
  const child = spawn(program, [...words, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const line = new Promise<string>((resolve) => {
    createInterface(child.stdout).once("line", resolve);
    child.once("close", () => resolve(""));
  });
  return { child, line, end: new Promise((resolve) => child.once("close", resolve)) };
}

async function measure(rounds: number): Promise<void> {
  const cleaning: (() => unknown)[] = [];
  const stage: Stage = { after: (clean) => cleaning.push(clean), diagnostic: console.log };
  try {
    const lab = hosts(stage, ...(process.env["WIRE"] ?? "ethernet").split(" "));
    const folder = testFolder(stage);
    const one = sparseFile(join(folder, "one"), sumBytes);
    const many = Array.from({ length: 64 }, (_, at) =>
      sparseFile(join(folder, `many ${at}`), sumBytes / 64),
    );
    const small = sparseFile(join(folder, "small"), sumBytes / 64);
    const large = sparseFile(join(folder, "large"), 4 * sumBytes);
    for (let round = 0; round < rounds; round += 1) {
      const alone = await run(lab, folder, [one]);
      const together = await run(lab, folder, many);
      const smallAlone = await run(lab, folder, [], small);
      const beside = await run(lab, folder, [large], small);
      console.log(
        `one ${text(alone)}, 64 at once ${text(together)}: ` +
          `${(alone.wall / together.wall).toFixed(2)} of its rate; small alone ${text(smallAlone)}, ` +
          `beside a large one ${text(beside)}: ${(beside.wall / smallAlone.wall).toFixed(2)} times`,
      );
    }
  } finally {
    for (const clean of cleaning.reverse()) await clean();
  }
}

function text({ wall, cpu }: Cost): string {
  return `${wall.toFixed(2)} s (${cpu.toFixed(2)} s of CPU)`;
}

const [role = "3", first = "", second = ""] = process.argv.slice(2);
if (role === "receive") await receive(first, second);
else if (role === "send") await send(JSON.parse(first));
else await measure(Number(role));
