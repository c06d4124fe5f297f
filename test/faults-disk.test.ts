/**
 * Each operation on a disk fails once, at every place.
 *
 * Both sides say what failed and why, nothing is half there, and without the failure it ends well.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { DiskOperation, MemoryDisk } from "../src/engine/memory-disk.ts";
import type { ErrorCode, Receipt } from "../src/index.ts";
import {
  checkJournals,
  checkNames,
  checkStored,
  type Ends,
  type Life,
  live,
  treeOf,
  visibleOf,
} from "./crash-life.ts";
import { scenes } from "./crash-scenes.ts";
import { DiskFaults } from "./disk-faults.ts";
import { leftoverOf } from "./journals.ts";

/** What fails on the receiver's disk. */
const onReceiver: Record<string, DiskOperation[]> = {
  DISK_FULL: [
    ...(["append", "copy", "createFolder", "createLink", "createPartial", "openLog"] as const),
    ...(["openPartial", "rename", "sync", "syncAll", "syncLog", "write"] as const),
  ],
  DISK_FAILED: [
    ...(["append", "copy", "createLink", "createPartial", "hash", "list", "openFolder"] as const),
    ...(["openPartial", "read", "readLog", "remove", "rename", "setMetadata", "stat"] as const),
    ...(["sync", "syncAll", "syncLog", "truncate", "write"] as const),
  ],
  DISK_DENIED: [
    ...(["createFolder", "createLink", "createPartial", "openFolder", "openLog"] as const),
    ...(["openPartial", "openSource", "remove", "rename", "setMetadata"] as const),
  ],
};

/** What fails on the sender's disk. */
const onSender: Record<string, DiskOperation[]> = {
  DISK_FAILED: ["hash", "openSource", "read"],
  DISK_DENIED: ["openSource"],
};

/** What need not succeed: other files are only compared, another folder does as well, or all is done. */
const isSpare = new Set<DiskOperation>([
  ...(["createFolder", "hash", "openFolder", "openLog", "openPartial", "openSource"] as const),
  ...(["read", "remove", "stat"] as const),
]);

const played = scenes.filter(({ name }) =>
  [
    "a tree with all kinds of things",
    "a file over one that is equal in part",
    "a folder into one that is there",
    "a transfer that was cut twice",
    "what is missing of a folder that travels with its offer",
  ].includes(name),
);

let faultsMet = 0;

for (const [side, codes] of [["receiver", onReceiver] as const, ["sender", onSender] as const]) {
  for (const [code, operations] of Object.entries(codes) as [ErrorCode, DiskOperation[]][]) {
    for (const operation of operations) {
      test(`${code} at each ${operation} of the ${side}`, async (t) => {
        const faults = new DiskFaults(t);
        for (const scene of played) {
          const life = await live(t, scene, 1);
          for (let n = 1; await fails(life, faults, { side, operation, n, code }); n += 1) {
            faultsMet += 1;
          }
        }
      });
    }
  }
}

test("no operation was left out", (t) => {
  t.diagnostic(`${faultsMet} failures`);
  assert.ok(faultsMet > 500);
});

interface Case {
  side: "receiver" | "sender";
  operation: DiskOperation;
  n: number;
  code: ErrorCode;
}

/** Lets one operation of a life's last offer fail; false if there are not so many. */
async function fails(life: Life, faults: DiskFaults, { side, ...failing }: Case): Promise<boolean> {
  const disk = diskBefore(life);
  let provenBytes = Number.POSITIVE_INFINITY;
  const fault = faults.at(side === "receiver" ? disk : life.sender, {
    ...failing,
    met() {
      provenBytes = provenBytesOn(disk);
    },
  });
  const ends = await life.attempt(disk);
  fault.restore();
  if (fault.path === null) return false;
  const { operation, n } = failing;
  const told = [failuresOf(ends.sent), failuresOf(ends.received)];
  const why = [
    `${life.scene.name}: ${operation} number ${n}, of ${fault.path || "a folder"}`,
    ...told.map((failures) => JSON.stringify(failures)),
  ].join("\n");

  if (told.flat().length === 0) {
    assert.ok(isSpare.has(operation), `nobody is told\n${why}`);
    checkStored(life, visibleOf(treeOf(disk)), why);
    return true;
  }
  for (const failures of told) {
    const isNamed = failures.some((text) => isAbout(text, failing.code, fault.path ?? ""));
    assert.ok(isNamed, `a side is not told of what failed\n${why}`);
  }
  checkWhatIsThere(life, disk, ends, why);
  // What a failed sync was to keep is not to be believed, whatever later syncs say.
  const isSync = /^(sync|append)/.test(operation);
  if (isSync) assert.ok(provenBytesOn(disk) <= provenBytes, `the journal went on\n${why}`);
  await checkNext(life, disk, ends, why);
  return true;
}

/** The receiver's disk when the last offer came. */
function diskBefore({ recording, offeredAt }: Life): MemoryDisk {
  const [state] = recording.crashStates({ seed: 1, perPoint: 1, point: offeredAt });
  assert.ok(state);
  return state.disk;
}

function provenBytesOn(disk: MemoryDisk): number {
  const journals = [...treeOf(disk).values()].filter(({ path }) => path.endsWith("/journal"));
  const proven = journals.map(({ bytes }) => leftoverOf(bytes)?.provenBytes ?? 0);
  return proven.reduce((sum, one) => sum + one, 0);
}

/** Every failure that a side was told of: its code, the file, and the reason. */
function failuresOf(end: PromiseSettledResult<Receipt>): string[] {
  if (end.status === "rejected") return [`${end.reason.code} ${end.reason.message}`];
  const failed = [...end.value.files].filter(({ status }) => status === "failed");
  return failed.map(({ code, path, reason }) => `${code} ${path}: ${reason}`);
}

/** Whether a text has the code and names the path; `.` is no name for a folder. */
function isAbout(text: string, code: string, path: string): boolean {
  return text.startsWith(`${code} `) && text.includes(path) && !/[ :]\.: /.test(text);
}

function checkWhatIsThere(life: Life, disk: MemoryDisk, { sent, received }: Ends, why: string) {
  const visible = visibleOf(treeOf(disk));
  const results = received.status === "fulfilled" ? [...received.value.files] : [];
  const failed = results.filter(({ status }) => status === "failed");
  checkNames(life, visible, why, new Set(failed.map(({ path }) => path)));
  checkJournals(life, disk, why);
  for (const { status, path, savedAs } of sent.status === "fulfilled" ? sent.value.files : []) {
    if (status !== "received") continue;
    const [there, fresh] = [visible.get(savedAs ?? path), life.after.get(savedAs ?? path)];
    const isThere = there && fresh && Buffer.compare(there.bytes, fresh.bytes) === 0;
    assert.ok(isThere, `${path} was received, and is not there\n${why}`);
  }
}

/** Without the failure, the next try ends well. */
async function checkNext(life: Life, disk: MemoryDisk, { received }: Ends, why: string) {
  const isLeft = treeOf(disk).size > visibleOf(treeOf(disk)).size;
  const hasLanded = received.status === "fulfilled" && !isLeft;
  await life.offerAgain(disk, hasLanded ? "overwrite" : undefined).catch((error) => {
    throw new Error(`the next try fails\n${why}`, { cause: error });
  });
  const found = treeOf(disk);
  if (!hasLanded) return checkStored(life, found, why);
  // What is merged into what is there: modes and times of its folders stay.
  checkNames(life, found, why);
  assert.deepEqual([...found.keys()], [...life.after.keys()], why);
}
