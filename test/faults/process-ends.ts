/** A process that ends, or stands still, in the middle of a transfer; between two hosts. */

import assert from "node:assert/strict";
import { join } from "node:path";
import type { Lab } from "../../bench/lab.ts";
import { randomFile, sparseFile } from "../netlab/contents.ts";
import { hosts, type Stage, testFolder } from "../netlab/hosts.ts";
import { Couple } from "./couple.ts";
import type { Fault } from "./stage.ts";

const MiB = 2 ** 20;

/** Who is hit. */
type Side = "sender" | "receiver" | "both";

const killed: readonly { side: Side; title: string }[] = [
  { side: "receiver", title: "R4: a receiver that is killed goes on by the same command" },
  {
    side: "sender",
    title:
      "R6, R7: a sender that is killed goes on by the same command, and the receiver by itself",
  },
  { side: "both", title: "R4: two sides that are killed at once go on by the same commands" },
];

/** All of them; they need root. */
export const processEnds: readonly Fault[] = [
  ...killed.map(({ side, title }) => ({
    title,
    isQuick: side === "receiver",
    async play(stage: Stage) {
      const { lab, couple, bytes } = await underWay(stage, 192 * MiB);

      await couple.midway(bytes / 2);
      await kill(couple, side);

      await couple.arrived(stage);
      assertGoesOn(couple, side);
      if (side === "sender") assertNothingTwice(couple, bytes);
      assertSent(stage, lab, { bytes, receiverKills: side === "sender" ? 0 : 1 });
    },
  })),
  {
    title: "R5: a transfer that is killed again and again arrives, and little is sent twice",
    limitMs: 90 * 60_000,
    async play(stage) {
      const bytes = kills * 48 * MiB;
      const { lab, couple } = await underWay(stage, bytes, sparseFile);

      let receiverKills = 0;
      for (let done = 1; done <= kills; done += 1) {
        await couple.midway((done * bytes) / (kills + 1));
        const side = sides[done % sides.length] ?? "receiver";
        await kill(couple, side);
        if (side !== "sender") receiverKills += 1;
      }

      await couple.arrived(stage);
      assertSent(stage, lab, { bytes, receiverKills });
      if (isMany) assert.ok(lab.bytesSent("a") < 1.1 * bytes);
    },
  },
  ...(["sender", "receiver"] as const).flatMap((side) => [
    {
      title: `a ${side} that stands still for 5 seconds goes on in the same connection`,
      async play(stage: Stage) {
        const { lab, couple, bytes } = await underWay(stage, 96 * MiB);
        await couple.midway(bytes / 4);

        couple[side].signal("SIGSTOP");
        await new Promise((resolve) => setTimeout(resolve, 5000));
        couple[side].signal("SIGCONT");

        await couple.arrived(stage);
        assert.deepEqual(couple.waits, { sender: 0, receiver: 0 });
        assertSent(stage, lab, { bytes, receiverKills: 0 });
      },
    },
  ]),
  ...(["sender", "receiver"] as const).map((side) => ({
    title: `R6: a ${side} that stands still for longer than a connection lives goes on by itself`,
    ...(side === "sender" ? { isLong: true as const } : {}),
    async play(stage: Stage) {
      const { lab, couple, bytes } = await underWay(stage, 96 * MiB);
      await couple.midway(bytes / 4);
      const other = side === "sender" ? "receiver" : "sender";

      couple[side].signal("SIGSTOP");
      await couple[other].event("waiting");
      couple[side].signal("SIGCONT");

      await couple.arrived(stage);
      assertSent(stage, lab, { bytes, receiverKills: 1 });
    },
  })),
];

const kills = Number(process.env["QUIVER_KILLS"] ?? 10);
/** So many kills that each is to cost a thousandth of the size: it takes three quarters of an hour. */
const isMany = kills >= 100;
/** A sender that is killed alone is missed only when its connection dies, after 30 s. */
const sides: readonly Side[] = isMany ? ["receiver", "sender"] : ["receiver", "both"];

async function underWay(stage: Stage, bytes: number, make = randomFile) {
  const lab = hosts(stage, "wan", `rate=${megabits}`, "delay=5");
  const folder = testFolder(stage);
  const path = make(join(folder, "file"), bytes);
  return { lab, bytes, couple: await Couple.start(stage, { places: lab, folder, path }) };
}

/** Kills and starts the same command again. */
async function kill(couple: Couple, side: Side): Promise<void> {
  const { sender, receiver } = couple;
  await Promise.all([side !== "receiver" && sender.kill(), side !== "sender" && receiver.kill()]);
  if (side !== "receiver") await couple.send();
  if (side !== "sender") couple.receive();
}

function assertGoesOn(couple: Couple, side: Side): void {
  couple.assertResumed();
  if (side === "sender") assert.ok(couple.waits.receiver > 0);
}

/** A sender that was killed is not missed at a receiver that stays: the next one sends what is not proven, and no more. */
function assertNothingTwice({ sender, resumedBytes }: Couple, bytes: number): void {
  const receipt = sender.events.find((event) => event.type === "receipt");
  const again = resumedBytes + Number(receipt?.wireBytes) - bytes;
  assert.ok(again < framingBytes, `${again} bytes of the file were sent again`);
}

/** Bytes on the wire: the size with its headers, and what each end of a receiver may cost. */
function assertSent(
  stage: Stage,
  lab: Lab,
  { bytes, receiverKills }: { bytes: number; receiverKills: number },
): void {
  const sent = lab.bytesSent("a");
  const most = headerShare * bytes + receiverKills * costOfKill;
  const share = (sent / bytes).toFixed(3);
  stage.diagnostic(`${Math.round(sent / MiB)} MiB on the wire, ${share} times the size`);
  assert.ok(sent < most, `${sent} bytes were sent, more than ${Math.round(most)}`);
}

/** Slow enough that the time between two kills is worth some commits. */
const megabits = isMany ? 40 : 200;
/** Headers of some hundred pieces and ranges: 7 kB were seen. */
const framingBytes = 64 * 1024;
/** A packet of 1,500 bytes carries some 1,430, and some are lost to the queue. */
const headerShare = 1.07;
/** What comes between two commits of the journal, 2 s at most, and what is under way. */
const costOfKill = (2.5 * megabits * 1e6) / 8;
