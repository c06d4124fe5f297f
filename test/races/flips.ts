/** A folder with swapped places in it, the process that swaps them, and the canaries outside. */

import assert from "node:assert/strict";
import { fork } from "node:child_process";
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { openNativeEngine } from "../../src/engine/native.ts";
import { TransferError } from "../../src/errors.ts";
import { defaultTuning } from "../../src/index.ts";
import { atEnd } from "../ending.ts";
import { temporaryFolder } from "../peers.ts";
import { build, inside, names, type Spot } from "./flipper.ts";
import { bytesTimeMs, type Ground, type Operation } from "./operations.ts";

/** How often things were swapped, and how often each operation was `done` or failed with which code. */
export interface Tally {
  flips: number;
  operations: Record<string, Record<string, number>>;
}

/** Places that are swapped, and what must stay as it is. */
export interface Flips {
  /** How often they were swapped so far. */
  count: () => number;
  /** Checks that nothing outside was changed, not even for a moment. */
  assertUntouched: () => void;
  /** Ends the swapping. Twice is fine. */
  stop: () => Promise<void>;
}

/** Begins to swap the places below a folder for links to another one. */
export async function startFlips(spots: readonly Spot[], outside: string): Promise<Flips> {
  for (const spot of spots) build(spot);
  const before = snapshot(outside);
  const flipper = fork(program, [JSON.stringify(spots)]);
  let count = 0;
  const ended = new Promise((resolve) => flipper.once("exit", resolve));
  const begun = Promise.withResolvers<void>();
  flipper.on("message", (flips) => {
    count = Number(flips);
    begun.resolve();
  });
  await begun.promise;
  return {
    count: () => count,
    assertUntouched: () => assert.deepEqual(snapshot(outside), before),
    async stop() {
      flipper.kill("SIGKILL");
      await ended;
    },
  };
}

/** Makes the folder of the canaries; whatever is looked for inside is there too. */
export function makeOutside(home: string): string {
  const outside = join(home, "outside");
  mkdirSync(join(outside, "deep"), { recursive: true });
  for (const name of [...names, "log", "only-outside", "leaf"]) {
    writeFileSync(join(outside, name), `a canary: ${name} ${"x".repeat(100)}`);
  }
  return outside;
}

/** Repeats operations side by side while places are swapped, until `isOver` says so. */
export async function raceOperations(
  t: TestContext,
  operations: { readonly [name: string]: Operation },
  isOver: (flips: number) => boolean,
): Promise<Tally> {
  const home = temporaryFolder(t);
  const outside = makeOutside(home);
  for (const folder of ["in", "quiet", "spare"]) mkdirSync(join(home, folder));
  writeFileSync(join(home, "quiet", "bytes"), inside);
  utimesSync(join(home, "quiet", "bytes"), bytesTimeMs / 1000, bytesTimeMs / 1000);
  const spots: Spot[] = [
    { kind: "folder", path: join(home, "in/flip"), spare: join(home, "spare/a"), outside },
    { kind: "folder", path: join(home, "in/tree/inner"), spare: join(home, "spare/b"), outside },
    {
      kind: "file",
      path: join(home, "in/leaf"),
      spare: join(home, "spare/c"),
      outside: join(outside, "leaf"),
    },
  ];
  const flips = await startFlips(spots, outside);
  try {
    const ground = await groundOf(t, home);
    return await raceOn(ground, flips, operations, isOver);
  } finally {
    // Before anything else: nobody can remove what is swapped.
    await flips.stop();
  }
}

async function raceOn(
  ground: Ground,
  flips: Flips,
  operations: { readonly [name: string]: Operation },
  isOver: (flips: number) => boolean,
): Promise<Tally> {
  const tally: Tally["operations"] = {};
  for (const name of Object.keys(operations)) tally[name] = {};
  const isMet = () => Object.values(tally).every(({ done = 0 }) => done > 0);
  const latest = performance.now() + mostMs;
  const loops = Object.entries(operations).map(async ([name, operate]) => {
    const counts = tally[name] ?? {};
    for (let n = 0; ; n += 1) {
      // A busy machine may need longer until everything was done once.
      if (isOver(flips.count()) && (isMet() || performance.now() > latest)) break;
      const outcome = await operate(ground, n).then(() => "done", diskCode);
      counts[outcome] = (counts[outcome] ?? 0) + 1;
      if (n % 100 === 0) flips.assertUntouched();
    }
  });
  await Promise.all(loops);
  await flips.stop();
  flips.assertUntouched();
  return { flips: flips.count(), operations: tally };
}

/** The code of a failure that a swapped place explains; anything else is thrown on. */
function diskCode(error: unknown): string {
  if (error instanceof TransferError && explained.has(error.code)) return error.code;
  throw error;
}

async function groundOf(t: TestContext, home: string): Promise<Ground> {
  const engine = openNativeEngine({ workerThreads: 1 });
  const folder = await engine.openFolder(join(home, "in"));
  const quiet = await engine.openFolder(join(home, "quiet"));
  const bind = async () => {
    const secretKey = crypto.getRandomValues(new Uint8Array(32));
    const options = { ...defaultTuning, secretKey, listen: ["127.0.0.1:0"], alpn: "quiver-race/1" };
    const endpoint = await engine.bind(options);
    atEnd(t, () => endpoint.close());
    return endpoint;
  };
  const [from, to] = [await bind(), await bind()];
  const accepting = from.accept();
  const far = await to.connect(from.peerId, from.addresses, 10_000);
  const near = await accepting;
  assert.ok(near);
  return { path: join(home, "in"), folder, quiet, near, far };
}

/** All there is to see of a folder: also what came and went has left its mark in a time. */
function snapshot(path: string): string[] {
  const { mode, ino, nlink, mtimeNs, ctimeNs } = lstatSync(path, { bigint: true });
  const own = [path, mode, ino, nlink, mtimeNs, ctimeNs].join();
  if (!lstatSync(path).isDirectory()) return [own, readFileSync(path, "utf8")];
  return [own, ...readdirSync(path).flatMap((name) => snapshot(join(path, name)))];
}

const mostMs = 30_000;
/** The last one: what was a link when it was looked at is a folder when it is removed. */
const explained = new Set([
  "DISK_DENIED",
  "DISK_MISSING",
  "DISK_EXISTS",
  "DISK_BUSY",
  "SOURCE_CHANGED",
  "DISK_FAILED",
]);
const program = fileURLToPath(new URL("flipper.ts", import.meta.url));
