/**
 * What connected peers cost that do nothing: `node bench/idle.ts [PEERS]`.
 *
 * One process holds them, another one is all of them, over this machine's loopback: nothing here is about speed.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { openNativeEngine } from "../src/engine/native.ts";
import { Peer } from "../src/index.ts";
import { temporaryIdentity } from "../src/peer/identity.ts";
import { anonymousBytes } from "./processes.ts";

const KiB = 1024;
const workerThreads = 1;
const idleSeconds = 10;

/** Holds whoever connects, and tells what that takes. */
async function hold(count: number): Promise<void> {
  const tuning = { workerThreads, maxStrangers: 2 * count, maxStrangersPerAddress: 2 * count };
  const identity = temporaryIdentity();
  const peer = await Peer.open({ listen: "127.0.0.1:0", identity, tuning });
  await peer.start();
  const { child, lines } = start(["connect", String(count), peer.addresses[0] ?? "", peer.peerId]);
  const peers: string[] = [];
  while (peers.length < count) peers.push((await lines.next()).value ?? "");
  // Who may read something is let in by its key: of others only a few are.
  await peer.share(import.meta.dirname, { peers });
  const before = anonymousBytes(process.pid);
  child.stdin.write("\n");
  if ((await lines.next()).done) throw new Error("not all could connect");
  const bytes = anonymousBytes(process.pid) - before;
  const { user, system } = process.cpuUsage();
  await pause(idleSeconds * 1000);
  const used = process.cpuUsage();
  const cpu = (used.user + used.system - user - system) / 1e6 / idleSeconds;
  const later = anonymousBytes(process.pid) - before;
  console.log(
    `${count} idle peers: ${Math.round(bytes / count / KiB)} KiB each when the last had come, ` +
      `${Math.round(later / count / KiB)} KiB ${idleSeconds} s later, ${(cpu * 100).toFixed(1)} % of a core`,
  );
  child.stdin.write("\n");
  console.log(`${(await lines.next()).value} are connected then`);
  child.kill();
  await peer.close();
}

/** Is so many peers, each with a key and a socket of its own. */
async function connect(count: number, address: string, peerId: string): Promise<void> {
  const engine = openNativeEngine({ workerThreads });
  const open = () => Peer.open({ listen: "127.0.0.1:0", identity: temporaryIdentity(), engine });
  const peers = await Promise.all(Array.from({ length: count }, open));
  for (const peer of peers) console.log(peer.peerId);
  await once(process.stdin, "data");
  for (const peer of peers) await peer.connectToPeer(address, peerId);
  console.log("all");
  await once(process.stdin, "data");
  // Whether a peer is connected is looked at before the path is.
  const tries = peers.map((peer) => peer.sendFile(peerId, "/nowhere").catch(({ code }) => code));
  const ends = await Promise.all(tries);
  console.log(ends.filter((code) => code === "DISK_MISSING").length);
}

function start(args: string[]) {
  const child = spawn(process.execPath, [import.meta.filename, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  return { child, lines: createInterface(child.stdout)[Symbol.asyncIterator]() };
}

const [role = "1000", ...words] = process.argv.slice(2);
if (role === "connect") await connect(Number(words[0]), words[1] ?? "", words[2] ?? "");
else await hold(Number(role));
process.exit();
