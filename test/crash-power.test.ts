/** Power is cut at every change of the receiver's disk: what is left is whole, true, and goes on. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { CrashState } from "../src/engine/memory-crash.ts";
import {
  checkRecovery,
  checkState,
  journalIn,
  type Life,
  live,
  type Scene,
  treeOf,
} from "./crash-life.ts";
import { scenes } from "./crash-scenes.ts";
import { seedOf } from "./seed.ts";

let states = 0;

const twoFiles: Scene = {
  name: "two files",
  offer: ["first", "second"],
  prepare({ sender, bytes }) {
    sender.write("/home/first", bytes(3000));
    sender.write("/home/second", bytes(3000));
  },
};

for (const scene of scenes) {
  test(`R1, R2, R3: power is cut: ${scene.name}`, async (t) => {
    const seed = seedOf(t);
    const life = await live(t, scene, seed);
    const { recording, toldAt } = life;
    assert.ok(toldAt < recording.point, "the staging folder goes after the receipt");
    assert.equal(life.oldJournal.length > 0, scene.cuts !== undefined);
    const first = states;
    let recoveries = 0;

    for (const state of recording.crashStates({ seed, perPoint: 28 })) {
      checkState(life, state);
      states += 1;
      if (states % 40 !== 0 || state.point >= toldAt) continue;
      recoveries += 1;
      // The next try begins with what this crash has left of the journal.
      const oldJournal = journalIn(state.disk);
      const again = await checkRecovery(life, state);
      if (recoveries % 10 === 0) await crashAgain({ ...life, ...again, oldJournal }, seed);
    }

    t.diagnostic(`${recording.point} changes, ${states - first} states, ${recoveries} recoveries`);
  });
}

/** Power is cut at every change of the next try, too. */
async function crashAgain(life: Life, seed: number): Promise<void> {
  let at = 0;
  for (const state of life.recording.crashStates({ seed, perPoint: 3 })) {
    checkState(life, state);
    states += 1;
    at += 1;
    if (at % 40 === 0 && state.point < life.toldAt) await checkRecovery(life, state);
  }
}

test("what has landed is known again, though the rest was lost and the next try crashed, too", async (t) => {
  const seed = seedOf(t);
  const life = await live(t, twoFiles, seed);
  const isBetween = ({ disk }: CrashState) =>
    disk.stat("/home/inbox/first") !== null && disk.stat("/home/inbox/second") === null;
  const [between] = [...life.recording.crashStates({ seed, perPoint: 1 })].filter(isBetween);
  assert.ok(between);
  const lost = between.disk.tree("/").find(({ path }) => path.endsWith("/files/second"));
  between.disk.remove(`/${lost?.path}`);

  const again = await life.offerAgain(between.disk);

  for (const state of again.recording.crashStates({ seed, perPoint: 2 })) {
    if (state.point >= again.toldAt) break;
    await checkRecovery(life, state);
  }
});

test("what has landed and was edited since is not taken for what is sent", async (t) => {
  const seed = seedOf(t);
  const life = await live(t, twoFiles, seed);
  const { toldAt } = life;
  const [state] = life.recording.crashStates({ seed, perPoint: 1, point: toldAt });
  assert.ok(state);
  state.disk.write("/home/inbox/first", Buffer.from("edited"));

  await life.offerAgain(state.disk);

  const names = ["first", "first (2)", "second"];
  assert.deepEqual([...treeOf(state.disk).keys()].sort(), names);
  assert.equal(Buffer.from(state.disk.read("/home/inbox/first")).toString(), "edited");
});

test("that were more than ten thousand states", (t) => {
  t.diagnostic(`${states} states`);
  assert.ok(states > 10_000);
});
