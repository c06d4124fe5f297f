/** What happens where a name is taken, by each policy. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Conflict } from "../src/index.ts";
import { engines, paths, peers, peersOn, transfer } from "./peers.ts";
import { isNotAsOffered } from "./receipt-files.ts";

const files = [
  { policy: "rename", kept: "old", arrived: { "a.tar.gz": "old", "a.tar (2).gz": "new" } },
  { policy: "skip", kept: "old", arrived: { "a.tar.gz": "old" } },
  { policy: "overwrite", kept: "new", arrived: { "a.tar.gz": "new" } },
] as const;

for (const engine of engines) {
  for (const { policy, arrived } of files) {
    test(`${engine}: a file whose name is taken is handled by "${policy}"`, async (t) => {
      const { alice, bob } = await peersOn(engine, t);
      await alice.write("a.tar.gz", "new");
      await bob.write("inbox/a.tar.gz", "old");

      const { received } = await transfer({ alice, bob }, ["a.tar.gz"], {
        receive: { onConflict: policy },
      });

      const found = (await paths(bob)).map(async (path) => {
        return [path, String(await bob.read(`inbox/${path}`))];
      });
      assert.deepEqual(Object.fromEntries(await Promise.all(found)), arrived);
      assert.equal([...received.files][0]?.status, policy === "skip" ? "skipped" : "received");
      const savedAs = policy === "rename" ? "a.tar (2).gz" : undefined;
      assert.equal([...received.files][0]?.savedAs, savedAs);
      const { files } = received;
      assert.deepEqual([...files.notAsOffered], [...files].filter(isNotAsOffered));
    });
  }

  test(`${engine}: a third file of a name gets the next number`, async (t) => {
    const { alice, bob } = await peersOn(engine, t);
    await alice.write("a.txt", "new");
    await bob.write("inbox/a.txt", "1");
    await bob.write("inbox/a (2).txt", "2");

    await transfer({ alice, bob }, ["a.txt"]);

    assert.deepEqual(await paths(bob), ["a (2).txt", "a (3).txt", "a.txt"]);
  });

  const folders = [
    {
      policy: "rename",
      arrived: ["album", "album (2)", "album (2)/both", "album (2)/new", "album/both", "album/old"],
      both: "old",
    },
    { policy: "skip", arrived: ["album", "album/both", "album/new", "album/old"], both: "old" },
    {
      policy: "overwrite",
      arrived: ["album", "album/both", "album/new", "album/old"],
      both: "new",
    },
  ] as const;

  for (const { policy, arrived, both } of folders) {
    test(`${engine}: a folder whose name is taken is handled by "${policy}"`, async (t) => {
      const { alice, bob } = await peersOn(engine, t);
      await alice.write("album/both", "new");
      await alice.write("album/new", "new");
      await bob.write("inbox/album/both", "old");
      await bob.write("inbox/album/old", "old");

      await transfer({ alice, bob }, ["album"], { receive: { onConflict: policy } });

      assert.deepEqual(await paths(bob), arrived);
      assert.equal(String(await bob.read("inbox/album/both")), both);
    });
  }
}

test("a merge makes the folders that are missing, at any depth", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("album/x/y/new", "new");
  await alice.folder("album/empty");
  await bob.folder("inbox/album/x");

  await transfer({ alice, bob }, ["album"], { receive: { onConflict: "overwrite" } });

  assert.deepEqual(await paths(bob), [
    "album",
    "album/empty",
    "album/x",
    "album/x/y",
    "album/x/y/new",
  ]);
});

test("a merge never goes through a link of the receiver", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("album/sub/new", "new");
  await bob.folder("private");
  await bob.link("inbox/album/sub", "/home/private");

  const { received } = await transfer({ alice, bob }, ["album"], {
    receive: { onConflict: "overwrite" },
  });

  assert.deepEqual(await bob.tree("private"), []);
  assert.equal([...received.files].find(({ path }) => path === "album/sub/new")?.status, "failed");
});

test("a file never replaces a folder, nor a folder a file", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("thing", "a file");
  await alice.write("stuff/inside", "a folder");
  await bob.write("inbox/thing/precious", "precious");
  await bob.write("inbox/stuff", "precious");

  await transfer({ alice, bob }, ["thing", "stuff"], { receive: { onConflict: "overwrite" } });

  assert.equal(String(await bob.read("inbox/thing/precious")), "precious");
  assert.equal(String(await bob.read("inbox/stuff")), "precious");
  assert.equal(String(await bob.read("inbox/thing (2)")), "a file");
  assert.equal(String(await bob.read("inbox/stuff (2)/inside")), "a folder");
});

test("overwriting a link replaces the link and not what it leads to", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("notes.txt", "new");
  await bob.write("private/diary.txt", "dear diary");
  await bob.link("inbox/notes.txt", "/home/private/diary.txt");

  await transfer({ alice, bob }, ["notes.txt"], { receive: { onConflict: "overwrite" } });

  assert.equal(String(await bob.read("private/diary.txt")), "dear diary");
  assert.equal(String(await bob.read("inbox/notes.txt")), "new");
});

test("a function is asked once for each name that is taken, with both sizes", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("a.txt", "new a");
  await alice.write("b.txt", "new b");
  await alice.write("c.txt", "new c");
  await bob.write("inbox/a.txt", "a");
  await bob.write("inbox/b.txt", "bb");
  const asked: Conflict[] = [];

  await transfer({ alice, bob }, ["a.txt", "b.txt", "c.txt"], {
    receive: {
      async onConflict(conflict) {
        asked.push(conflict);
        return conflict.path === "a.txt" ? "overwrite" : "skip";
      },
    },
  });

  assert.deepEqual(asked, [
    { path: "a.txt", kind: "file", bytes: 5, existingBytes: 1 },
    { path: "b.txt", kind: "file", bytes: 5, existingBytes: 2 },
  ]);
  assert.equal(String(await bob.read("inbox/a.txt")), "new a");
  assert.equal(String(await bob.read("inbox/b.txt")), "bb");
  assert.equal(String(await bob.read("inbox/c.txt")), "new c");
});

test("a function that throws ends the transfer on both sides and brings nothing", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("a.txt", "new");
  await bob.write("inbox/a.txt", "old");
  const failure = new Error("the person walked away");

  await assert.rejects(
    transfer({ alice, bob }, ["a.txt"], {
      receive: {
        onConflict() {
          throw failure;
        },
      },
    }),
  );

  assert.deepEqual(await paths(bob), ["a.txt"]);
  assert.equal(String(await bob.read("inbox/a.txt")), "old");
});

test("what is skipped is not sent", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("a.bin", Buffer.alloc(300_000));
  await bob.write("inbox/a.bin", "old");

  const { sent, receiving } = await transfer({ alice, bob }, ["a.bin"], {
    receive: { onConflict: "skip" },
  });

  assert.equal(sent.bytes, 0);
  assert.equal([...sent.files][0]?.status, "skipped");
  assert.equal(receiving.progress().bytes, 0);
});
