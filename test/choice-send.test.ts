/** A sender leaves things out, by `--exclude` and by `.gitignore` files. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  assertBothFail,
  begin,
  codeOf,
  engines,
  eventOf,
  paths,
  peers,
  peersOn,
  type Side,
  transfer,
} from "./peers.ts";

for (const engine of engines) {
  test(`${engine}: what --exclude names stays here, and an excluded folder is not walked`, async (t) => {
    const { alice, bob } = await peersOn(engine, t);
    for (const path of ["a.txt", "a.tmp", "cache/x", "sub/b.tmp", "sub/cache"]) {
      await alice.write(`album/${path}`, path);
    }

    const { sending } = await transfer({ alice, bob }, ["album"], {
      send: { exclude: ["*.tmp", "cache/"] },
    });

    const expected = ["album", "album/a.txt", "album/sub", "album/sub/cache"];
    assert.deepEqual(await paths(bob), expected);
    assert.equal((await eventOf(sending, "offer")).excluded, 3);
  });

  test(`${engine}: .gitignore files count on request, the inner ones before the outer`, async (t) => {
    const { alice, bob } = await peersOn(engine, t);
    await writeProject(alice);

    await transfer({ alice, bob }, ["project"], { send: { gitignore: true } });

    assert.deepEqual(await paths(bob), [
      "project",
      "project/.git",
      "project/.git/config",
      "project/.gitignore",
      "project/main.c",
      "project/sub",
      "project/sub/.gitignore",
      "project/sub/keep.o",
    ]);
  });
}

test("without --gitignore the files are ordinary ones", async (t) => {
  const { alice, bob } = await peers(t);
  await writeProject(alice);

  await transfer({ alice, bob }, ["project"]);

  assert.equal((await paths(bob)).includes("project/main.o"), true);
});

test("a pattern that was typed beats those of .gitignore files", async (t) => {
  const { alice, bob } = await peers(t);
  await writeProject(alice);

  await transfer({ alice, bob }, ["project"], {
    send: { gitignore: true, exclude: ["!main.o", ".git"] },
  });

  const found = await paths(bob);
  assert.deepEqual(
    ["project/main.o", "project/.git"].map((path) => found.includes(path)),
    [true, false],
  );
});

test("what is named itself travels, whatever the patterns say", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("notes.tmp", "notes");

  const { sending } = await transfer({ alice, bob }, ["notes.tmp"], { send: { exclude: ["*"] } });

  assert.deepEqual(await paths(bob), ["notes.tmp"]);
  assert.equal((await eventOf(sending, "offer")).excluded, undefined);
});

test("a .gitignore that cannot be read ends the sending: what it hides might travel", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("project/.gitignore", Buffer.alloc(1024 * 1024 + 1));
  await alice.write("project/secret", "secret");

  const both = await begin({ alice, bob }, ["project"], { send: { gitignore: true } });

  await assertBothFail(both, { sender: "LIMIT_EXCEEDED", receiver: "LIMIT_EXCEEDED" });
  assert.deepEqual(await bob.tree("inbox"), []);
});

test("a pattern that fits nothing is refused before a ticket is made", async (t) => {
  const { alice } = await peers(t);
  await alice.write("notes.txt", "notes");

  const sending = alice.peer.send(alice.at("notes.txt"), { exclude: ["./notes"] });

  assert.equal(await codeOf(sending), "INVALID_ARGUMENT");
});

test("what goes on after a lost connection leaves out the same things", async (t) => {
  const { alice, bob, network } = await peers(t);
  for (let n = 0; n < 20; n += 1) await alice.write(`album/${n}.jpg`, Buffer.alloc(10_000, n));
  await alice.write("album/1.raw", Buffer.alloc(10_000));
  network.cutAfter(100_000);

  const { sending, receiving } = await begin({ alice, bob }, ["album"], {
    send: { exclude: ["*.raw"] },
  });
  await eventOf(receiving, "waiting");
  network.mend();
  await Promise.all([sending.done, receiving.done]);

  const found = await paths(bob);
  assert.deepEqual([found.length, found.includes("album/1.raw")], [21, false]);
});

/** A project with patterns of its own in two folders. */
async function writeProject(side: Side): Promise<void> {
  await side.write("project/.gitignore", "*.o\n/build/\n");
  await side.write("project/.git/config", "config");
  await side.write("project/main.c", "main");
  await side.write("project/main.o", "object");
  await side.write("project/build/out", "out");
  await side.write("project/sub/.gitignore", "!keep.o\n");
  await side.write("project/sub/keep.o", "kept");
  await side.write("project/sub/other.o", "object");
}
