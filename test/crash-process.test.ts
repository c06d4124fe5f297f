/** Processes are killed at every step: whoever starts again goes on, and nothing is there twice. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { createMemoryNetwork, type MemoryNetwork } from "../src/engine/memory.ts";
import type { Transfer } from "../src/index.ts";
import type { Tuning } from "../src/options.ts";
import { checkRecovery, live } from "./crash-life.ts";
import { scenes } from "./crash-scenes.ts";
import { Random } from "./fuzz/random.ts";
import { linesOf, Machine } from "./machines.ts";
import { smallTables, ticketOf } from "./peers.ts";
import { seedOf } from "./seed.ts";
import { VirtualClock } from "./virtual-clock.ts";

test("R4: both are killed at every change of the receiver's disk", async (t) => {
  const seed = seedOf(t);
  let kills = 0;
  for (const scene of scenes) {
    const life = await live(t, scene, seed);
    for (const state of life.recording.crashStates({ seed, perPoint: 1 })) {
      if (state.point >= life.toldAt) break;
      await checkRecovery(life, state);
      kills += 1;
    }
  }
  t.diagnostic(`${kills} kills`);
});

test("the receiver is killed at every change of its disk, and the sender stays", async (t) => {
  let kills = 0;
  for (let isWhole = false; !isWhole; kills += 1) {
    const { alice, bob, network } = await pair();
    let changes = 0;
    bob.disk.watch(() => {
      changes += 1;
      if (changes === kills + 1) bob.kill();
    });
    const sending = alice.peer.send(tree);
    const ticket = await ticketOf(sending);

    await end(bob.peer.receive(ticket));
    await turn();
    const isTold = (await Promise.race([end(sending), turn(null)])) !== null;
    isWhole = bob.isRunning;
    if (!isWhole) await bob.start();
    network.mend();
    if (!isTold) await bob.peer.receive(ticket).done;
    await sending.done;

    assertArrived(alice, bob);
    if (!isTold || isWhole) assertNothingLeft(bob);
    await Promise.all([alice.stop(), bob.stop()]);
  }
  t.diagnostic(`${kills - 1} kills`);
});

test("the sender is killed at every operation on its disk, and the receiver stays", async (t) => {
  let kills = 0;
  for (let isWhole = false; !isWhole; kills += 1) {
    const { alice, bob, network } = await pair();
    const ticket = await ticketOf(alice.peer.send(tree));
    let operations = 0;
    const { disk } = alice;
    const killed = Promise.withResolvers<void>();
    const check = t.mock.method(disk, "check", () => {
      operations += 1;
      if (operations !== kills + 1) return;
      alice.kill();
      killed.resolve();
    });

    const receiving = bob.peer.receive(ticket);
    await Promise.race([end(receiving), killed.promise]);
    isWhole = alice.isRunning;
    check.mock.restore();
    if (!isWhole) {
      await alice.start();
      network.mend();
      const sending = alice.peer.send(tree, { ticket });
      await ticketOf(sending);
      // A receiver that has never seen an offer does not wait for one.
      if ((await end(receiving)) === "failed") await bob.peer.receive(ticket).done;
      await sending.done;
    }

    assertArrived(alice, bob);
    assertNothingLeft(bob);
    await Promise.all([alice.stop(), bob.stop()]);
  }
  t.diagnostic(`${kills - 1} kills`);
});

test("R5: a hundred kills in one transfer cost less than a tenth of its bytes", async (t) => {
  const random = new Random(seedOf(t));
  const { alice, bob, network } = await pair(smallPieces);
  const content = randomBytes(pieces * pieceBytes);
  alice.disk.write("/home/large.bin", content);
  let written = 0;
  let toKill = Number.POSITIVE_INFINITY;
  let killed = Promise.withResolvers<void>();
  const kill = () => {
    const who = random.pick([[alice], [bob], [alice, bob]]);
    for (const one of who) one.kill();
    killed.resolve();
  };
  bob.whenStarted((disk) => {
    disk.watch((change) => {
      if (change.kind !== "write" || change.bytes.length !== pieceBytes) return;
      written += 1;
      toKill -= 1;
      if (toKill === 0) kill();
    });
  });

  const ticket = await ticketOf(alice.peer.send("/home/large.bin", { lanes: 1 }));
  let receiving = bob.peer.receive(ticket);
  for (let kills = 0; kills < 100; kills += 1) {
    killed = Promise.withResolvers();
    toKill = Math.ceil(pieces / 101);
    await killed.promise;
    if (!alice.isRunning) {
      await alice.start();
      await ticketOf(alice.peer.send("/home/large.bin", { ticket, lanes: 1 }));
    }
    if (!bob.isRunning) {
      await bob.start();
      receiving = bob.peer.receive(ticket);
    }
    network.mend();
  }
  await receiving.done;

  const arrived = Buffer.from(bob.disk.read("/home/inbox/large.bin"));
  assert.ok(arrived.equals(content));
  const share = network.carriedBytes / content.length;
  t.diagnostic(
    `${share.toFixed(3)} of the bytes were sent, ${written} of ${pieces} pieces written`,
  );
  assert.ok(share < 1.1, `${share}`);
});

/** Two machines that run, and something for the first to send. */
async function pair(
  tuning: Partial<Tuning> = smallTables,
): Promise<{ alice: Machine; bob: Machine; network: MemoryNetwork }> {
  const network = createMemoryNetwork();
  const clock = new VirtualClock();
  const alice = new Machine(network, { clock, tuning, listen: "127.0.0.1:4001" });
  const bob = new Machine(network, { clock, tuning, listen: "127.0.0.1:4002" });
  bob.whenStarted((disk) => {
    disk.watch(({ kind }) => kind === "write" && clock.advance(msPerWrite));
  });
  const random = new Random(1);
  for (const [name, size] of Object.entries({ "sub/large.bin": 20_000, small: 300, empty: 0 })) {
    alice.disk.write(`/home/tree/${name}`, random.bytes(size), { mtimeMs: 1_600_000_000_000 });
  }
  alice.disk.folder("/home/tree/sub/deep");
  alice.disk.link("/home/tree/link", "small");
  await alice.start();
  await bob.start();
  return { alice, bob, network };
}

/** How a transfer ends. */
function end({ done }: Transfer): Promise<"done" | "failed"> {
  return done.then(
    () => "done" as const,
    () => "failed" as const,
  );
}

function assertArrived(alice: Machine, bob: Machine): void {
  assert.deepEqual(linesOf(bob.disk, "/home/inbox/tree"), linesOf(alice.disk, "/home/tree"));
  const names = bob.disk.tree("/home/inbox").map(({ path }) => path.split("/", 1).join());
  const others = new Set(names.filter((name) => !name.startsWith(".quiver-")));
  assert.deepEqual([...others], ["tree"]);
}

function assertNothingLeft({ disk }: Machine): void {
  const hidden = disk.tree("/home/inbox").filter(({ path }) => path.startsWith("."));
  assert.deepEqual(hidden, []);
}

const tree = ["/home/tree"];
/** So much time passes with each write of the receiver: after two or three a commit is due. */
const msPerWrite = 500;
const pieceBytes = 4096;
const pieces = 6000;
/** A run is a piece: what a kill costs is small beside a hundredth of the file, as it is in a large one. */
const smallPieces = {
  pieceTable: [{ upTo: Number.POSITIVE_INFINITY, bytes: pieceBytes }],
  rangeTable: [{ upTo: Number.POSITIVE_INFINITY, bytes: pieceBytes }],
};
