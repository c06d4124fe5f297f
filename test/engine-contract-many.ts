/** The contract of calls for many things below a folder: each does to each what the call for one does. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type MakeMachines, patterned } from "./engine-contract.ts";
import { openTestFolder } from "./engine-contract-folders.ts";

/** Declares the tests for one engine. */
export function manyContract(engine: string, make: MakeMachines): void {
  test(`${engine}: folders are created in order, until one fails`, async (t) => {
    const { folder } = await openTestFolder(t, make);

    await folder.createFolders(["a", "a/b", "é", "a/b/c"]);
    const creating = folder.createFolders(["d", "a/b", "e"]);

    await assert.rejects(creating, { code: "DISK_EXISTS", message: /a\/b/ });
    assert.deepEqual(
      (await folder.list("")).map(({ name }) => name),
      ["a", "d", "é"],
    );
    assert.equal((await folder.stat("a/b/c"))?.kind, "folder");
    await folder.createFolders([]);
  });

  test(`${engine}: many folders are listed as each by itself, and a failure is in its place`, async (t) => {
    const { folder, path, disk } = await openTestFolder(t, make);
    await folder.createFolders(["full", "empty"]);
    await disk.put(`${path}/full/one`, patterned(3));
    await disk.put(`${path}/full/two`, patterned(5));

    const [missing, full, empty, top] = await folder.listEach(["no", "full", "empty", ""]);

    assert.ok(missing instanceof Error);
    await assert.rejects(folder.list("no"), { message: missing.message });
    assert.deepEqual(full, await folder.list("full"));
    assert.deepEqual(empty, []);
    assert.deepEqual(top, await folder.list(""));
    assert.deepEqual(await folder.listEach([]), []);
  });

  test(`${engine}: a restriction takes bits and gives none, and sets the time`, async (t) => {
    const { folder, path, disk } = await openTestFolder(t, make);
    await disk.put(`${path}/file`, patterned(3));
    await folder.createFolder("folder");
    for (const name of ["file", "folder"]) {
      await folder.setMetadata(name, { mode: 0o750, mtimeMs: 0 });
    }

    await folder.restrict("file", { mode: 0o745, mtimeMs: -1 });
    await folder.restrict("folder", { mode: 0o777, mtimeMs: 1_234_567_890_987 });

    const stats = [await folder.stat("file"), await folder.stat("folder")];
    assert.deepEqual(
      stats.map((stat) => [stat?.mode, stat?.mtimeMs]),
      [
        [0o740, -1],
        [0o750, 1_234_567_890_987],
      ],
    );
  });

  test(`${engine}: of many restrictions those that fail are told, and the others hold`, async (t) => {
    const { folder, path, disk } = await openTestFolder(t, make);
    await disk.put(`${path}/a`, patterned(3));
    await disk.put(`${path}/b`, patterned(3));
    await disk.link(`${path}/link`, "a");
    const paths = ["a", "no", "link", "b", "../b"];

    const things = paths.map((path) => ({ path, mode: 0o400, mtimeMs: 7 }));
    const failures = await folder.restrictEach(things);

    assert.deepEqual(
      failures.map((failure) => (failure && "code" in failure ? failure.code : failure)),
      [null, "DISK_MISSING", "DISK_DENIED", null, "INVALID_ARGUMENT"],
    );
    assert.equal((await folder.stat("a"))?.mode, 0o400);
    assert.equal((await folder.stat("b"))?.mtimeMs, 7);
    await assert.rejects(folder.restrict("no", { mode: 0, mtimeMs: 0 }), { code: "DISK_MISSING" });
  });
}
