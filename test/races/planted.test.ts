/** Links and other things stand in a receiver's folder before a transfer comes: none is followed. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Folder } from "../../src/engine/engine.ts";
import { openNativeEngine } from "../../src/engine/native.ts";
import { stagingKey } from "../../src/transfer/staging.ts";
import { atEnd } from "../ending.ts";
import { begin, codeOf, nativePeers, nativeTree, temporaryFolder, transfer } from "../peers.ts";

const addon = new URL("../../native/quiver.node", import.meta.url);
const isThere = existsSync(addon) && process.platform !== "win32";
const options = { skip: isThere ? false : "it needs links and native/quiver.node" };
const rootOptions = {
  skip: options.skip || (process.getuid?.() === 0 ? false : "it needs root"),
};

/** Everything that is done at a path. */
const operations: { readonly [name: string]: (folder: Folder, path: string) => Promise<unknown> } =
  {
    openFolder: (folder, path) => folder.openFolder(path),
    list: (folder, path) => folder.list(path),
    openSource: (folder, path) => folder.openSource(path, { memoryMap: false }),
    createPartial: (folder, path) => folder.createPartial(path, 10, 0o600),
    openPartial: (folder, path) => folder.openPartial(path, 10),
    openLog: (folder, path) => folder.openLog(path),
    createFolder: (folder, path) => folder.createFolder(path),
    createLink: (folder, path) => folder.createLink(path, "anything"),
    renameFrom: (folder, path) => folder.rename(path, folder, "elsewhere", { replace: false }),
    renameTo: (folder, path) => folder.rename("own", folder, path, { replace: false }),
    replace: (folder, path) => folder.rename("own", folder, path, { replace: true }),
    remove: (folder, path) => folder.remove(path),
    setMetadata: (folder, path) => folder.setMetadata(path, { mode: 0o777, mtimeMs: 0 }),
    restrict: (folder, path) => folder.restrict(path, { mode: 0, mtimeMs: 0 }),
  };

/** What an operation does at a link itself; elsewhere it is refused with `DISK_DENIED`. */
const atTheLink: { readonly [name: string]: string } = {
  createPartial: "DISK_EXISTS",
  createFolder: "DISK_EXISTS",
  createLink: "DISK_EXISTS",
  renameTo: "DISK_EXISTS",
  renameFrom: "the link moves",
  replace: "the link is replaced",
  remove: "the link goes",
};

const links: { why: string; target: (outside: string, t: TestContext) => string }[] = [
  { why: "an absolute link", target: (outside) => outside },
  { why: "a relative link", target: () => "../outside" },
  { why: "a link that leads nowhere", target: (outside) => join(outside, "nothing") },
  { why: "a link to the root", target: () => "/proc/self/root" },
  { why: "a link to an open folder by its number", target: byNumber },
];

for (const { why, target } of links) {
  for (const [name, operate] of Object.entries(operations)) {
    test(`${name} does not go through ${why}`, options, async (t) => {
      const { folder, outside, before } = await planted(t, target);

      for (const path of ["link/secret", "link/deep/secret", "link/new", "below/link/secret"]) {
        await assert.rejects(operate(folder, path), { code: "DISK_DENIED" }, path);
      }

      assert.deepEqual(await nativeTree(outside), before);
    });

    test(`${name} at ${why} touches the link at most`, options, async (t) => {
      const { folder, outside, before } = await planted(t, target);
      const expected = atTheLink[name] ?? "DISK_DENIED";

      const operating = operate(folder, "below/link");

      if (expected.startsWith("DISK_")) await assert.rejects(operating, { code: expected });
      else await operating;
      const there = await folder.stat("below/link");
      const isLink = expected.startsWith("DISK_");
      const left = expected === "the link is replaced" ? "file" : undefined;
      assert.equal(there?.kind, isLink ? "link" : left);
      assert.deepEqual(await nativeTree(outside), before);
    });
  }
}

for (const onConflict of ["rename", "skip", "overwrite"] as const) {
  test(`a transfer onto planted links with "${onConflict}" changes nothing outside`, {
    ...options,
  }, async (t) => {
    const { alice, bob } = await nativePeers(t);
    for (const path of ["album/a", "album/sub/b", "album/sub/deep/c", "single"]) {
      await alice.write(path, `alice's ${path}`);
    }
    for (const path of ["a", "b", "deep/c"]) await bob.write(`outside/${path}`, "bob's");
    await bob.link("inbox/single", bob.at("outside/a"));
    await bob.link("inbox/album/a", bob.at("outside/a"));
    await bob.link("inbox/album/sub", bob.at("outside"));
    const before = await bob.tree("outside");

    const { received } = await transfer({ alice, bob }, ["album", "single"], {
      receive: { onConflict },
    });

    assert.deepEqual(await bob.tree("outside"), before);
    for (const { path, status, savedAs = path } of received.files) {
      if (status !== "received") continue;
      assert.equal(String(await bob.read(`inbox/${savedAs}`)), `alice's ${path}`);
    }
    const isReplaced = readFileSync(bob.at("inbox/single"), "utf8") === "alice's single";
    assert.equal(isReplaced, onConflict === "overwrite");
  });
}

/** What stands where the staging folder is going to be made. */
const stagings: {
  why: string;
  plant: (path: string, outside: string) => void;
  /** It is not ours, and still there in the end. */
  stays?: true;
  root?: true;
}[] = [
  {
    why: "a link to a folder outside",
    stays: true,
    plant: (path, outside) => symlinkSync(outside, path),
  },
  { why: "a link to nothing", stays: true, plant: (path) => symlinkSync("nothing", path) },
  { why: "a file", stays: true, plant: (path) => writeFileSync(path, "a file") },
  {
    why: "a folder whose journal is a link",
    stays: true,
    plant: (path, outside) => {
      mkdirSync(path);
      symlinkSync(join(outside, "canary"), join(path, "journal"));
    },
  },
  {
    why: "a folder whose journal is another name of a file",
    stays: true,
    plant: (path, outside) => {
      mkdirSync(path);
      linkSync(join(outside, "canary"), join(path, "journal"));
    },
  },
  {
    why: "a folder whose journal is a FIFO",
    stays: true,
    plant: (path) => {
      mkdirSync(path);
      spawnSync("mkfifo", [join(path, "journal")]);
    },
  },
  {
    why: "a folder whose folder of files is a link",
    plant: (path, outside) => {
      mkdirSync(path);
      symlinkSync(outside, join(path, "files"));
    },
  },
  {
    why: "a folder with files that are links",
    plant: (path, outside) => {
      mkdirSync(join(path, "files", "album"), { recursive: true });
      symlinkSync(join(outside, "canary"), join(path, "files", "large"));
      symlinkSync(join(outside, "canary"), join(path, "files", "album", "small"));
    },
  },
  {
    why: "a folder of another user",
    root: true,
    stays: true,
    plant: (path) => {
      mkdirSync(path);
      chmodSync(path, 0o777);
      chownSync(path, 12_345, 12_345);
    },
  },
];

for (const { why, plant, stays, root } of stagings) {
  test(`${why} in place of the staging folder is not used`, {
    ...(root ? rootOptions : options),
  }, async (t) => {
    const { alice, bob } = await nativePeers(t);
    const large = Buffer.alloc(3_000_000, 7);
    await alice.write("large", large);
    await alice.write("album/small", "small");
    await bob.write("outside/canary", "a canary");
    const key = stagingKey(alice.peer.peerId, ["large", "album"]);
    const path = bob.at(`inbox/.quiver-${key}.partial`);
    plant(path, bob.at("outside"));
    const before = await bob.tree("outside");

    const { receiving } = await begin({ alice, bob }, ["large", "album"]);

    assert.equal(await codeOf(receiving), "done");
    assert.ok((await bob.read("inbox/large")).equals(large));
    assert.equal(String(await bob.read("inbox/album/small")), "small");
    assert.deepEqual(await bob.tree("outside"), before);
    assert.equal(lstatSync(path, { throwIfNoEntry: false }) !== undefined, stays === true);
  });
}

test("a disk that is mounted in the inbox is a folder like others", rootOptions, async (t) => {
  const { alice, bob } = await nativePeers(t);
  await alice.write("album/a", "new");
  await bob.folder("inbox/album");

  const isMounted = await mounted(["-t", "tmpfs", "tmpfs", bob.at("inbox/album")], async () => {
    const both = await transfer({ alice, bob }, ["album"], {
      receive: { onConflict: "overwrite" },
    });

    // A thing moves to its name in one step, which no system does from one disk to another.
    assert.deepEqual(
      [...both.received.files].map(({ path, status }) => [path, status]),
      [["album/a", "failed"]],
    );
    assert.deepEqual(readdirSync(bob.at("inbox/album")), []);
  });

  if (!isMounted) t.skip("this machine mounts nothing");
});

test("a folder in which another is bound cannot be removed", rootOptions, async (t) => {
  const { folder, outside, home } = await planted(t, (path) => path);
  const bound = join(home, "in", "tree", "bound");
  mkdirSync(bound, { recursive: true });

  const isMounted = await mounted(["--bind", outside, bound], async () => {
    await assert.rejects(folder.remove("tree"), { name: "TransferError" });
  });

  if (!isMounted) t.skip("this machine mounts nothing");
  assert.ok(existsSync(outside));
});

/** Does something while something is mounted, where that is possible. */
async function mounted(args: readonly string[], work: () => Promise<void>): Promise<boolean> {
  if (spawnSync("mount", args).status !== 0) return false;
  try {
    await work();
  } finally {
    spawnSync("umount", ["-l", args.at(-1) ?? ""]);
  }
  return true;
}

/** A folder with links in it that lead out, and files of the same names outside. */
async function planted(t: TestContext, target: (outside: string, t: TestContext) => string) {
  const home = temporaryFolder(t);
  const outside = join(home, "outside");
  mkdirSync(join(outside, "deep"), { recursive: true });
  for (const name of ["secret", "deep/secret"]) writeFileSync(join(outside, name), "outside");
  mkdirSync(join(home, "in", "below"), { recursive: true });
  writeFileSync(join(home, "in", "own"), "own");
  const text = target(outside, t);
  symlinkSync(text, join(home, "in", "link"));
  // One folder deeper, a relative link has one step more to go.
  const deeper = text.startsWith("/") ? text : join("..", text);
  symlinkSync(deeper, join(home, "in", "below", "link"));
  assert.equal(readlinkSync(join(home, "in", "link")), text);
  const folder = await openNativeEngine({ workerThreads: 1 }).openFolder(join(home, "in"));
  atEnd(t, () => folder.close());
  return { home, folder, outside, before: await nativeTree(outside) };
}

/** The kernel opens such a link without looking at any path. */
function byNumber(outside: string, t: TestContext): string {
  if (!existsSync("/proc/self/fd")) return outside;
  const number = openSync(outside, "r");
  atEnd(t, () => closeSync(number));
  return `/proc/self/fd/${number}`;
}
