/** What a crowd of hostile strangers costs in memory. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { Peer } from "../src/index.ts";
import { temporaryIdentity } from "../src/peer/identity.ts";
import { atEnd } from "./ending.ts";
import type { Crowd } from "./helpers/crowd.ts";
import { temporaryFolder } from "./peers.ts";

const MiB = 2 ** 20;
const strangers = 1000;
const mostGrowthBytes = 256 * MiB;
const fileBytes = 256 * MiB;
const reason =
  process.platform === "linux" ? false : "a crowd needs many addresses of this machine, and /proc";

const cases = [
  {
    why: "all of them held at once",
    perAddress: 40,
    tuning: { maxStrangers: 1024, maxStrangersPerAddress: 64 },
  },
  { why: "with the limits that hold by default", perAddress: 16, tuning: {} },
];

for (const { why, perAddress, tuning } of cases) {
  test(`R2: ${strangers} hostile strangers cost at most 256 MiB, ${why}`, {
    skip: reason,
  }, async (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, "file");
    writeFileSync(path, "");
    truncateSync(path, fileBytes);
    const victim = start(t, "crowded.ts", [path, JSON.stringify(tuning)]);
    const place = await victim.next<{ peerId: string; addresses: string[]; ticket: string }>();
    const alone = await receive(t, folder, place.ticket);
    const before = residentBytes(victim.child);

    const crowd: Crowd = { ...place, connections: strangers, perAddress, seconds: 120 };
    const around = start(t, "crowd.ts", [JSON.stringify(crowd)]);
    const wanted = Math.min(strangers, tuning.maxStrangers ?? 256) * 0.9;
    for (let standing = 0; standing < wanted; ) {
      ({ standing } = await around.next<{ standing: number }>());
    }
    const beside = await receive(t, folder, place.ticket);
    const { standing, dialled } = await around.next<{ standing: number; dialled: number }>();

    const growth = residentBytes(victim.child) - before;
    t.diagnostic(`${standing} stand there, ${dialled} have come; ${Math.round(growth / MiB)} MiB`);
    t.diagnostic(`an honest receiver: ${alone} MB/s alone, ${beside} MB/s beside the crowd`);
    assert.ok(growth <= mostGrowthBytes, `${Math.round(growth / MiB)} MiB`);
  });
}

/** Receives a ticket's file; returns the rate in MB/s. */
async function receive(t: TestContext, folder: string, ticket: string): Promise<number> {
  const into = join(folder, "into");
  const peer = await Peer.open({ listen: "127.0.0.1:0", identity: temporaryIdentity() });
  atEnd(t, () => peer.close());
  const { seconds, bytes } = await peer.receive(ticket, { into }).done;
  await peer.close();
  rmSync(into, { recursive: true });
  assert.equal(bytes, fileBytes);
  return Math.round(bytes / seconds / 1e6);
}

/** The most memory that a process has had. */
function residentBytes({ pid }: ChildProcess): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** A helper that tells of itself in lines of JSON. */
function start(t: TestContext, helper: string, args: string[]) {
  const script = join(import.meta.dirname, "helpers", helper);
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  atEnd(t, () => child.kill("SIGKILL"));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    child,
    async next<T>(): Promise<T> {
      const { value, done } = await lines.next();
      if (done) throw new Error(`${helper} has ended`);
      return JSON.parse(value);
    },
  };
}
