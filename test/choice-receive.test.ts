/** A receiver chooses from an offer: the rest costs no byte, and an interrupted choice goes on. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type EntryChoice, notChosen, type ReceiptFile } from "../src/index.ts";
import { Manifest } from "../src/protocol/manifest.ts";
import { EntryChooser } from "../src/transfer/entry-choice.ts";
import {
  assertBothFail,
  atDisk,
  begin,
  codeOf,
  engines,
  eventOf,
  leftovers,
  paths,
  peers,
  peersOn,
  random,
  type Side,
  transfer,
} from "./peers.ts";

/** `a/`, `a/1.jpg`, `a/b/`, `a/b/2.jpg`, `a/b/3.raw`, `a/empty/`, `a/link`, `c.raw`. */
const offered = [
  { depth: 0, name: "a", kind: "folder" },
  { depth: 1, name: "1.jpg", kind: "file" },
  { depth: 1, name: "b", kind: "folder" },
  { depth: 2, name: "2.jpg", kind: "file" },
  { depth: 2, name: "3.raw", kind: "file" },
  { depth: 1, name: "empty", kind: "folder" },
  { depth: 1, name: "link", kind: "link" },
  { depth: 0, name: "c.raw", kind: "file" },
] as const;

const everything = ["a", "a/1.jpg", "a/b", "a/b/2.jpg", "a/b/3.raw", "a/empty", "a/link", "c.raw"];

const choices: { choice: EntryChoice; wanted: string[]; why: string }[] = [
  { choice: {}, wanted: everything, why: "no choice wants everything" },
  { choice: { only: ["*.jpg"] }, wanted: everything.slice(0, 4), why: "folders come with files" },
  { choice: { only: ["*.raw"] }, wanted: ["a", "a/b", "a/b/3.raw", "c.raw"], why: "at any depth" },
  { choice: { only: ["/*.raw"] }, wanted: ["c.raw"], why: "at the top alone" },
  { choice: { only: ["a/b"] }, wanted: ["a", "a/b", "a/b/2.jpg", "a/b/3.raw"], why: "all in it" },
  { choice: { only: ["a", "!b/"] }, wanted: ["a", "a/1.jpg", "a/empty", "a/link"], why: "but" },
  { choice: { exclude: ["*.raw"] }, wanted: withoutRaw(), why: "what fits is left out" },
  {
    choice: { exclude: ["a/*", "!b/"] },
    wanted: ["a", "a/b", "a/b/2.jpg", "a/b/3.raw", "c.raw"],
    why: "a folder may be taken back",
  },
  { choice: { exclude: ["b", "!2.jpg"] }, wanted: withoutB(), why: "what lies in it may not" },
  { choice: { only: ["a"], exclude: ["*.raw"] }, wanted: withoutRaw(), why: "both must agree" },
  {
    choice: { exclude: ["*.jpg", "*.raw", "link"] },
    wanted: ["a", "a/empty"],
    why: "a folder that becomes empty is not made, one that is empty is",
  },
  { choice: { only: ["none"] }, wanted: [], why: "nothing fits" },
  {
    choice: { choose: ({ kind }) => kind === "link" },
    wanted: ["a", "a/link"],
    why: "by a function",
  },
  {
    choice: { only: ["*.jpg"], choose: ({ bytes }) => bytes > 1 },
    wanted: ["a", "a/b", "a/b/2.jpg"],
    why: "a function chooses among what fits",
  },
];

for (const { choice, wanted, why } of choices) {
  const { choose, ...patterns } = choice;
  const shown = JSON.stringify(patterns) + (choose ? " and a function" : "");
  test(`of an offer ${shown} wants [${wanted}]: ${why}`, () => {
    const manifest = new Manifest();
    for (const [at, entry] of offered.entries()) {
      const bytes = entry.kind === "file" ? at : 0;
      const target = entry.kind === "link" ? "1.jpg" : "";
      manifest.add({ ...entry, bytes, mode: 0o644, mtimeMs: 0, target });
    }

    const leftOut = EntryChooser.of(choice).leftOut(manifest);

    const found = everything.filter((_, position) => !leftOut.has(position));
    assert.deepEqual(found, wanted);
  });
}

for (const engine of engines) {
  test(`${engine}: what is not chosen costs no byte, is not made, and is in the receipt`, async (t) => {
    const { alice, bob } = await peersOn(engine, t);
    await writeAlbum(alice);

    const { sent, received, sending } = await transfer({ alice, bob }, ["album", "other.bin"], {
      receive: { only: ["*.jpg"] },
    });

    const expected = ["album", "album/1.jpg", "album/deep", "album/deep/2.jpg"];
    assert.deepEqual(await paths(bob), expected);
    assert.deepEqual([sent.bytes, received.bytes], [300_000, 300_000]);
    assert.deepEqual(skippedIn(sent.files), ["album/raw/3.raw", "other.bin"]);
    assert.deepEqual([...received.files], [...sent.files]);
    const { total, totalFiles } = sending.progress();
    assert.deepEqual([total, totalFiles], [300_000, 2]);
  });
}

test("what is not chosen is not sent, seen from the wire", async (t) => {
  const { alice, bob, network } = await peers(t);
  await writeAlbum(alice);

  await transfer({ alice, bob }, ["album", "other.bin"], {
    receive: { exclude: ["*.bin", "raw"] },
  });

  assert.ok(network.carriedBytes < 320_000, `${network.carriedBytes} bytes were carried`);
});

test("the person who is asked sees what is chosen, and may choose further", async (t) => {
  const { alice, bob } = await peers(t);
  await writeAlbum(alice);
  const asked: unknown[] = [];

  await transfer({ alice, bob }, ["album", "other.bin"], {
    receive: {
      only: ["*.jpg"],
      accept: async ({ chosen }) => {
        asked.push(chosen);
        return ({ path }) => path === "album/1.jpg";
      },
    },
  });

  assert.deepEqual(asked, [{ files: 2, bytes: 300_000 }]);
  assert.deepEqual(await paths(bob), ["album", "album/1.jpg"]);
});

test("a name that is taken is nobody's question when it is not chosen", async (t) => {
  const { alice, bob } = await peers(t);
  await writeAlbum(alice);
  await bob.write("inbox/other.bin", "mine");
  const asked: string[] = [];

  await transfer({ alice, bob }, ["album", "other.bin"], {
    receive: {
      exclude: ["other.bin"],
      onConflict({ path }) {
        asked.push(path);
        return "overwrite";
      },
    },
  });

  assert.deepEqual(asked, []);
  assert.equal(String(await bob.read("inbox/other.bin")), "mine");
});

test("S12: of a file that is there and not chosen the sender is told no value", async (t) => {
  const { alice, bob } = await peers(t);
  await writeAlbum(alice);
  await bob.write("inbox/album/1.jpg", random(200_000));
  await bob.write("inbox/album/raw/3.raw", random(700_000));
  let opened = 0;
  const count = () => {
    opened += 1;
  };
  atDisk(t, bob.disk, { operation: "openSource", n: 1, act: count });
  atDisk(t, bob.disk, { operation: "openSource", n: 2, act: count });

  await transfer({ alice, bob }, ["album"], {
    receive: { only: ["1.jpg"], onConflict: "overwrite" },
  });

  assert.equal(opened, 1, "files of the receiver that were read");
  assert.deepEqual(await bob.read("inbox/album/1.jpg"), await alice.read("album/1.jpg"));
});

test("a choice of nothing is refused on both sides, and writes nothing", async (t) => {
  const { alice, bob } = await peers(t);
  await writeAlbum(alice);

  const both = await begin({ alice, bob }, ["album"], { receive: { only: ["none"] } });

  await assertBothFail(both, { sender: "PEER_REJECTED", receiver: "PEER_REJECTED" });
  assert.deepEqual(await bob.tree("inbox"), []);
});

test("a pattern that fits nothing is refused before anything is dialled", async (t) => {
  const { alice, bob } = await peers(t);
  await writeAlbum(alice);
  const { sending, receiving } = await begin({ alice, bob }, ["album"], {
    receive: { only: ["a/../b"] },
  });

  assert.equal(await codeOf(receiving), "INVALID_ARGUMENT");
  sending.cancel();
});

test("what an interrupted transfer has brought is taken over by one that chooses", async (t) => {
  const { alice, bob, network } = await peers(t);
  await writeAlbum(alice);
  const { sending, receiving } = await begin({ alice, bob }, ["album"], {
    send: { retryForMs: 0 },
    receive: { retryForMs: 0 },
  });
  network.cutAfter(600_000);
  await Promise.all([codeOf(sending), codeOf(receiving)]);
  network.mend();

  const again = await transfer({ alice, bob }, ["album"], { receive: { only: ["3.raw"] } });

  const { bytes } = await eventOf(again.receiving, "resumed");
  assert.ok(bytes > 0);
  assert.deepEqual(await paths(bob), ["album", "album/raw", "album/raw/3.raw"]);
  assert.deepEqual(await leftovers(bob), []);
});

test("what an interrupted choice has brought is taken over by another that has it, too", async (t) => {
  const { alice, bob, network } = await peers(t);
  await writeAlbum(alice);
  const { sending, receiving } = await begin({ alice, bob }, ["album"], {
    send: { retryForMs: 0 },
    receive: { retryForMs: 0, only: ["*.raw"] },
  });
  network.cutAfter(500_000);
  await Promise.all([codeOf(sending), codeOf(receiving)]);
  network.mend();

  const again = await transfer({ alice, bob }, ["album"]);

  assert.ok((await eventOf(again.receiving, "resumed")).bytes > 0);
  const all = await alice.tree("album");
  assert.equal((await paths(bob, "inbox/album")).length, all.length);
  assert.deepEqual(await bob.read("inbox/album/raw/3.raw"), await alice.read("album/raw/3.raw"));
});

test("what has landed unsaid is not taken for what another choice wants", async (t) => {
  const { alice, bob, network } = await peers(t);
  await writeAlbum(alice);
  const { sending, receiving } = await begin({ alice, bob }, ["album"], {
    send: { retryForMs: 0 },
    receive: { retryForMs: 0, only: ["1.jpg"] },
  });
  // The last thing that happens to the disk before the receipt is said.
  atDisk(t, bob.disk, { operation: "rename", n: 1, act: () => network.cut() });
  await Promise.all([codeOf(sending), codeOf(receiving)]);
  network.mend();

  const again = await transfer({ alice, bob }, ["album"], { receive: { only: ["2.jpg"] } });

  assert.deepEqual(
    [...again.received.files]
      .filter(({ status }) => status !== "skipped")
      .map(({ path, status }) => [path, status]),
    [["album/deep/2.jpg", "received"]],
  );
  assert.deepEqual(await paths(bob), [
    "album",
    "album (2)",
    "album (2)/deep",
    "album (2)/deep/2.jpg",
    "album/1.jpg",
  ]);
});

/** 1.2 MB in three files of a folder, and one beside it. */
async function writeAlbum(side: Side): Promise<void> {
  await side.write("album/1.jpg", random(200_000));
  await side.write("album/deep/2.jpg", random(100_000));
  await side.write("album/raw/3.raw", random(700_000));
  await side.write("other.bin", random(200_000));
}

/** The paths of files that were skipped because nobody chose them. */
function skippedIn(files: Iterable<ReceiptFile>): string[] {
  return [...files].filter(isUnchosen).map(({ path }) => path);
}

function isUnchosen({ status, reason }: ReceiptFile): boolean {
  return status === "skipped" && reason === notChosen;
}

function withoutRaw(): string[] {
  return ["a", "a/1.jpg", "a/b", "a/b/2.jpg", "a/empty", "a/link"];
}

function withoutB(): string[] {
  return ["a", "a/1.jpg", "a/empty", "a/link", "c.raw"];
}
