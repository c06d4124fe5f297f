/**
 * What many transfers at once cost: `node bench/many.ts [ROUNDS]`; root, for the two hosts.
 *
 * Sender and receiver are processes of their own on netlab's wire `WIRE` (ethernet). In each round take turns: one
 * transfer, and 64 of as many bytes in sum over one connection; a small one alone, and beside a large one.
 */

import { spawn } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { Peer, type Transfer } from "../src/index.ts";
import { temporaryIdentity } from "../src/peer/identity.ts";
import { sparseFile } from "../test/netlab/contents.ts";
import { hosts, type Stage, testFolder } from "../test/netlab/hosts.ts";
import type { Lab } from "./lab.ts";

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
  const begin = (path: string) => peer.send(path, { to: peerId });
  let startedAtMs = performance.now();
  const all = paths.map(begin);
  if (small) {
    await Promise.all(all.map(moves));
    startedAtMs = performance.now();
    await begin(small).done;
    console.log((performance.now() - startedAtMs) / 1000);
    for (const one of all) one.cancel();
  } else {
    await Promise.all(all.map(({ done }) => done));
    console.log((performance.now() - startedAtMs) / 1000);
  }
  await peer.close();
}

/** Resolves when an eighth of a transfer has arrived. */
async function moves(transfer: Transfer): Promise<void> {
  for await (const event of transfer) {
    if (event.type === "progress" && event.bytes > event.total / 8) return;
  }
}

/** One run between two hosts; returns its seconds. */
async function run(lab: Lab, folder: string, paths: string[], small?: string): Promise<number> {
  const inbox = join(folder, "inbox");
  mkdirSync(inbox);
  const receiver = start(lab, "b", ["receive", `${lab.address("b")}:0`, inbox]);
  try {
    const there = JSON.parse(await receiver.line);
    const order: Order = { listen: `${lab.address("a")}:0`, ...there, paths, small };
    const sender = start(lab, "a", ["send", JSON.stringify(order)]);
    const seconds = Number(await sender.line);
    await sender.end;
    return seconds;
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
    const sum = Number(process.env["MIB"] ?? 512);
    const one = sparseFile(join(folder, "one"), sum * MiB);
    const many = Array.from({ length: 64 }, (_, at) =>
      sparseFile(join(folder, `many ${at}`), (sum / 64) * MiB),
    );
    const small = sparseFile(join(folder, "small"), (sum / 64) * MiB);
    const large = sparseFile(join(folder, "large"), 4 * sum * MiB);
    for (let round = 0; round < rounds; round += 1) {
      const alone = await run(lab, folder, [one]);
      const together = await run(lab, folder, many);
      const smallAlone = await run(lab, folder, [], small);
      const beside = await run(lab, folder, [large], small);
      console.log(
        `one ${alone.toFixed(2)} s, 64 at once ${together.toFixed(2)} s: ` +
          `${(alone / together).toFixed(2)} of its rate; small alone ${smallAlone.toFixed(3)} s, ` +
          `beside a large one ${beside.toFixed(3)} s: ${(beside / smallAlone).toFixed(2)} times`,
      );
    }
  } finally {
    for (const clean of cleaning.reverse()) await clean();
  }
}

const [role = "3", first = "", second = ""] = process.argv.slice(2);
if (role === "receive") await receive(first, second);
else if (role === "send") await send(JSON.parse(first));
else await measure(Number(role));
