/** What people do in the middle of a transfer: end it, close the terminal, start it twice; on one machine. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { errorCodes } from "../../src/index.ts";
import { assertSame, sparseFile } from "../netlab/contents.ts";
import { type Stage, testFolder } from "../netlab/hosts.ts";
import { Couple, finalNames, leftovers, loopback } from "./couple.ts";
import { type Fault, NotHere, until } from "./stage.ts";

const MiB = 2 ** 20;
const sides = ["sender", "receiver"] as const;

/** All of them; they need no root. */
export const people: readonly Fault[] = [
  ...sides.map((side) => ({
    title: `R4: Ctrl-C at the ${side} leaves no final name, and the same commands go on`,
    async play(stage: Stage) {
      const couple = await underWay(stage);

      couple[side].interrupt();
      const exits = [await couple.sender.exit, await couple.receiver.exit];

      assert.deepEqual(exits, [130, 130], `${couple.sender.said}; ${couple.receiver.said}`);
      assert.deepEqual(finalNames(couple.into), []);
      await couple.again(stage);
      couple.assertResumed();
    },
  })),
  ...sides.map((side) => ({
    title: `R4: a ${side} whose terminal is closed leaves no final name, and the same commands go on`,
    async play(stage: Stage) {
      const couple = await underWay(stage, {
        [`${side === "sender" ? "send" : "receive"}By`]: inTerminal,
      });
      const [quiver = -1] = childrenOf(couple[side].pid);

      // The terminal is gone with the program that made it.
      await couple[side].kill();
      await until(() => !existsSync(`/proc/${quiver}`), `the end of the ${side}`);
      const other = side === "sender" ? couple.receiver : couple.sender;
      const status = await other.exit;

      assert.equal(status, errorCodes.CANCELLED.exit, other.said);
      assert.deepEqual(finalNames(couple.into), []);
      await couple.again(stage);
      couple.assertResumed();
    },
  })),
  ...sides.map((side) => ({
    title: `a ${side} to whom nobody listens any more still does its work`,
    async play(stage: Stage) {
      const couple = await underWay(stage);

      couple[side].deafen();
      const exits = [await couple.sender.exit, await couple.receiver.exit];

      assert.deepEqual(exits, [0, 0], `${couple.sender.said}; ${couple.receiver.said}`);
      assertSame(couple.path, join(couple.into, basename(couple.path)));
    },
  })),
  {
    title: "R11: two receivers with one ticket and one folder: one gets it, the other says so",
    async play(stage) {
      const couple = await underWay(stage);
      const first = couple.receiver;

      couple.receive("home-c");
      const status = await couple.receiver.exit;

      assert.equal(status, errorCodes.PEER_REJECTED.exit, couple.receiver.said);
      assert.match(couple.receiver.errors, /in use by another receiver/);
      assert.deepEqual([await first.exit, await couple.sender.exit], [0, 0], first.said);
      assertSame(couple.path, join(couple.into, basename(couple.path)));
      assert.deepEqual(leftovers(couple.into), []);
    },
  },
  {
    title: "R11: the same command twice at once ends once with everything, and once says why not",
    async play(stage) {
      const couple = await underWay(stage);
      const first = couple.receiver;

      couple.receive();
      const exits = [await first.exit, await couple.receiver.exit].sort();

      const said = `${first.said}; ${couple.receiver.said}`;
      assert.equal(exits[0], 0, said);
      assert.ok([0, 3, 6, 7].includes(exits[1] ?? -1), said);
      assert.equal(await couple.sender.exit, 0, couple.sender.said);
      assertSame(couple.path, join(couple.into, basename(couple.path)));
      assert.deepEqual(leftovers(couple.into), []);
    },
  },
  {
    title: "R11: two receivers of a kept ticket in one folder get a copy each",
    async play(stage) {
      const couple = await underWay(stage, { sendFlags: ["--keep"] });
      const first = couple.receiver;

      couple.receive("home-c");
      const exits = [await first.exit, await couple.receiver.exit];

      assert.deepEqual(exits, [0, 0], `${first.said}; ${couple.receiver.said}`);
      assert.deepEqual(leftovers(couple.into), []);
      const names = finalNames(couple.into);
      assert.equal(names.length, 2, names.join());
      for (const name of names) assertSame(couple.path, join(couple.into, name));
    },
  },
];

/** A transfer of some seconds, of which the journal tells already. */
async function underWay(stage: Stage, options: Partial<CoupleFlags> = {}): Promise<Couple> {
  if (options.sendBy || options.receiveBy) requirePython();
  const folder = testFolder(stage);
  const bytes = 768 * MiB;
  const path = sparseFile(join(folder, "film.img"), bytes);
  const couple = await Couple.start(stage, { places: loopback, folder, path, ...options });
  await couple.midway(bytes / 8);
  return couple;
}

interface CoupleFlags {
  sendFlags: string[];
  sendBy: string[];
  receiveBy: string[];
}

function requirePython(): void {
  if (spawnSync("python3", ["--version"]).status !== 0) throw new NotHere("there is no python3");
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
  return text.split(" ").filter(Boolean).map(Number);
}

/** Runs the words after it in a terminal of their own. */
const inTerminal = ["python3", "-c", "import pty, sys; pty.spawn(sys.argv[1:])"];
