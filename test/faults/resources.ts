/** Too few descriptors, threads, bytes of memory; and a clock that jumps. On one machine. */

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { errorCodes } from "../../src/index.ts";
import { encodeRecord } from "../../src/transfer/journal-records.ts";
import { assertSame, randomFile, sparseFile } from "../netlab/contents.ts";
import { asItIs, Quiver, type Stage, testFolder } from "../netlab/hosts.ts";
import { Couple, type CoupleOptions, leftovers, loopback } from "./couple.ts";
import { Group, memoryOf } from "./limits.ts";
import { LoopDisk } from "./loop-disk.ts";
import { type Fault, NotHere } from "./stage.ts";

const MiB = 2 ** 20;
const GiB = 2 ** 30;

/** All of them; some need root. */
export const resources: readonly Fault[] = [
  {
    title: "10,000 files arrive though each side may have only 64 files open",
    isQuick: true,
    async play(stage) {
      requireProgram("prlimit");
      const path = smallFiles(testFolder(stage), 10_000, 100);
      const by = ["prlimit", "--nofile=64"];

      const couple = await begin(stage, path, { sendBy: by, receiveBy: by });

      await couple.arrived(stage);
    },
  },
  {
    title: "a file above what the receiver may write ends both sides with its name",
    async play(stage) {
      requireProgram("prlimit");
      const path = randomFile(join(testFolder(stage), "large"), 24 * MiB);

      const couple = await begin(stage, path, { receiveBy: ["prlimit", `--fsize=${8 * MiB}`] });

      for (const side of [couple.receiver, couple.sender]) {
        assert.equal(await side.exit, errorCodes.DISK_FULL.exit, side.said);
        assert.match(side.errors, /large/);
      }
    },
  },
  {
    title: "1 GiB arrives though each side may have only 256 MB of memory",
    async play(stage) {
      // On a disk: files in memory would count.
      const path = sparseFile(join(testFolder(stage, tmpdir()), "large"), GiB);
      await arriveInMemory(stage, path, testFolder(stage, tmpdir()));
    },
  },
  {
    title: "R5: a partial file of 100 GB goes on within a second",
    async play(stage) {
      const folder = testFolder(stage);
      const disk = new LoopDisk(stage, folder, { system: "xfs" }, 200 * GiB);
      const path = sparseFile(join(folder, "huge"), 100e9);
      const into = join(disk.path, "into");
      const couple = await begin(stage, path, { into });
      await couple.midway(64 * MiB);
      await couple.receiver.kill();
      proveAll(into, 100e9);

      const since = performance.now();
      couple.receive();
      const resumed = await couple.receiver.event("resumed");

      const { receiver } = couple;
      const [offer] = receiver.events.filter(({ type }) => type === "offer");
      const ms = receiver.heardAt(resumed) - receiver.heardAt(offer ?? resumed);
      const allMs = receiver.heardAt(resumed) - since;
      stage.diagnostic(`${Math.round(ms)} ms after the offer, ${Math.round(allMs)} ms in all`);
      assert.ok(resumed.bytes > 99e9, `${resumed.bytes} bytes were taken over`);
      assert.ok(ms < 1000, `${ms} ms`);
    },
  },
  {
    title: "100 GB arrive though each side may have only 256 MB of memory",
    isLong: true,
    limitMs: 60 * 60_000,
    async play(stage) {
      // A disk that keeps zeros for nothing.
      const disk = zeroDisk(stage, testFolder(stage));
      const path = sparseFile(join(testFolder(stage), "huge"), 100e9);
      await arriveInMemory(stage, path, join(disk, "into"));
    },
  },
  {
    title: "1,000,000 files arrive though each side may have only 256 MB of memory",
    isLong: true,
    limitMs: 60 * 60_000,
    async play(stage) {
      const path = smallFiles(testFolder(stage, tmpdir()), 1_000_000, 0);
      await arriveInMemory(stage, path, testFolder(stage, tmpdir()));
    },
  },
  {
    title: "1,000,000 files go on though each side may have only 256 MB of memory",
    isLong: true,
    limitMs: 60 * 60_000,
    async play(stage) {
      const path = smallFiles(testFolder(stage, tmpdir()), 1_000_000, 0);
      await arriveInMemory(stage, path, testFolder(stage, tmpdir()), async (couple) => {
        await couple.receiver.event("progress", ({ files }) => files >= 700_000);
        await couple.receiver.kill();
        couple.receive();
        const { files } = await couple.receiver.event("progress");
        stage.diagnostic(`${files} files were taken over`);
        assert.ok(files > 500_000, `${files} files were taken over`);
      });
    },
  },
  ...(["sender", "receiver"] as const).map((side) => ({
    title: `a ${side} that gets no new thread any more does its work, or says why not`,
    async play(stage: Stage) {
      const group = new Group(stage, "pids", 1000);
      const path = randomFile(join(testFolder(stage), "file"), 64 * MiB);
      const by = side === "sender" ? { sendBy: group.words } : { receiveBy: group.words };
      const couple = await begin(stage, path, by);

      await couple[side].event("connected");
      group.freeze();
      const exits = [await couple.sender.exit, await couple.receiver.exit];

      const said = `${couple.sender.said}; ${couple.receiver.said}`;
      stage.diagnostic(`exit statuses ${exits.join(" and ")}`);
      assert.doesNotMatch(said, /panic|this is a bug/);
      if (exits.some((exit) => exit !== 0)) assert.match(couple[side].errors, /quiver: /);
      else assertSame(path, join(couple.into, basename(path)));
    },
  })),
  {
    title: "a command that may have few threads ends with a message, or does its work",
    async play(stage) {
      const path = randomFile(join(testFolder(stage), "file"), 1000);
      const home = join(testFolder(stage), "home");
      const told: string[] = [];

      for (const threads of [12, 16, 20, 24]) {
        const { words } = new Group(stage, "pids", threads);
        const sender = new Quiver(
          loopback,
          "a",
          home,
          ["send", path, "--json", ...asItIs, ...local],
          words,
        );
        stage.after(() => sender.kill());
        // What it says in the end, where it comes so far.
        const end = await Promise.race([sender.exit, sender.event("ready").then(() => "ready")]);
        told.push(`${threads}: ${end}`);
        assert.ok(end === "ready" || sender.errors !== "", `${threads} threads: ${sender.said}`);
      }

      stage.diagnostic(told.join(", "));
      assert.match(told.at(-1) ?? "", /ready/);
    },
  },
  ...[-3600, 10 * 365 * 86_400].map((jump) => ({
    title: `a clock that jumps by ${jump} seconds changes nothing`,
    async play(stage: Stage) {
      const clock = new FalseClock(stage);
      const path = sparseFile(join(testFolder(stage), "file"), 768 * MiB);
      const couple = await begin(stage, path, { sendBy: clock.words, receiveBy: clock.words });
      await couple.midway(96 * MiB);

      clock.jump(jump);

      await couple.arrived(stage);
      const events = [...couple.sender.events, ...couple.receiver.events];
      const rates = events.map((event) => (event.type === "progress" ? event.throughput : 0));
      assert.ok(rates.every((rate) => rate >= 0 && Number.isFinite(rate)));
    },
  })),
];

/** Starts a transfer on this machine. */
function begin(stage: Stage, path: string, options: Partial<CoupleOptions>): Promise<Couple> {
  return Couple.start(stage, { places: loopback, folder: testFolder(stage), path, ...options });
}

async function arriveInMemory(
  stage: Stage,
  path: string,
  into: string,
  disturb?: (couple: Couple) => Promise<void>,
): Promise<void> {
  const send = new Group(stage, "memory", memoryBytes);
  const receive = new Group(stage, "memory", memoryBytes);
  const since = performance.now();
  const couple = await begin(stage, path, {
    into,
    sendBy: send.words,
    receiveBy: receive.words,
  });
  const most = { sender: 0, receiver: 0 };
  const watch = setInterval(() => {
    for (const side of ["sender", "receiver"] as const) {
      try {
        // One that has just ended has none to tell.
        most[side] = Math.max(most[side], memoryOf(couple[side].pid).own || 0);
      } catch {
        // It has ended.
      }
    }
  }, 100);
  stage.after(() => clearInterval(watch));

  await disturb?.(couple);
  // Where one was ended for its memory, the other would wait for an hour.
  await Promise.all([assertEndsWell(couple.sender), assertEndsWell(couple.receiver)]);

  const seconds = Math.round((performance.now() - since) / 1000);
  const own = `${Math.round(most.sender / MiB)} and ${Math.round(most.receiver / MiB)} MiB`;
  stage.diagnostic(`${seconds} s; own memory of sender and receiver at most ${own}`);
  assertSame(path, join(couple.into, basename(path)));
}

async function assertEndsWell(side: Quiver): Promise<void> {
  assert.equal(await side.exit, 0, side.said);
}

/** Makes files in folders of a thousand. */
function smallFiles(folder: string, count: number, bytes: number): string {
  const path = join(folder, "many");
  for (let n = 0; n < count; n += 1) {
    const below = join(path, String(Math.floor(n / 1000)));
    if (n % 1000 === 0) mkdirSync(below, { recursive: true });
    writeFileSync(join(below, String(n)), String(n).padEnd(bytes).slice(0, bytes));
  }
  return path;
}

/** Makes a journal tell that all pieces of its one file are proven, but for the last. */
function proveAll(into: string, bytes: number): void {
  const [name = ""] = leftovers(into);
  const journal = join(into, name, "journal");
  const pieces = Math.floor(bytes / MiB);
  for (let first = 0; first < pieces; first += 1000) {
    const count = Math.min(1000, pieces - first);
    const values = new Uint8Array(32 * count);
    const run = { entry: 0, pieceBytes: MiB, first, values };
    appendFileSync(journal, encodeRecord({ kind: "proven", run }));
  }
}

/** A disk of 200 GB in compressed memory, where this machine has that. */
function zeroDisk(stage: Stage, folder: string): string {
  const [device] = readdirSync("/sys/block").filter((name) => name.startsWith("zram"));
  if (!device) throw new NotHere("there is no zram");
  const size = join("/sys/block", device, "disksize");
  try {
    writeFileSync(size, String(200 * GiB));
  } catch (error) {
    throw new NotHere(`${device} is in use`, { cause: error });
  }
  stage.after(() => writeFileSync(join("/sys/block", device, "reset"), "1"));
  const path = join(folder, "zeros");
  mkdirSync(path);
  execFileSync("mkfs.ext4", ["-q", `/dev/${device}`]);
  execFileSync("mount", [`/dev/${device}`, path]);
  stage.after(() => execFileSync("umount", [path]));
  return path;
}

/** A wall clock that commands believe in, by libfaketime. */
class FalseClock {
  readonly words: string[];
  readonly #path: string;

  constructor(stage: Stage) {
    requireProgram("faketime");
    const library = spawnSync("faketime", ["now", "sh", "-c", "echo $LD_PRELOAD"]);
    this.#path = join(testFolder(stage), "now");
    writeFileSync(this.#path, "+0\n");
    this.words = [
      "env",
      `LD_PRELOAD=${library.stdout.toString().trim()}`,
      `FAKETIME_TIMESTAMP_FILE=${this.#path}`,
      "FAKETIME_NO_CACHE=1",
      "FAKETIME_DONT_FAKE_MONOTONIC=1",
    ];
  }

  /** Sets the clock forward, or back. */
  jump(seconds: number): void {
    writeFileSync(this.#path, `${seconds < 0 ? "" : "+"}${seconds}\n`);
  }
}

function requireProgram(name: string): void {
  if (spawnSync(name, ["--version"]).error) throw new NotHere(`there is no ${name}`);
}

const memoryBytes = 256e6;
const local = ["--listen", "127.0.0.1:0"];
