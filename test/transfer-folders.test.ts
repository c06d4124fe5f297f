/** Everything that is in a folder arrives, or is listed as left behind. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs/promises";
import { test } from "node:test";
import {
  assertSameTree,
  engines,
  nativePeers,
  paths,
  peers,
  peersOn,
  random,
  type Side,
  transfer,
} from "./peers.ts";

/** A folder with one of everything that travels. */
async function writeAlbum(side: Side): Promise<void> {
  await side.write("album/notes.txt", "notes", { mtimeMs: 1_234_567_890_123 });
  await side.write("album/run.sh", "#!/bin/sh\n", { mode: 0o755, mtimeMs: 1_600_000_000_001 });
  await side.write("album/read-only.txt", "do not touch", { mode: 0o444 });
  await side.write("album/before-1970.txt", "old", { mtimeMs: -1 });
  await side.write("album/deep/er/still/photo.jpg", random(200_000));
  await side.write("album/naïve 日本 'quotes' \\ and spaces.txt", "odd name");
  await side.write("album/empty.txt", "");
  await side.folder("album/nothing/in/here");
  await side.link("album/deep/to-notes", "../notes.txt");
  await side.link("album/deep/dangling", "er/nobody");
  await side.touch("album/deep/er", { mode: 0o700, mtimeMs: 1_500_000_000_007 });
  await side.touch("album/nothing", { mode: 0o555, mtimeMs: 1_400_000_000_999 });
  await side.touch("album", { mtimeMs: 1_300_000_000_500 });
}

for (const engine of engines) {
  for (const profile of ["ultra", "standard"] as const) {
    test(`${engine}: a folder arrives whole in ${profile}`, async (t) => {
      const { alice, bob } = await peersOn(engine, t);
      await writeAlbum(alice);

      const { sent } = await transfer({ alice, bob }, ["album"], { send: { profile } });

      assertSameTree(await bob.tree("inbox/album"), await alice.tree("album"));
      assertSameTree(
        (await bob.tree("inbox")).filter(({ path }) => path === "album"),
        (await alice.tree("")).filter(({ path }) => path === "album"),
      );
      assert.deepEqual(sent.skipped, []);
    });
  }

  test(`${engine}: an empty folder arrives`, async (t) => {
    const { alice, bob } = await peersOn(engine, t);
    await alice.folder("nothing");

    const { received } = await transfer({ alice, bob }, ["nothing"]);

    assert.deepEqual(await paths(bob), ["nothing"]);
    assert.deepEqual([...received.files], []);
  });

  test(`${engine}: a thousand small files arrive`, async (t) => {
    const { alice, bob } = await peersOn(engine, t);
    for (let n = 0; n < 1000; n += 1) await alice.write(`many/${n % 7}/${n}.txt`, `file ${n}`);

    const { received } = await transfer({ alice, bob }, ["many"]);

    assertSameTree(await bob.tree("inbox/many"), await alice.tree("many"));
    assert.equal(received.files.length, 1000);
    assert.ok([...received.files].every(({ status }) => status === "received"));
  });

  test(`${engine}: links that lead out stay behind and are listed on both sides`, async (t) => {
    const { alice, bob } = await peersOn(engine, t);
    await alice.write("album/deep/notes.txt", "notes");
    await alice.link("album/out", "../secret");
    await alice.link("album/absolute", "/etc/passwd");
    await alice.link("album/deep/far-out", "../../secret");
    await alice.link("album/deep/through", "name/../../..");
    await alice.link("album/inside", "deep/notes.txt");

    const { sent, received } = await transfer({ alice, bob }, ["album"]);

    const reason = "is a link that leads out of what is sent";
    assert.deepEqual(sent.skipped, [
      { path: "album/absolute", reason },
      { path: "album/deep/far-out", reason },
      { path: "album/deep/through", reason },
      { path: "album/out", reason },
    ]);
    assert.deepEqual(received.skipped, sent.skipped);
    assert.deepEqual(await paths(bob), [
      "album",
      "album/deep",
      "album/deep/notes.txt",
      "album/inside",
    ]);
  });

  test(`${engine}: things of one name from several folders arrive under names of their own`, async (t) => {
    const { alice, bob } = await peersOn(engine, t);
    await alice.write("a/report.txt", "from a");
    await alice.write("b/report.txt", "from b");
    await alice.write("c/report.txt/page.txt", "a folder");

    await transfer({ alice, bob }, ["a/report.txt", "b/report.txt", "c/report.txt"]);

    const tree = await bob.tree("inbox");
    const folders = tree.filter(({ kind }) => kind === "folder").length;
    assert.equal(tree.length, 4);
    assert.equal(folders, 1);
    assert.equal(String(await bob.read("inbox/report.txt")), "from a");
    const second = tree.find(({ path, kind }) => kind === "file" && /\(2\)/.test(path));
    assert.equal(String(await bob.read(`inbox/${second?.path}`)), "from b");
  });

  test(`${engine}: several files and folders arrive together`, async (t) => {
    const { alice, bob } = await peersOn(engine, t);
    await alice.write("one.txt", "1");
    await alice.write("folder/two.txt", "22");
    await alice.write("elsewhere/three.bin", random(100_000));

    const { received } = await transfer({ alice, bob }, [
      "one.txt",
      "folder",
      "elsewhere/three.bin",
    ]);

    assert.deepEqual(await paths(bob), ["folder", "folder/two.txt", "one.txt", "three.bin"]);
    assert.equal(received.bytes, 100_003);
  });

  test(`${engine}: a link that is named itself is followed, and keeps its own name`, async (t) => {
    const { alice, bob } = await peersOn(engine, t);
    await alice.write("versions/2/readme.txt", "second");
    await alice.link("versions/latest", "2");
    await alice.link("current", "versions/latest");

    await transfer({ alice, bob }, ["current"]);

    assert.deepEqual(await paths(bob), ["current", "current/readme.txt"]);
  });
}

test("what is neither file, folder nor link is listed as skipped", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("album/notes.txt", "notes");
  alice.disk.other(alice.at("album/socket"));

  const { sent } = await transfer({ alice, bob }, ["album"]);

  assert.deepEqual(sent.skipped, [{ path: "album/socket", reason: "is a socket, device or FIFO" }]);
  assert.deepEqual(await paths(bob), ["album", "album/notes.txt"]);
});

const isUnix = process.platform !== "win32";
const isLinux = process.platform === "linux";

test("a FIFO is listed as skipped and never opened", { skip: !isUnix }, async (t) => {
  const { alice, bob } = await nativePeers(t);
  await alice.write("album/notes.txt", "notes");
  execFileSync("mkfifo", [alice.at("album/pipe")]);

  const { received } = await transfer({ alice, bob }, ["album"]);

  assert.deepEqual(received.skipped, [
    { path: "album/pipe", reason: "is a socket, device or FIFO" },
  ]);
  assert.deepEqual(await paths(bob), ["album", "album/notes.txt"]);
});

test("names that are not UTF-8 arrive byte for byte", { skip: !isLinux }, async (t) => {
  const { alice, bob } = await nativePeers(t);
  const odd = Buffer.from([0x66, 0xff, 0xfe, 0x2e, 0x74, 0x78, 0x74]);
  const inFolder = (folder: string) => Buffer.concat([Buffer.from(`${folder}/`), odd]);
  await alice.folder("album");
  await fs.writeFile(inFolder(alice.at("album")), "odd");
  await fs.symlink(odd, alice.at("album/link"));

  await transfer({ alice, bob }, ["album"]);

  const names = await fs.readdir(bob.at("inbox/album"), { encoding: "buffer" });
  assert.ok(names.some((name) => name.equals(odd)));
  assert.equal(String(await fs.readFile(inFolder(bob.at("inbox/album")))), "odd");
  const target = await fs.readlink(bob.at("inbox/album/link"), { encoding: "buffer" });
  assert.deepEqual(target, odd);
});

test("set-id and sticky bits do not travel", { skip: !isUnix }, async (t) => {
  const { alice, bob } = await nativePeers(t);
  await alice.write("album/tool", "#!/bin/sh\n", { mode: 0o6755 });
  await alice.touch("album", { mode: 0o1755 });

  await transfer({ alice, bob }, ["album"]);

  const modes = (await bob.tree("inbox")).map(({ mode }) => mode & ~process.umask());
  assert.deepEqual(modes, [0o755, 0o755]);
});

test("a file that others could read is closed to them while it is partial", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("open.txt", "for all", { mode: 0o644 });
  const seen: number[] = [];

  await transfer({ alice, bob }, ["open.txt"], {
    receive: {
      accept() {
        const check = bob.disk.check.bind(bob.disk);
        t.mock.method(bob.disk, "check", (operation: Parameters<typeof check>[0]) => {
          const staging = bob.disk.tree(bob.at("inbox")).find(({ kind }) => kind === "folder");
          if (operation === "write" && staging) seen.push(staging.mode);
          check(operation);
        });
        return true;
      },
    },
  });

  assert.deepEqual(seen, [0o700]);
});
