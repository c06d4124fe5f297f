/** What a power loss may leave on a disk in memory, and what it may not. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Folder } from "../src/engine/engine.ts";
import { createMemoryNetwork } from "../src/engine/memory.ts";
import { seededChance } from "../src/engine/memory-chance.ts";
import { DiskRecording } from "../src/engine/memory-crash.ts";
import { MemoryDisk } from "../src/engine/memory-disk.ts";
import { MemoryFolder } from "../src/engine/memory-folder.ts";
import { below, type DiskNode } from "../src/engine/memory-node.ts";
import { TransferError } from "../src/errors.ts";

interface Crash {
  why: string;
  /** Files that are on the disk before, with their text; a name that ends in `/` is a folder. */
  before?: Record<string, string>;
  act: (folder: Folder) => Promise<void>;
  /** Everything that a crash after the act may leave; see {@link seen}. */
  leaves: string[];
}

const names: Crash[] = [
  {
    why: "a new name that was not synced may be gone",
    act: (folder) => create(folder, "a"),
    leaves: ["", "a"],
  },
  {
    why: "a file's sync does not keep its name",
    act: (folder) => create(folder, "a", "sync"),
    leaves: ["", "a"],
  },
  {
    why: "a folder's sync keeps the new names in it",
    act: async (folder) => {
      await create(folder, "a");
      await folder.sync();
    },
    leaves: ["a"],
  },
  {
    why: "a folder's sync keeps only the names that were there",
    act: async (folder) => {
      await create(folder, "a");
      await folder.sync();
      await create(folder, "b");
    },
    leaves: ["a", "a b"],
  },
  {
    why: "several new names are kept independently",
    act: async (folder) => {
      await create(folder, "a");
      await create(folder, "b");
      await folder.createLink("c", "a");
    },
    leaves: ["", "a", "a b", "a b c->a", "a c->a", "b", "b c->a", "c->a"],
  },
  {
    why: "a folder's sync does not keep its own name",
    act: async (folder) => {
      await folder.createFolder("d");
      await create(folder, "d/a");
      await syncFolder(folder, "d");
    },
    leaves: ["", "d/ d/a"],
  },
  {
    why: "a folder's sync does not keep the names in the folders below",
    act: async (folder) => {
      await folder.createFolder("d");
      await create(folder, "d/a");
      await folder.sync();
    },
    leaves: ["d/", "d/ d/a"],
  },
  {
    why: "syncAll keeps all names below",
    act: async (folder) => {
      await folder.createFolder("d");
      await create(folder, "d/a");
      await folder.syncAll();
    },
    leaves: ["d/ d/a"],
  },
  {
    why: "syncAll of a new folder does not keep its own name",
    act: async (folder) => {
      await folder.createFolder("d");
      await create(folder, "d/a");
      await (await folder.openFolder("d")).syncAll();
    },
    leaves: ["", "d/ d/a"],
  },
  {
    why: "a rename that was not synced leaves the old name or the new one",
    before: { old: "" },
    act: (folder) => rename(folder, "old", "new"),
    leaves: ["new", "old"],
  },
  {
    why: "a rename that was synced leaves the new name",
    before: { old: "" },
    act: async (folder) => {
      await rename(folder, "old", "new");
      await folder.sync();
    },
    leaves: ["new"],
  },
  {
    why: "a thing that was renamed twice has one of its names",
    before: { a: "" },
    act: async (folder) => {
      await rename(folder, "a", "b");
      await rename(folder, "b", "c");
    },
    leaves: ["a", "b", "c"],
  },
  {
    why: "a rename that replaces leaves the old file or the new one",
    before: { final: "1", partial: "2" },
    act: (folder) => rename(folder, "partial", "final"),
    leaves: ["final:1 partial:2", "final:2"],
  },
  {
    why: "a rename across folders leaves one name",
    before: { "x/f": "", "y/": "" },
    act: (folder) => rename(folder, "x/f", "y/f"),
    leaves: ["x/ x/f y/", "x/ y/ y/f"],
  },
  ...["x", "y"].map((synced) => ({
    why: `a rename across folders is kept by a sync of ${synced} alone`,
    before: { "x/f": "", "y/": "" },
    act: async (folder: Folder) => {
      await rename(folder, "x/f", "y/f");
      await syncFolder(folder, synced);
    },
    leaves: ["x/ y/ y/f"],
  })),
  {
    why: "a rename into a new folder that is kept keeps the folder",
    before: { "x/f": "" },
    act: async (folder) => {
      await folder.createFolder("y");
      await folder.createFolder("y/z");
      await rename(folder, "x/f", "y/z/f");
      await syncFolder(folder, "x");
    },
    leaves: ["x/ y/ y/z/ y/z/f"],
  },
  {
    why: "a place that another thing takes was left by the first",
    before: { log: "1" },
    act: async (folder) => {
      await rename(folder, "log", "old");
      await create(folder, "log");
    },
    leaves: ["log old:1", "log:1", "old:1"],
  },
  {
    why: "a removal that was not synced may not have been",
    before: { a: "" },
    act: (folder) => folder.remove("a"),
    leaves: ["", "a"],
  },
  {
    why: "a removal that was synced stays",
    before: { a: "" },
    act: async (folder) => {
      await folder.remove("a");
      await folder.sync();
    },
    leaves: [""],
  },
  {
    why: "a folder that is removed goes after what is in it",
    before: { "d/a": "", "d/b": "" },
    act: (folder) => folder.remove("d"),
    leaves: ["", "d/", "d/ d/a", "d/ d/a d/b", "d/ d/b"],
  },
  {
    why: "a folder that is gone for sure had been emptied",
    before: { "d/a": "", "e/": "" },
    act: async (folder) => {
      await rename(folder, "d/a", "e/a");
      await folder.remove("d");
      await folder.sync();
    },
    leaves: ["e/ e/a"],
  },
  {
    why: "a folder that another replaces had been emptied",
    before: { "d/a": "", "e/": "", "new/b": "" },
    act: async (folder) => {
      await rename(folder, "d/a", "e/a");
      await rename(folder, "new", "d");
      await folder.sync();
    },
    leaves: ["d/ d/b e/ e/a"],
  },
];

const contents: Crash[] = [
  {
    why: "what was written, synced, and has a synced name is there",
    act: async (folder) => {
      const log = await folder.openLog("log");
      await log.append(Buffer.from("ab"));
      await log.sync();
      await folder.sync();
    },
    leaves: ["log:ab"],
  },
  {
    why: "a folder's sync does not keep the bytes of a new file",
    act: async (folder) => {
      const log = await folder.openLog("log");
      await log.append(Buffer.from("a"));
      await folder.sync();
    },
    leaves: ["log", "log:0", "log:a"],
  },
  {
    why: "bytes that were appended may be there in part, or as zeros",
    before: { log: "ab" },
    act: (folder) => append(folder, "log", ["XY"]),
    leaves: ["log:ab", "log:ab00", "log:abX", "log:abX0", "log:abXY"],
  },
  {
    why: "the later of two appends may be there without the earlier",
    before: { log: "ab" },
    act: (folder) => append(folder, "log", ["X", "Y"]),
    leaves: ["log:ab", "log:ab0", "log:ab00", "log:ab0Y", "log:abX", "log:abX0", "log:abXY"],
  },
  {
    why: "what was appended before the last sync is there",
    before: { log: "ab" },
    act: async (folder) => {
      const log = await folder.openLog("log");
      await log.append(Buffer.from("XY"));
      await log.sync();
      await log.append(Buffer.from("Z"));
    },
    leaves: ["log:abXY", "log:abXY0", "log:abXYZ"],
  },
  {
    why: "a log that was truncated may not have been",
    before: { log: "abcd" },
    act: async (folder) => (await folder.openLog("log")).truncate(2),
    leaves: ["log:ab", "log:abcd"],
  },
  {
    why: "a log that was truncated and synced is short",
    before: { log: "abcd" },
    act: async (folder) => {
      const log = await folder.openLog("log");
      await log.truncate(2);
      await log.sync();
    },
    leaves: ["log:ab"],
  },
  {
    why: "a file that gets its name before its bytes are synced may be empty",
    before: { final: "1" },
    act: async (folder) => {
      const log = await folder.openLog("new");
      await log.append(Buffer.from("2"));
      await rename(folder, "new", "final");
      await folder.sync();
    },
    leaves: ["final", "final:0", "final:2"],
  },
  {
    why: "syncAll keeps all bytes below",
    before: { "d/log": "ab" },
    act: async (folder) => {
      await append(folder, "d/log", ["XY"]);
      await folder.syncAll();
    },
    leaves: ["d/ d/log:abXY"],
  },
  {
    why: "a sync of one file keeps nothing of another",
    before: { a: "1", b: "1" },
    act: async (folder) => {
      await append(folder, "a", ["2"]);
      const log = await folder.openLog("b");
      await log.append(Buffer.from("2"));
      await log.sync();
    },
    leaves: ["a:1 b:12", "a:10 b:12", "a:12 b:12"],
  },
];

for (const { why, before = {}, act, leaves } of [...names, ...contents]) {
  test(`after a crash, ${why}`, async () => {
    const { disk, folder } = await prepared(before);
    const recording = new DiskRecording(disk);

    await act(folder);

    const { point } = recording;
    const states = [...recording.crashStates({ seed: 1, perPoint: 500, point })];
    assert.deepEqual([...new Set(states.map((state) => seen(state.disk)))].sort(), leaves);
  });
}

test("a file that is overwritten has new bytes up to a block's end, and old ones after", async () => {
  const { disk, folder } = await prepared({ file: "o".repeat(10_000) });
  const recording = new DiskRecording(disk);
  const partial = await folder.openPartial("file", 10_000);

  partial.write(100, Buffer.alloc(9_000, "n"));

  const ends = new Set<number>();
  for (const state of recording.crashStates({ seed: 1, perPoint: 500, point: recording.point })) {
    const text = textOf(state.disk.read("/home/file"));
    assert.match(text, /^o{100}n*o*$/, state.describe);
    ends.add(text.lastIndexOf("n") + 1);
  }
  assert.ok([0, 512, 4_096, 9_100].every((end) => ends.has(end)));
  assert.ok([...ends].every((end) => end === 9_100 || end % 512 === 0));
});

test("a place that had bytes on the disk never has zeros instead", async () => {
  const { disk, folder } = await prepared({ file: "o".repeat(5_000) });
  const recording = new DiskRecording(disk);
  const partial = await folder.openPartial("file", 5_000);

  partial.write(0, Buffer.alloc(6_000, "n"));

  for (const state of recording.crashStates({ seed: 2, perPoint: 300 })) {
    const text = textOf(state.disk.read("/home/file"));
    assert.match(text, /^n*o*0*$/, state.describe);
    assert.ok(!text.slice(0, 5_000).includes("0"), state.describe);
  }
});

test("a file that gets another size has the old one, the new one, or one of blocks between", async () => {
  const { disk, folder } = await prepared({ file: "o".repeat(100) });
  const recording = new DiskRecording(disk);

  await folder.openPartial("file", 10_000);

  const states = recording.crashStates({ seed: 3, perPoint: 300, point: recording.point });
  const sizes = new Set([...states].map((state) => state.disk.stat("/home/file")?.bytes ?? -1));
  assert.ok([100, 512, 4_096, 10_000].every((bytes) => sizes.has(bytes)));
  assert.ok([...sizes].every((bytes) => [100, 10_000].includes(bytes) || bytes % 512 === 0));
});

for (const { path, why } of [
  { path: "file", why: "a file's with the file" },
  { path: "d", why: "a folder's with the folder" },
]) {
  test(`mode and time are synced: ${why}`, async () => {
    const { disk, folder } = await prepared({ file: "1", "d/": "" });
    const recording = new DiskRecording(disk);
    await folder.setMetadata(path, { mode: 0o700, mtimeMs: 5 });
    const unsynced = recording.point;
    if (path === "d") await syncFolder(folder, path);
    else await (await folder.openPartial(path, 1)).sync();

    const modes = (point: number) => {
      const states = [...recording.crashStates({ seed: 4, perPoint: 50, point })];
      return new Set(states.map((state) => state.disk.stat(`/home/${path}`)?.mode));
    };

    assert.equal(modes(unsynced).size, 2);
    assert.deepEqual([...modes(recording.point)], [0o700]);
  });
}

test("a disk after a crash keeps identities, has no locks, and can be used and crash again", async () => {
  const { disk, folder } = await prepared({ a: "1" });
  const recording = new DiskRecording(disk);
  const log = await folder.openLog("log");
  await log.append(Buffer.from("x"));
  await log.sync();
  await folder.sync();

  const [state] = recording.crashStates({ seed: 1, perPoint: 1, point: recording.point });
  assert.ok(state);
  assert.deepEqual(state.disk.stat("/home/log"), disk.stat("/home/log"));
  const engine = createMemoryNetwork().engine("again", state.disk);
  const after = await engine.openFolder("/home");
  const again = new DiskRecording(state.disk);
  await (await after.openLog("log")).append(Buffer.from("y"));
  await create(after, "b");
  const second = [...again.crashStates({ seed: 1, perPoint: 100, point: again.point })];

  assert.equal(textOf(disk.read("/home/log")), "x");
  const identities = ["a", "log", "b"].map((name) => engine.disk.stat(`/home/${name}`)?.identity);
  assert.equal(new Set(identities).size, 3);
  const texts = [...new Set(second.map((one) => seen(one.disk)))].sort();
  const logs = ["log:x", "log:x0", "log:xy"];
  assert.deepEqual(texts, [
    ...logs.map((text) => `a:1 b ${text}`),
    ...logs.map((text) => `a:1 ${text}`),
  ]);
});

test("a disk after a crash has the room that its files leave", async () => {
  const { disk, folder } = await prepared({});
  disk.freeBytes = 100;
  const recording = new DiskRecording(disk);
  await folder.createPartial("a", 60, 0o600);

  const states = recording.crashStates({ seed: 1, perPoint: 2, point: recording.point });
  const free = [...states].map((state) => state.disk.freeBytes);

  assert.deepEqual(free, [40, 100]);
});

test("the first state of each point is the disk as it was, the last one too", async () => {
  const { disk, folder } = await prepared({ "d/a": "1" });
  const recording = new DiskRecording(disk);
  const seenThen = new Map([[0, seen(disk)]]);
  disk.watch(() => seenThen.set(recording.point, seen(disk)));
  await randomLife(folder, { seed: 5, steps: 200 });

  for (const state of recording.crashStates({ seed: 1, perPoint: 1 })) {
    assert.equal(seen(state.disk), seenThen.get(state.point), state.describe);
  }
});

test("the same seed gives the same states, at one point as among all", async () => {
  const { disk, folder } = await prepared({ "d/a": "1" });
  const recording = new DiskRecording(disk);
  await randomLife(folder, { seed: 6, steps: 60 });
  const texts = (seed: number, point?: number) => {
    const options = point === undefined ? { seed, perPoint: 5 } : { seed, perPoint: 5, point };
    return [...recording.crashStates(options)].map((state) => ({
      point: state.point,
      text: `${state.describe} ${JSON.stringify(state.disk.tree("/"))}`,
    }));
  };

  const all = texts(7);

  assert.deepEqual(texts(7), all);
  assert.deepEqual(
    texts(7, 40),
    all.filter(({ point }) => point === 40),
  );
  assert.notDeepEqual(texts(8), all);
});

test("no crash loses or doubles a file that was only moved", async () => {
  const files = Object.fromEntries(["a", "b", "d/c", "d/e/f", "g/h"].map((path) => [path, path]));
  let states = 0;
  for (let seed = 0; seed < 20; seed += 1) {
    const { disk, folder } = await prepared(files);
    const recording = new DiskRecording(disk);
    await randomLife(folder, { seed, steps: 150, isMoving: true });

    for (const state of recording.crashStates({ seed, perPoint: 8 })) {
      const texts = textsOf(state.disk).filter((text) => text !== "");
      assert.deepEqual(texts.sort(), Object.values(files).sort(), state.describe);
      states += 1;
    }
  }
  assert.ok(states > 10_000, `${states}`);
});

test("no crash changes a file or the names in a folder that was synced since its last change", async () => {
  for (let seed = 0; seed < 10; seed += 1) {
    const { disk, folder } = await prepared({ a: "1", "d/b": "2", "d/e/c": "3" });
    const recording = new DiskRecording(disk);
    const clean = cleanThings(disk);
    await randomLife(folder, { seed, steps: 150 });

    for (const state of recording.crashStates({ seed, perPoint: 6 })) {
      const then = clean[state.point];
      for (const { node } of below(state.disk.state.root)) {
        const kept = then?.get(node.identity);
        if (kept !== undefined) assert.equal(insideOf(node), kept, state.describe);
      }
    }
  }
});

test("a description says when it was and what became of what was not synced", async () => {
  const { disk, folder } = await prepared({ log: "a" });
  const recording = new DiskRecording(disk);
  await append(folder, "log", ["b"]);
  await rename(folder, "log", "new");

  const [, none] = recording.crashStates({ seed: 9, perPoint: 2, point: 2 });

  assert.equal(
    none?.describe,
    [
      "after change 2 of 2, rename of /home/log to /home/new; variant 1 of seed 9",
      "  dropped: rename of /home/log to /home/new",
      "  dropped: 1 bytes written at 1 of /home/new",
    ].join("\n"),
  );
});

interface Scene {
  disk: MemoryDisk;
  folder: MemoryFolder;
}

/** A disk with things in `/home`, and that folder. */
async function prepared(before: Record<string, string>): Promise<Scene> {
  const disk = new MemoryDisk();
  disk.folder("/home");
  for (const [path, text] of Object.entries(before)) {
    if (path.endsWith("/")) disk.folder(`/home/${path}`);
    else disk.write(`/home/${path}`, Buffer.from(text));
  }
  return { disk, folder: new MemoryFolder(disk, disk.folderAt("/home")) };
}

/** What is in `/home`, as `folder/ file:text link->target`. */
function seen(disk: MemoryDisk): string {
  const things = disk.tree("/home").map(({ path, kind, bytes, target }) => {
    if (kind === "folder") return `${path}/`;
    if (kind === "link") return `${path}->${target}`;
    return bytes.length === 0 ? path : `${path}:${textOf(bytes)}`;
  });
  return things.join(" ");
}

function textsOf(disk: MemoryDisk): string[] {
  const files = disk.tree("/home").filter(({ kind }) => kind === "file");
  return files.map(({ bytes }) => textOf(bytes));
}

/** Bytes as text; a zero byte is `0`. */
function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1").replaceAll("\0", "0");
}

async function create(folder: Folder, path: string, sync?: "sync"): Promise<void> {
  const partial = await folder.createPartial(path, 0, 0o600);
  if (sync) await partial.sync();
}

async function append(folder: Folder, path: string, texts: string[]): Promise<void> {
  const log = await folder.openLog(path);
  for (const text of texts) await log.append(Buffer.from(text));
  await log.close();
}

async function rename(folder: Folder, from: string, to: string): Promise<void> {
  await folder.rename(from, folder, to, { replace: true });
}

async function syncFolder(folder: Folder, path: string): Promise<void> {
  await (await folder.openFolder(path)).sync();
}

/** For each point of a disk's life from now on: what is in the things that are synced. */
function cleanThings(disk: MemoryDisk): Map<string, string>[] {
  const nodes = [...below(disk.state.root)].map(({ node }) => node);
  const clean = new Map(nodes.map((node) => [node.identity, insideOf(node)]));
  const byPoint = [new Map(clean)];
  disk.watch((change) => {
    if (change.kind === "sync") {
      for (const node of change.nodes) clean.set(node.identity, insideOf(node));
    } else if (change.kind === "name") {
      for (const place of [change.from, change.to]) {
        if (place) clean.delete(place.folder.identity);
      }
    } else if (change.node.kind === "file") {
      clean.delete(change.node.identity);
    }
    byPoint.push(new Map(clean));
  });
  return byPoint;
}

/** A file's bytes, or the names in a folder with what stands there. */
function insideOf({ bytes, children }: DiskNode): string {
  const names = [...children].map(([name, { identity }]) => `${name}=${identity}`);
  return names.sort().join(" ") + textOf(bytes);
}

interface Life {
  seed: number;
  steps: number;
  /** Whether files are only moved: none is removed, replaced or changed that was there before. */
  isMoving?: boolean;
}

/** Does what chance says to a folder, with few names, so that they are used again and again. */
async function randomLife(folder: Folder, { seed, steps, isMoving = false }: Life): Promise<void> {
  const chance = seededChance(seed, 1);
  const pick = <T>(from: readonly T[]) => from[chance.below(from.length)];
  for (let step = 0; step < steps; step += 1) {
    const things = await pathsOf(folder, "");
    const place = `${pick(["", ...things.folders])}/${pick([..."abcdefgh"])}`.replace(/^\//, "");
    const file = pick(things.files) ?? "none";
    const moved = pick([...things.files, ...things.folders]) ?? "none";
    const emptied = things.folders.find((path) => things.empty.has(path)) ?? "none";
    const acts = [
      () => folder.createFolder(place),
      () => (isMoving ? create(folder, place) : append(folder, file, ["x"])),
      () => folder.rename(moved, folder, place, { replace: !isMoving }),
      () => folder.rename(moved, folder, place, { replace: false }),
      () => folder.remove(isMoving ? emptied : moved),
      () => syncFolder(folder, pick(["", ...things.folders]) ?? ""),
      async () => chance.below(4) === 0 && (await folder.openFolder(moved)).syncAll(),
      async () => (await folder.openPartial(file, (await folder.stat(file))?.bytes ?? 0)).sync(),
    ];
    const act = pick(acts);
    if (!`${place}/`.startsWith(`${moved}/`)) await act?.().catch(onlyRefusals);
  }
}

interface Paths {
  files: string[];
  folders: string[];
  empty: Set<string>;
}

async function pathsOf(folder: Folder, path: string): Promise<Paths> {
  const paths: Paths = { files: [], folders: [], empty: new Set() };
  const entries = await folder.list(path);
  if (entries.length === 0) paths.empty.add(path);
  for (const { name, kind } of entries) {
    const at = path === "" ? name : `${path}/${name}`;
    if (kind === "file") paths.files.push(at);
    if (kind !== "folder") continue;
    const inside = await pathsOf(folder, at);
    paths.folders.push(at, ...inside.folders);
    paths.files.push(...inside.files);
    for (const one of inside.empty) paths.empty.add(one);
  }
  return paths;
}

/** Chance may ask for what no disk does. */
function onlyRefusals(error: unknown): void {
  assert.ok(error instanceof TransferError, String(error));
}
