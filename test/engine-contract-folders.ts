/** The contract of folders: what is in them, what is changed in them, and that nothing leads out. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Folder } from "../src/engine/engine.ts";
import { TransferError } from "../src/errors.ts";
import { decodeName } from "../src/lossless-name.ts";
import { atEnd } from "./ending.ts";
import { type Machine, type MakeMachines, patterned } from "./engine-contract.ts";

/** Declares the tests for one engine. */
export function folderContract(engine: string, make: MakeMachines): void {
  test(`${engine}: a list has names in order of their bytes, with what stands there`, async (t) => {
    const { folder, path, disk } = await openTestFolder(t, make);
    await disk.put(`${path}/b`, patterned(3), 1_600_000_000_123);
    await disk.put(`${path}/B`, patterned(0));
    await disk.put(`${path}/é`, patterned(1));
    await disk.link(`${path}/link`, "b");
    await folder.createFolder("a");

    const entries = await folder.list("");

    const seen = entries.map(({ name, kind, bytes }) => [name, kind, bytes]);
    assert.deepEqual(seen, [
      ["B", "file", 0],
      ["a", "folder", 0],
      ["b", "file", 3],
      ["link", "link", 0],
      ["é", "file", 1],
    ]);
    assert.equal(entries[2]?.mtimeMs, 1_600_000_000_123);
  });

  test(`${engine}: names are in order of bytes where that of UTF-16 differs`, async (t) => {
    const { folder, path, disk } = await openTestFolder(t, make);
    await disk.put(`${path}/🏹`, patterned(1));
    await disk.put(`${path}/\uff01`, patterned(1));

    const names = (await folder.list("")).map(({ name }) => name);

    assert.deepEqual(names, ["\uff01", "🏹"]);
  });

  test(`${engine}: stat and list say the same`, async (t) => {
    const { folder, path, disk } = await openTestFolder(t, make);
    await disk.put(`${path}/file`, patterned(3));

    const [{ name: _, ...listed } = { name: "" }] = await folder.list("");

    const stat = await folder.stat("file");
    assert.deepEqual({ ...stat, identity: undefined }, { ...listed, identity: undefined });
  });

  test(`${engine}: the empty path is the folder itself`, async (t) => {
    const { folder } = await openTestFolder(t, make);
    assert.equal((await folder.stat(""))?.kind, "folder");
  });

  test(`${engine}: identity tells files apart, and stays with a file that is renamed`, async (t) => {
    const { folder, path, disk } = await openTestFolder(t, make);
    await disk.put(`${path}/one`, patterned(3));
    await disk.put(`${path}/two`, patterned(3));
    const one = await folder.stat("one");

    await folder.rename("one", folder, "three", { replace: false });

    assert.equal((await folder.stat("three"))?.identity, one?.identity);
    assert.notEqual((await folder.stat("two"))?.identity, one?.identity);
  });

  test(`${engine}: a name that is not UTF-8 survives`, async (t) => {
    const { folder, path, disk } = await openTestFolder(t, make);
    const name = decodeName(Uint8Array.of(0x61, 0xe9, 0x62));
    await disk.put(`${path}/${name}`, patterned(3));

    const [entry] = await folder.list("");
    await folder.rename(name, folder, `${name}2`, { replace: false });

    assert.equal(entry?.name, name);
    assert.equal((await folder.stat(`${name}2`))?.bytes, 3);
  });

  test(`${engine}: a link is told, not followed`, async (t) => {
    const { folder, path, disk } = await openTestFolder(t, make);
    await disk.put(`${path}/file`, patterned(3));
    await disk.link(`${path}/link`, "file");

    assert.equal((await folder.stat("link"))?.kind, "link");
    assert.equal(await folder.readLink("link"), "file");
    await assert.rejects(folder.openSource("link", positioned), refused);
  });

  test(`${engine}: a link that was created has its very text`, async (t) => {
    const { folder } = await openTestFolder(t, make);

    await folder.createLink("link", "../no/such thing");

    assert.equal(await folder.readLink("link"), "../no/such thing");
    await assert.rejects(folder.createLink("link", "x"), { code: "DISK_EXISTS" });
  });

  const hostile = [
    { path: "..", create: "../new", why: "the folder above" },
    { path: "../secret", create: "../new", why: "beside it" },
    { path: "inside/../../secret", create: "inside/../../new", why: "down and up" },
    { path: "out/secret", create: "out/new", why: "through a link" },
    { path: "up/secret", create: "up/new", why: "through a relative link" },
    { path: "inside/back/secret", create: "inside/back/new", why: "through a link below" },
    { path: "/etc/hostname", create: "/tmp/new", why: "an absolute path" },
  ];
  for (const { path, create, why } of hostile) {
    test(`${engine}: ${path} does not lead out: ${why}`, async (t) => {
      const { folder, outside, machine } = await trappedFolder(t, make);
      const above = await machine.engine.openFolder(outside);
      atEnd(t, () => above.close());
      const before = await above.list("");

      await assert.rejects(folder.openSource(path, positioned), refused);
      await assert.rejects(folder.createPartial(create, 1, 0o600), refused);
      await assert.rejects(folder.openPartial(path, 1), refused);
      await assert.rejects(folder.openLog(path), refused);
      await assert.rejects(folder.openLog(create), refused);
      await assert.rejects(folder.createFolder(create), refused);
      await assert.rejects(folder.createLink(create, "x"), refused);
      await assert.rejects(folder.rename("inside", folder, create, { replace: true }), refused);
      await assert.rejects(folder.setMetadata(path, { mode: 0o600, mtimeMs: 0 }), refused);
      await assert.rejects(folder.restrict(path, { mode: 0o600, mtimeMs: 0 }), refused);
      await assert.rejects(folder.openFolder(path), refused);
      await assert.rejects(folder.list(path), refused);
      assert.deepEqual(await above.list(""), before);
    });
  }

  for (const link of ["out", "up"]) {
    test(`${engine}: the link ${link} is no folder`, async (t) => {
      const { folder } = await trappedFolder(t, make);

      await assert.rejects(folder.openFolder(link), refused);
      await assert.rejects(folder.list(link), refused);
    });
  }

  test(`${engine}: removing a folder with a link in it leaves what the link leads to`, async (t) => {
    const { folder, outside, disk } = await trappedFolder(t, make);

    await folder.remove("inside");
    await folder.remove("out");
    await folder.remove("up");

    assert.deepEqual(await folder.list(""), []);
    assert.equal((await disk.read(`${outside}/secret`)).length, 9);
  });

  test(`${engine}: removing through a link is refused`, async (t) => {
    const { folder, outside, disk } = await trappedFolder(t, make);

    await assert.rejects(folder.remove("out/secret"), refused);

    assert.equal((await disk.read(`${outside}/secret`)).length, 9);
  });

  test(`${engine}: a link's metadata is not what it leads to`, async (t) => {
    const { folder, path, disk } = await openTestFolder(t, make);
    await disk.put(`${path}/file`, patterned(3), 1_600_000_000_000);
    await disk.link(`${path}/link`, "file");
    const before = await folder.stat("file");

    await assert.rejects(folder.setMetadata("link", { mode: 0o400, mtimeMs: 5_000 }), refused);

    assert.deepEqual(await folder.stat("file"), before);
  });

  test(`${engine}: a partial file has its size from the start and its mode`, async (t) => {
    const { folder } = await openTestFolder(t, make);

    const partial = await folder.createPartial("partial", 5_000, 0o700);
    await partial.sync();
    await partial.close();
    await partial.close();

    const stat = await folder.stat("partial");
    assert.deepEqual([stat?.kind, stat?.bytes, stat?.mode], ["file", 5_000, 0o700]);
  });

  test(`${engine}: a partial file never takes the place of what is there`, async (t) => {
    const { folder, path, disk } = await openTestFolder(t, make);
    await disk.put(`${path}/file`, patterned(3));
    await disk.link(`${path}/dangling`, "nowhere");

    for (const name of ["file", "dangling"]) {
      await assert.rejects(folder.createPartial(name, 1, 0o600), { code: "DISK_EXISTS" });
    }

    assert.equal((await disk.read(`${path}/file`)).length, 3);
    assert.equal(await folder.stat("nowhere"), null);
  });

  test(`${engine}: a partial file larger than the disk is refused and leaves nothing`, async (t) => {
    const { folder } = await openTestFolder(t, make);
    // Beyond what any file system takes, so that none begins to fill itself up.
    const creating = folder.createPartial("partial", 2 ** 52, 0o600);

    await assert.rejects(creating, noRoom);
    assert.equal(await folder.stat("partial"), null);
  });

  test(`${engine}: rename moves between folders, and replaces only when told to`, async (t) => {
    const { folder, path, disk } = await openTestFolder(t, make);
    await disk.put(`${path}/new`, patterned(3));
    await folder.createFolder("sub");
    const sub = await folder.openFolder("sub");
    atEnd(t, () => sub.close());
    await disk.put(`${path}/sub/taken`, patterned(7));

    const kept = folder.rename("new", sub, "taken", { replace: false });
    await assert.rejects(kept, { code: "DISK_EXISTS" });
    const before = (await folder.stat("sub/taken"))?.bytes;
    await folder.rename("new", sub, "taken", { replace: true });

    assert.equal(before, 7);
    assert.equal((await folder.stat("sub/taken"))?.bytes, 3);
    assert.equal(await folder.stat("new"), null);
  });

  test(`${engine}: rename moves a folder with all that is in it`, async (t) => {
    const { folder, path, disk } = await openTestFolder(t, make);
    await folder.createFolder("a");
    await folder.createFolder("a/b");
    await disk.put(`${path}/a/b/file`, patterned(3));

    await folder.rename("a", folder, "z", { replace: false });

    assert.equal((await folder.stat("z/b/file"))?.bytes, 3);
    assert.equal(await folder.stat("a"), null);
  });

  test(`${engine}: rename without replace does not replace a link either`, async (t) => {
    const { folder, path, disk } = await openTestFolder(t, make);
    await disk.put(`${path}/new`, patterned(3));
    await disk.link(`${path}/link`, "nowhere");

    const renaming = folder.rename("new", folder, "link", { replace: false });

    await assert.rejects(renaming, { code: "DISK_EXISTS" });
    assert.equal((await folder.stat("link"))?.kind, "link");
  });

  test(`${engine}: remove takes a folder with all in it, and nothing is fine`, async (t) => {
    const { folder, path, disk } = await openTestFolder(t, make);
    await folder.createFolder("a");
    await folder.createFolder("a/b");
    await disk.put(`${path}/a/b/file`, patterned(3));

    await folder.remove("a");
    await folder.remove("a");

    assert.deepEqual(await folder.list(""), []);
  });

  test(`${engine}: a folder is created once, below one that is there`, async (t) => {
    const { folder } = await openTestFolder(t, make);

    await folder.createFolder("a");

    await assert.rejects(folder.createFolder("a"), { code: "DISK_EXISTS" });
    await assert.rejects(folder.createFolder("b/c"), { code: "DISK_MISSING" });
  });

  test(`${engine}: mode and time are kept exactly, for files and folders`, async (t) => {
    const { folder, path, disk } = await openTestFolder(t, make);
    await disk.put(`${path}/file`, patterned(3));
    await folder.createFolder("folder");
    const metadata = { mode: 0o757, mtimeMs: 1_234_567_890_987 };

    for (const name of ["file", "folder"]) {
      await folder.setMetadata(name, metadata);
      const stat = await folder.stat(name);
      assert.deepEqual({ mode: stat?.mode, mtimeMs: stat?.mtimeMs }, metadata);
    }
  });

  test(`${engine}: a time before 1970 is kept`, async (t) => {
    const { folder, path, disk } = await openTestFolder(t, make);
    await disk.put(`${path}/file`, patterned(3));

    await folder.setMetadata("file", { mode: 0o600, mtimeMs: -86_400_001 });

    assert.equal((await folder.stat("file"))?.mtimeMs, -86_400_001);
  });

  test(`${engine}: what is not there is missing`, async (t) => {
    const { folder, machine, path } = await openTestFolder(t, make);
    const missing = { code: "DISK_MISSING" };

    assert.equal(await folder.stat("no"), null);
    assert.equal(await folder.stat("no/such"), null);
    await assert.rejects(folder.list("no"), missing);
    await assert.rejects(folder.openFolder("no"), missing);
    await assert.rejects(folder.readLink("no"), missing);
    await assert.rejects(folder.openSource("no", positioned), missing);
    await assert.rejects(folder.createPartial("no/file", 1, 0o600), missing);
    await assert.rejects(folder.rename("no", folder, "new", { replace: false }), missing);
    await assert.rejects(folder.setMetadata("no", { mode: 0o600, mtimeMs: 0 }), missing);
    await assert.rejects(machine.engine.openFolder(`${path}/no`), missing);
  });

  test(`${engine}: a source says what it was when opened, and what it is now`, async (t) => {
    const { folder, path, disk } = await openTestFolder(t, make);
    await disk.put(`${path}/file`, patterned(3), 1_600_000_000_000);
    const source = await folder.openSource("file", positioned);

    await disk.put(`${path}/file`, patterned(5), 1_600_000_001_000);
    const now = await source.stat();
    await source.close();
    await source.close();

    assert.deepEqual([source.opened.bytes, source.opened.mtimeMs], [3, 1_600_000_000_000]);
    assert.deepEqual([now.bytes, now.mtimeMs], [5, 1_600_000_001_000]);
    assert.equal(now.identity, source.opened.identity);
  });

  test(`${engine}: a folder can be synced, has room, and closes twice`, async (t) => {
    const { folder } = await openTestFolder(t, make);

    await folder.sync();
    await folder.syncAll();
    const free = await folder.freeBytes();
    await folder.close();
    await folder.close();

    assert.ok(free > 0);
  });
}

/** A folder of a machine's disk, held open. */
export interface TestFolder {
  machine: Machine;
  disk: Machine["disk"];
  path: string;
  folder: Folder;
}

/** Opens a new {@link TestFolder} that is closed after the test. */
export async function openTestFolder(t: TestContext, make: MakeMachines): Promise<TestFolder> {
  const { alice: machine } = await make(t);
  const path = await machine.disk.makeFolder();
  const folder = await machine.engine.openFolder(path);
  atEnd(t, () => folder.close());
  return { machine, disk: machine.disk, path, folder };
}

/** A folder with links that lead to one beside it, where a secret is. */
async function trappedFolder(
  t: TestContext,
  make: MakeMachines,
): Promise<TestFolder & { outside: string }> {
  const { machine, disk, path: outside, folder: above } = await openTestFolder(t, make);
  await disk.put(`${outside}/secret`, patterned(9));
  await above.createFolder("trap");
  const path = `${outside}/trap`;
  const folder = await machine.engine.openFolder(path);
  atEnd(t, () => folder.close());
  await folder.createFolder("inside");
  await disk.link(`${path}/inside/back`, outside);
  await disk.link(`${path}/out`, outside);
  await disk.link(`${path}/up`, "..");
  return { machine, disk, path, folder, outside };
}

/** Refusals of a path: no such thing below, not allowed, or no path at all. */
export function refused(error: unknown): boolean {
  assert.ok(error instanceof TransferError);
  assert.ok(["DISK_DENIED", "DISK_MISSING", "INVALID_ARGUMENT"].includes(error.code), error.code);
  return true;
}

/** A full disk, or a file system without such large files. */
export function noRoom(error: unknown): boolean {
  assert.ok(error instanceof TransferError);
  assert.ok(["DISK_FULL", "DISK_FAILED"].includes(error.code), error.code);
  return true;
}

const positioned = { memoryMap: false };
