/** Cuts, full disks and changing sources: who fails, and what is left. */

import assert from "node:assert/strict";
import { chmod, truncate, utimes } from "node:fs/promises";
import { test } from "node:test";
import type { ReceiptFile } from "../src/index.ts";
import {
  assertBothFail,
  atDisk,
  begin,
  codeOf,
  nativePeers,
  paths,
  peers,
  random,
  smallTables,
  transfer,
} from "./peers.ts";

const tuning = smallTables;
const options = { alice: { tuning }, bob: { tuning } };
const withoutRetries = { send: { retryForMs: 0 }, receive: { retryForMs: 0 } };

for (const bytes of [1000, 20_000, 250_000, 299_000]) {
  test(`S4: a connection cut after ${bytes} bytes fails on both sides and nothing has its final name`, async (t) => {
    const { alice, bob, network } = await peers(t, options);
    await alice.write("large.bin", random(200_000));
    await alice.write("folder/other.bin", random(100_000));
    network.cutAfter(bytes);

    const both = await begin({ alice, bob }, ["large.bin", "folder"], withoutRetries);

    await assertBothFail(both, { sender: "CONNECTION_LOST", receiver: "CONNECTION_LOST" });
    assert.deepEqual(await paths(bob), []);
  });
}

test("after a cut, the same files can be sent anew", async (t) => {
  const { alice, bob, network } = await peers(t, options);
  await alice.write("large.bin", random(200_000));
  network.cutAfter(100_000);
  const both = await begin({ alice, bob }, ["large.bin"], withoutRetries);
  await assertBothFail(both, { sender: "CONNECTION_LOST", receiver: "CONNECTION_LOST" });
  network.mend();

  await transfer({ alice, bob }, ["large.bin"]);

  assert.deepEqual(await bob.read("inbox/large.bin"), await alice.read("large.bin"));
});

test("a disk without room is noticed before the first byte, with both numbers", async (t) => {
  const { alice, bob } = await peers(t, options);
  await alice.write("large.bin", random(200_000));
  bob.disk.freeBytes = 150_000;

  const both = await begin({ alice, bob }, ["large.bin"]);

  await assert.rejects(both.receiving.done, /200000 .*150000 /);
  await assertBothFail(both, { sender: "DISK_FULL", receiver: "DISK_FULL" });
  assert.deepEqual(await paths(bob), []);
  assert.equal(both.receiving.progress().bytes, 0);
});

for (const profile of ["ultra", "standard"] as const) {
  test(`a disk that fills up during ${profile} fails on both sides and nothing has its final name`, async (t) => {
    const { alice, bob } = await peers(t, options);
    await alice.write("first.bin", random(100_000));
    await alice.write("second.bin", random(100_000));
    const fill = () => {
      bob.disk.freeBytes = 0;
    };
    atDisk(t, bob.disk, { operation: "createPartial", n: 2, act: fill });

    const both = await begin({ alice, bob }, ["first.bin", "second.bin"], { send: { profile } });

    await assertBothFail(both, { sender: "DISK_FULL", receiver: "DISK_FULL" });
    assert.deepEqual(await paths(bob), []);
  });
}

test("a disk that fills up with small files fails on both sides and nothing has its final name", async (t) => {
  const { alice, bob } = await peers(t, options);
  for (let n = 0; n < 20; n += 1) await alice.write(`many/${n}`, "small");
  atDisk(t, bob.disk, {
    operation: "createPartial",
    n: 10,
    act: () => bob.disk.failNext("createPartial", "DISK_FULL"),
  });

  const both = await begin({ alice, bob }, ["many"]);

  await assertBothFail(both, { sender: "DISK_FULL", receiver: "DISK_FULL" });
  assert.deepEqual(await paths(bob), []);
});

test("an inbox that cannot be made fails on both sides", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("notes.txt", "notes");
  await bob.write("a-file", "in the way");

  const both = await begin({ alice, bob }, ["notes.txt"], {
    receive: { into: bob.at("a-file/inbox") },
  });

  const code = await codeOf(both.receiving);
  assert.match(code, /^DISK_/);
  assert.equal(await codeOf(both.sending), code);
});

/** One file larger than a bundle takes and one that is bundled. */
const sizes = [
  { name: "large.bin", bytes: 300_000 },
  { name: "small.bin", bytes: 500 },
];

for (const { name, bytes } of sizes) {
  test(`a source that cannot be read fails alone: ${name}`, async (t) => {
    const { alice, bob } = await peers(t, options);
    await alice.write(`folder/${name}`, random(bytes));
    await alice.write("folder/other.bin", random(5000));

    const { sent, received } = await transfer({ alice, bob }, ["folder"], {
      receive: {
        accept() {
          alice.disk.remove(alice.at(`folder/${name}`));
          alice.disk.other(alice.at(`folder/${name}`));
          return true;
        },
      },
    });

    assertOnlyFailed([...received.files], `folder/${name}`, "DISK_DENIED");
    assert.deepEqual([...sent.files], [...received.files]);
    assert.deepEqual(await paths(bob), ["folder", "folder/other.bin"]);
  });

  const changes = [
    { how: "grows", change: (old: Uint8Array) => Buffer.concat([old, Buffer.from("more")]) },
    { how: "shrinks", change: (old: Uint8Array) => old.subarray(0, old.length / 2) },
    { how: "is rewritten", change: (old: Uint8Array) => random(old.length) },
  ];

  for (const { how, change } of changes) {
    test(`a source that ${how} after the offer fails alone: ${name}`, async (t) => {
      const { alice, bob } = await peers(t, options);
      const content = random(bytes);
      await alice.write(`folder/${name}`, content);
      await alice.write("folder/other.bin", random(5000));

      const { sent, received } = await transfer({ alice, bob }, ["folder"], {
        receive: {
          async accept() {
            await alice.write(`folder/${name}`, change(content));
            return true;
          },
        },
      });

      assertOnlyFailed([...received.files], `folder/${name}`, "SOURCE_CHANGED");
      assert.deepEqual([...sent.files], [...received.files]);
      assert.deepEqual(await paths(bob), ["folder", "folder/other.bin"]);
    });
  }
}

for (const how of ["shrinks", "is rewritten"]) {
  test(`a source that ${how} while it is read fails alone`, async (t) => {
    const { alice, bob } = await peers(t, options);
    await alice.write("folder/large.bin", random(300_000));
    await alice.write("folder/other.bin", random(500));
    const change = () => {
      const bytes = random(how === "shrinks" ? 1000 : 300_000);
      alice.disk.write(alice.at("folder/large.bin"), bytes);
    };
    atDisk(t, alice.disk, { operation: "read", n: 30, act: change });

    const { sent, received } = await transfer({ alice, bob }, ["folder"]);

    assertOnlyFailed([...received.files], "folder/large.bin", "SOURCE_CHANGED");
    assert.deepEqual([...sent.files], [...received.files]);
    assert.deepEqual(await paths(bob), ["folder", "folder/other.bin"]);
  });
}

test("a source that vanishes after the offer fails alone", async (t) => {
  const { alice, bob } = await peers(t, options);
  await alice.write("folder/large.bin", random(300_000));
  await alice.write("folder/small.bin", random(500));
  await alice.write("folder/third.bin", random(500));

  const { received } = await transfer({ alice, bob }, ["folder"], {
    receive: {
      accept() {
        alice.disk.remove(alice.at("folder/large.bin"));
        alice.disk.remove(alice.at("folder/small.bin"));
        return true;
      },
    },
  });

  const statuses = [...received.files].map(({ path, status }) => [path, status]);
  assert.deepEqual(statuses, [
    ["folder/large.bin", "failed"],
    ["folder/small.bin", "failed"],
    ["folder/third.bin", "received"],
  ]);
  assert.deepEqual(await paths(bob), ["folder", "folder/third.bin"]);
});

test("native: sources that change after the offer fail alone", async (t) => {
  const { alice, bob } = await nativePeers(t);
  for (const name of ["cut", "touched", "gone", "kept"]) {
    await alice.write(`folder/large-${name}`, random(3_000_000));
    await alice.write(`folder/small-${name}`, random(3_000));
  }

  const { sent, received } = await transfer({ alice, bob }, ["folder"], {
    receive: {
      async accept() {
        for (const size of ["large", "small"]) {
          await truncate(alice.at(`folder/${size}-cut`), 1000);
          await utimes(alice.at(`folder/${size}-touched`), 1, 1);
          await truncate(alice.at(`folder/${size}-gone`), 0);
        }
        return true;
      },
    },
  });

  const failed = [...received.files].filter(({ status }) => status === "failed");
  assert.deepEqual(new Set(failed.map(({ code }) => code)), new Set(["SOURCE_CHANGED"]));
  assert.deepEqual([...sent.files], [...received.files]);
  assert.deepEqual(await paths(bob), ["folder", "folder/large-kept", "folder/small-kept"]);
});

const mayReadAll = process.platform === "win32" || process.getuid?.() === 0;

test("native: a file without read permission fails alone", { skip: mayReadAll }, async (t) => {
  const { alice, bob } = await nativePeers(t);
  await alice.write("folder/private.bin", random(1000));
  await alice.write("folder/other.bin", random(1000));
  await chmod(alice.at("folder/private.bin"), 0);

  const { received } = await transfer({ alice, bob }, ["folder"]);

  assertOnlyFailed([...received.files], "folder/private.bin", "DISK_DENIED");
});

function assertOnlyFailed(files: ReceiptFile[], path: string, code: string): void {
  const failed = files.filter(({ status }) => status !== "received");
  assert.deepEqual(
    failed.map((file) => [file.path, file.status, file.code, file.blake3]),
    [[path, "failed", code, ""]],
  );
}
