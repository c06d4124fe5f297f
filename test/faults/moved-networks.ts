/** Hosts that get another address, or lose one of two network cards, in the middle of a transfer. */

import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import type { Host, Lab } from "../../bench/lab.ts";
import { randomFile, sparseFile } from "../netlab/contents.ts";
import { hosts, longestStallMs, type Stage, testFolder } from "../netlab/hosts.ts";
import { Couple } from "./couple.ts";
import type { Fault } from "./stage.ts";

const sides = [
  { host: "a", who: "sender" },
  { host: "b", who: "receiver" },
] as const;

const routes = [
  { hasRoute: true, where: "a network with a default route" },
  { hasRoute: false, where: "a cable without any route" },
];

/** All of them; they need root. */
export const movedNetworks: readonly Fault[] = sides.flatMap(({ host, who }) =>
  routes.flatMap(({ hasRoute, where }) => [
    {
      title: `R18: a transfer over two connections goes on when the ${who} gets another address on ${where}`,
      isQuick: !hasRoute && host === "a",
      play: (stage: Stage) => playFast(stage, { hasRoute, change: (lab) => lab.move(host) }),
    },
    {
      title: `R18: a transfer goes on when the ${who} gets another address on ${where}`,
      isQuick: !hasRoute,
      play: (stage: Stage) => play(stage, { hasRoute, change: (lab) => lab.move(host) }),
    },
    {
      title: `R18: a transfer goes on when the card that the ${who} uses goes away on ${where}`,
      isQuick: !hasRoute && host === "a",
      play: (stage: Stage) =>
        play(stage, {
          hasRoute,
          prepare: (lab) => lab.addCards(),
          change: (lab, couple) => lab.takeCardDown(host, cardInUse(lab, couple, host)),
        }),
    },
  ]),
);

interface Change {
  hasRoute: boolean;
  prepare?: (lab: Lab) => void;
  change: (lab: Lab, couple: Couple) => void;
}

function play(stage: Stage, change: Change): Promise<void> {
  return playOn(stage, "gigabit", (path) => randomFile(path, 256 * MiB), change);
}

/** On a wire that is fast enough for a second connection, if the machine is. */
function playFast(stage: Stage, change: Change): Promise<void> {
  return playOn(stage, "ethernet", (path) => sparseFile(path, 2048 * MiB), change);
}

async function playOn(
  stage: Stage,
  wire: string,
  make: (path: string) => string,
  { hasRoute, prepare, change }: Change,
): Promise<void> {
  const lab = hosts(stage, wire);
  if (!hasRoute) lab.removeRoutes();
  prepare?.(lab);
  const folder = testFolder(stage);
  const path = make(join(folder, "file"));
  const { size: bytes } = statSync(path);
  const sendFlags = ["--listen", "0.0.0.0:0", "--compress", "none"];
  const couple = await Couple.start(stage, { places: lab, folder, path, sendFlags });
  await couple.midway(bytes / 4);
  const sockets = lab.output("a", "ss", "-uanH").trim().split("\n").length;
  stage.diagnostic(`the sender has ${sockets} sockets`);

  change(lab, couple);

  await couple.arrived(stage);
  const stallMs = longestStallMs(couple.receiver);
  stage.diagnostic(`the longest stall took ${(stallMs / 1000).toFixed(1)} s`);
  assert.ok(stallMs < mostStallMs, `a stall of ${stallMs} ms`);
  const share = lab.bytesSent("a") / bytes;
  assert.ok(share < mostSent, `${share} times the size on the wire`);
}

/** The card whose address the receiver found the sender at. */
function cardInUse(lab: Lab, { receiver }: Couple, host: Host): string {
  const connected = receiver.events.findLast((event) => event.type === "connected");
  assert.ok(connected);
  return lab.cardTowards(host, connected.address.slice(0, connected.address.lastIndexOf(":")));
}

const MiB = 2 ** 20;
/** The aim is 3 s on a quiet machine; by itself the engine takes between 6 s and a minute. */
const mostStallMs = 5500;
/** Headers, and what was under way. */
const mostSent = 1.25;
