/** The contract of logs: they grow at their end, and one opener has them. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Folder, LogFile } from "../src/engine/engine.ts";
import { atEnd } from "./ending.ts";
import { type MakeMachines, patterned } from "./engine-contract.ts";
import { openTestFolder, refused } from "./engine-contract-folders.ts";

/** Declares the tests for one engine. */
export function logContract(engine: string, make: MakeMachines): void {
  test(`${engine}: a log that was not there is empty, and its owner's alone`, async (t) => {
    const { folder } = await openTestFolder(t, make);

    const log = await openLog(t, folder, "log");

    assert.deepEqual([...(await readWhole(log))], []);
    const stat = await folder.stat("log");
    assert.deepEqual([stat?.kind, stat?.bytes, stat?.mode], ["file", 0, 0o600]);
  });

  test(`${engine}: a log has what was appended, in order`, async (t) => {
    const { folder, path, disk } = await openTestFolder(t, make);
    const log = await openLog(t, folder, "log");

    await log.append(Uint8Array.of(1, 2));
    await log.append(new Uint8Array(0));
    await log.append(Uint8Array.of(3));
    await log.sync();

    assert.deepEqual([...(await readWhole(log))], [1, 2, 3]);
    assert.deepEqual([...(await disk.read(`${path}/log`))], [1, 2, 3]);
  });

  test(`${engine}: bytes that were appended are the log's, whatever becomes of the caller's`, async (t) => {
    const { folder } = await openTestFolder(t, make);
    const log = await openLog(t, folder, "log");
    const bytes = Uint8Array.of(1, 2);

    await log.append(bytes);
    bytes.fill(9);

    assert.deepEqual([...(await readWhole(log))], [1, 2]);
  });

  test(`${engine}: a log of several megabytes is read whole`, async (t) => {
    const { folder } = await openTestFolder(t, make);
    const log = await openLog(t, folder, "log");
    const parts = [patterned(2_500_001), patterned(1_500_000, 7)];

    for (const part of parts) await log.append(part);

    assert.ok(Buffer.concat(parts).equals(await readWhole(log)));
  });

  test(`${engine}: a log gives the bytes of a range, and fewer at its end`, async (t) => {
    const { folder } = await openTestFolder(t, make);
    const log = await openLog(t, folder, "log");
    await log.append(Uint8Array.of(1, 2, 3, 4));
    const read = async (offset: number, length: number) => [
      ...(await log.read({ offset, length })),
    ];

    assert.deepEqual(await read(1, 2), [2, 3]);
    assert.deepEqual(await read(3, 9), [4]);
    assert.deepEqual(await read(4, 1), []);
    assert.deepEqual(await read(9, 1), []);
    assert.deepEqual(await read(0, 0), []);
  });

  test(`${engine}: a log that is opened again has its bytes, and goes on after them`, async (t) => {
    const { folder } = await openTestFolder(t, make);
    const first = await openLog(t, folder, "log");
    await first.append(Uint8Array.of(1, 2));
    await first.close();

    const second = await openLog(t, folder, "log");
    const found = await readWhole(second);
    await second.append(Uint8Array.of(3));

    assert.deepEqual([...found], [1, 2]);
    assert.deepEqual([...(await readWhole(second))], [1, 2, 3]);
  });

  test(`${engine}: any ordinary file can be opened as a log, and keeps its mode`, async (t) => {
    const { folder, path, disk } = await openTestFolder(t, make);
    await disk.put(`${path}/file`, Uint8Array.of(7));
    await folder.setMetadata("file", { mode: 0o640, mtimeMs: 1_000 });

    const log = await openLog(t, folder, "file");

    assert.deepEqual([...(await readWhole(log))], [7]);
    assert.equal((await folder.stat("file"))?.mode, 0o640);
  });

  test(`${engine}: a log that was truncated goes on where it was cut`, async (t) => {
    const { folder } = await openTestFolder(t, make);
    const log = await openLog(t, folder, "log");
    await log.append(Uint8Array.of(1, 2, 3, 4));

    await log.truncate(2);
    const cut = await readWhole(log);
    await log.append(Uint8Array.of(5));
    await log.sync();

    assert.deepEqual([...cut], [1, 2]);
    assert.deepEqual([...(await readWhole(log))], [1, 2, 5]);
  });

  test(`${engine}: a log that was truncated to nothing is empty`, async (t) => {
    const { folder } = await openTestFolder(t, make);
    const log = await openLog(t, folder, "log");
    await log.append(Uint8Array.of(1));

    await log.truncate(0);

    assert.equal((await folder.stat("log"))?.bytes, 0);
    assert.deepEqual([...(await readWhole(log))], []);
  });

  test(`${engine}: a log that is shorter than its cut stays as it is`, async (t) => {
    const { folder } = await openTestFolder(t, make);
    const log = await openLog(t, folder, "log");
    await log.append(Uint8Array.of(1, 2));

    await log.truncate(2);
    await log.truncate(9);

    assert.deepEqual([...(await readWhole(log))], [1, 2]);
  });

  test(`${engine}: a log has one opener; after it closes, the next may have it`, async (t) => {
    const { folder, machine, path } = await openTestFolder(t, make);
    const again = await machine.engine.openFolder(path);
    atEnd(t, () => again.close());
    const first = await openLog(t, folder, "log");

    await assert.rejects(folder.openLog("log"), { code: "DISK_BUSY" });
    await assert.rejects(again.openLog("log"), { code: "DISK_BUSY" });
    await first.append(Uint8Array.of(1));
    await first.close();
    const second = await openLog(t, again, "log");
    await first.close();

    assert.deepEqual([...(await readWhole(second))], [1]);
    await assert.rejects(folder.openLog("log"), { code: "DISK_BUSY" });
  });

  test(`${engine}: logs are locked one by one`, async (t) => {
    const { folder } = await openTestFolder(t, make);
    const one = await openLog(t, folder, "one");

    const two = await openLog(t, folder, "two");
    await one.append(Uint8Array.of(1));

    assert.deepEqual([...(await readWhole(two))], []);
  });

  test(`${engine}: a log that is renamed stays open and locked; its old name is free`, async (t) => {
    const { folder } = await openTestFolder(t, make);
    await folder.createFolder("sub");
    const log = await openLog(t, folder, "log");
    await log.append(Uint8Array.of(1));

    await folder.rename("log", folder, "sub/moved", { replace: false });
    await log.append(Uint8Array.of(2));
    const other = await openLog(t, folder, "log");

    assert.equal((await folder.stat("sub/moved"))?.bytes, 2);
    await assert.rejects(folder.openLog("sub/moved"), { code: "DISK_BUSY" });
    assert.deepEqual([...(await readWhole(other))], []);
  });

  test(`${engine}: a log that was removed leaves its name to a new one`, async (t) => {
    const { folder } = await openTestFolder(t, make);
    const removed = await openLog(t, folder, "log");
    await removed.append(Uint8Array.of(1));

    await folder.remove("log");
    const log = await openLog(t, folder, "log");
    await removed.close();

    assert.deepEqual([...(await readWhole(log))], []);
    await assert.rejects(folder.openLog("log"), { code: "DISK_BUSY" });
  });

  test(`${engine}: a log that was closed refuses all but closing`, async (t) => {
    const { folder } = await openTestFolder(t, make);
    const log = await openLog(t, folder, "log");

    await log.close();
    await log.close();

    const closed = { code: "CANCELLED" };
    await assert.rejects(readWhole(log), closed);
    await assert.rejects(log.append(Uint8Array.of(1)), closed);
    await assert.rejects(log.truncate(0), closed);
    await assert.rejects(log.sync(), closed);
    assert.equal((await folder.stat("log"))?.bytes, 0);
  });

  test(`${engine}: what is no file is no log, and a link is not followed`, async (t) => {
    const { folder, path, disk } = await openTestFolder(t, make);
    await disk.put(`${path}/file`, Uint8Array.of(7));
    await disk.link(`${path}/link`, "file");
    await disk.link(`${path}/dangling`, "nowhere");
    await folder.createFolder("folder");

    for (const name of ["link", "dangling", "folder"]) {
      await assert.rejects(folder.openLog(name), { code: "DISK_DENIED" });
    }
    await assert.rejects(folder.openLog("no/log"), { code: "DISK_MISSING" });
    await assert.rejects(folder.openLog("link/log"), refused);

    const names = (await folder.list("")).map(({ name }) => name);
    assert.deepEqual(names, ["dangling", "file", "folder", "link"]);
  });
}

/** Opens a log that is closed after the test. */
async function openLog(t: TestContext, folder: Folder, path: string): Promise<LogFile> {
  const log = await folder.openLog(path);
  atEnd(t, () => log.close());
  return log;
}

/** All bytes of a log. */
function readWhole(log: LogFile): Promise<Uint8Array> {
  return log.read({ offset: 0, length: 2 ** 24 });
}
