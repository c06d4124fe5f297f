/** How many writes are under way at once: counted on a slow disk, in what the system says of each thread. */

import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { arch, tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Couple, loopback } from "../faults/couple.ts";
import { LoopDisk } from "../faults/loop-disk.ts";
import { NotHere, playOrSkip } from "../faults/stage.ts";
import { randomFile } from "./contents.ts";
import { type Quiver, testFolder } from "./hosts.ts";

const MiB = 2 ** 20;
/** The number of `pwrite64`. */
const numbers: Partial<Record<NodeJS.Architecture, string>> = { x64: "18", arm64: "68" };

test("--write-concurrency 1 lets one write be under way at a time", async (t) => {
  await playOrSkip(t, async (stage) => {
    const pwrite = numbers[arch()];
    if (!pwrite) throw new NotHere(`the number of pwrite64 on ${arch()} is not known here`);
    const folder = testFolder(stage, tmpdir());
    const disk = new LoopDisk(stage, folder, { system: "ext4", options: "sync" }, 256 * MiB);
    // Of several files, as the system lets one write at a time be made to each: without a limit there are three.
    const path = join(folder, "files");
    mkdirSync(path);
    for (let at = 0; at < 8; at += 1) randomFile(join(path, `${at}`), 8 * MiB);
    const into = join(disk.path, "into");
    const receiveFlags = ["--write-concurrency", "1"];
    const options = { places: loopback, folder, path, into, receiveFlags };

    const { receiver } = await Couple.start(stage, options);

    const counts = await countWhileItLives(receiver, () => writing(receiver.pid, pwrite));
    assert.equal(await receiver.exit, 0, receiver.said);
    t.diagnostic(`${counts.length} looks`);
    assert.equal(Math.max(...counts), 1);
  });
});

async function countWhileItLives(quiver: Quiver, count: () => number): Promise<number[]> {
  let isOver = false;
  void quiver.exit.finally(() => {
    isOver = true;
  });
  const counts = [0];
  while (!isOver) {
    counts.push(count());
    await turn();
  }
  return counts;
}

/**
 * Writes of a process to the files of a transfer that are under way at once; its journal is written beside them.
 *
 * One thread is looked at after the other: what both looks find was there between them.
 */
function writing(pid: number, pwrite: string): number {
  try {
    const before = calls(pid);
    const still = [...calls(pid)].filter(([thread, call]) => before.get(thread) === call);
    const files = still
      .map(([, call]) => call.split(" "))
      .filter(([number]) => number === pwrite)
      .map(([, fd]) => readlinkSync(`/proc/${pid}/fd/${Number(fd)}`));
    return files.filter((file) => !file.includes("journal")).length;
  } catch {
    // It has ended, or a thread has.
    return 0;
  }
}

/** The system call that each thread is in: its number, what it was given, and where the thread stands. */
function calls(pid: number): Map<string, string> {
  const tasks = `/proc/${pid}/task`;
  const call = (thread: string) => readFileSync(join(tasks, thread, "syscall"), "utf8");
  return new Map(readdirSync(tasks).map((thread) => [thread, call(thread)]));
}
