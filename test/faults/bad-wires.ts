/** Wires that lose, change, mix up or hold back packets; between two hosts. */

import assert from "node:assert/strict";
import { join } from "node:path";
import type { Lab } from "../../bench/lab.ts";
import { randomFile } from "../netlab/contents.ts";
import { hosts, type Stage, testFolder } from "../netlab/hosts.ts";
import { Couple } from "./couple.ts";
import { dropFrom, hasNft } from "./packet-filter.ts";
import { type Fault, NotHere } from "./stage.ts";

const MiB = 2 ** 20;

/** Wires that are bad all the time; where many packets are lost, the congestion control is slow. */
const wires = [
  {
    title: "a fifth of the packets lost, ten in a row",
    wire: ["loss=20", "burst=10"],
    mebibytes: 8,
  },
  { title: "a tenth of the packets changed", wire: ["corrupt=10"], mebibytes: 1 },
  { title: "a tenth of the packets out of order", wire: ["reorder=10"], mebibytes: 24 },
  { title: "a tenth of the packets twice", wire: ["duplicate=10"], mebibytes: 24 },
  {
    title: "packets lost, changed, out of order and twice",
    wire: ["loss=5", "burst=3", "corrupt=5", "reorder=5", "duplicate=5"],
    mebibytes: 1,
  },
  { title: "a round trip of 3 seconds", wire: ["delay=1500"], mebibytes: 1 },
  { title: "packets of 1,280 bytes", wire: ["mtu=1280"], mebibytes: 24 },
];

/** All of them; they need root. */
export const badWires: readonly Fault[] = [
  ...wires.map(({ title, wire, mebibytes }) => ({
    title: `a transfer arrives whole in spite of ${title}`,
    isQuick: wire.includes("corrupt=10"),
    async play(stage: Stage) {
      const settings = ["rate=100", ...(wire.join().includes("delay=") ? [] : ["delay=20"])];
      const { couple } = await begin(stage, [...settings, ...wire], mebibytes * MiB);

      await couple.arrived(stage);

      const [receipt] = couple.receiver.events.filter((event) => event.type === "receipt");
      stage.diagnostic(`${mebibytes} MiB in ${receipt?.seconds.toFixed(1)} s`);
      assert.deepEqual(couple.waits, { sender: 0, receiver: 0 });
    },
  })),
  {
    title: "a transfer arrives over a path that swallows packets above 1,300 bytes",
    async play(stage) {
      requireNft();
      const { couple } = await begin(stage, plain, 24 * MiB, (lab) => {
        for (const host of ["a", "b"] as const) dropFrom(lab, host, "meta length > 1300");
      });

      await couple.arrived(stage);

      assert.deepEqual(couple.waits, { sender: 0, receiver: 0 });
    },
  },
  {
    title: "a cut of 5 seconds is waited out in the same connection",
    async play(stage) {
      const { lab, couple, bytes } = await begin(stage, plain, 64 * MiB);
      await couple.midway(bytes / 4);

      lab.cut();
      await pass(5000);
      lab.mend();

      await couple.arrived(stage);
      assert.deepEqual(couple.waits, { sender: 0, receiver: 0 });
      assertSent(stage, lab, bytes);
    },
  },
  ...(["a", "b"] as const).map((host) => ({
    title: `a path that carries nothing from the ${host === "a" ? "sender" : "receiver"} for 8 seconds is waited out`,
    async play(stage: Stage) {
      requireNft();
      const { lab, couple, bytes } = await begin(stage, plain, 64 * MiB);
      await couple.midway(bytes / 4);

      const mend = dropFrom(lab, host, "meta l4proto udp");
      await pass(8000);
      mend();

      await couple.arrived(stage);
      assert.deepEqual(couple.waits, { sender: 0, receiver: 0 });
      assertSent(stage, lab, bytes);
    },
  })),
  {
    title: "R6: after a cut that no connection outlives both sides say so, and go on by themselves",
    async play(stage) {
      const { lab, couple, bytes } = await begin(stage, plain, 64 * MiB);
      await couple.midway(bytes / 4);

      lab.cut();
      await Promise.all([couple.sender.event("waiting"), couple.receiver.event("waiting")]);
      lab.mend();

      await couple.arrived(stage);
      assertSent(stage, lab, bytes);
    },
  },
  ...(["a", "b"] as const).map((host) => ({
    title: `R6: after half a path was lost, from the ${host === "a" ? "sender" : "receiver"} on, both sides go on`,
    isLong: true as const,
    async play(stage: Stage) {
      requireNft();
      const { lab, couple, bytes } = await begin(stage, plain, 64 * MiB);
      await couple.midway(bytes / 4);

      const since = performance.now();
      const mend = dropFrom(lab, host, "meta l4proto udp");
      await Promise.all([couple.sender.event("waiting"), couple.receiver.event("waiting")]);
      const seconds = Math.round((performance.now() - since) / 1000);
      mend();

      await couple.arrived(stage);
      stage.diagnostic(`both knew after ${seconds} s`);
      // Who hears nothing for 27 s says so to the other, who does hear.
      assert.ok(seconds <= 35, `a side believed in its connection for ${seconds} s`);
      assertSent(stage, lab, bytes);
    },
  })),
  ...[1, 10].map((minutes) => ({
    title: `R6: a cut of ${minutes} min costs what was under way, and nothing else`,
    isLong: true as const,
    limitMs: (minutes + 5) * 60_000,
    async play(stage: Stage) {
      const { lab, couple, bytes } = await begin(stage, plain, 64 * MiB);
      await couple.midway(bytes / 4);

      lab.cut();
      await pass(minutes * 60_000);
      lab.mend();

      await couple.arrived(stage);
      assert.ok(couple.waits.sender + couple.waits.receiver > 0);
      assertSent(stage, lab, bytes);
    },
  })),
  {
    title: "a path that is cut for 2 seconds out of every 7 delays a transfer and changes nothing",
    isLong: true,
    async play(stage) {
      const { lab, couple, bytes } = await begin(stage, plain, 192 * MiB);
      let isOver = false;
      const over = Promise.all([couple.sender.exit, couple.receiver.exit]).then(() => {
        isOver = true;
      });

      while (!isOver) {
        await pass(5000);
        lab.cut();
        await pass(2000);
        lab.mend();
      }

      await over;
      await couple.arrived(stage);
      assertSent(stage, lab, bytes);
    },
  },
];

async function begin(
  stage: Stage,
  wire: string[],
  bytes: number,
  spoil: (lab: Lab) => void = () => {},
) {
  const lab = hosts(stage, "wan", ...wire);
  const folder = testFolder(stage);
  const path = randomFile(join(folder, "file"), bytes);
  spoil(lab);
  return { lab, bytes, couple: await Couple.start(stage, { places: lab, folder, path }) };
}

/** What proved its way before the fault does not travel again. */
function assertSent(stage: Stage, lab: Lab, bytes: number): void {
  const share = lab.bytesSent("a") / bytes;
  stage.diagnostic(`${share.toFixed(3)} times the size on the wire`);
  assert.ok(share < mostSent, `${share} times the size on the wire`);
}

function requireNft(): void {
  if (!hasNft()) throw new NotHere("there is no nft (Debian's package nftables)");
}

/** The time that a fault lasts. */
function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const plain = ["rate=100", "delay=10"];
/** Headers, packets that the queue dropped, and what was under way: some megabytes. */
const mostSent = 1.2;
