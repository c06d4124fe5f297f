/** The inbox is deleted, moved, replaced or closed while files arrive: on real folders. */

import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { type TestContext, test } from "node:test";
import { NativeFolder } from "../src/engine/native-folder.ts";
import type { Receipt, Transfer } from "../src/index.ts";
import {
  assertSameTree,
  begin,
  leftovers,
  nativePeers,
  paths,
  random,
  type Side,
  transfer,
} from "./peers.ts";

/** When it happens: before the first file is made, or before the first thing gets its final name. */
const moments = ["createPartial", "rename"] as const;

/** What happens, and where the files are afterwards. */
const events = [
  { what: "deleted", act: (inbox: string) => rmSync(inbox, { recursive: true }), landed: null },
  { what: "moved", act: moveAway, landed: "moved" },
  {
    what: "replaced by a link",
    act(inbox: string, outside: string) {
      moveAway(inbox);
      symlinkSync(outside, inbox);
    },
    landed: "moved",
  },
  {
    what: "replaced by another folder",
    act(inbox: string) {
      moveAway(inbox);
      mkdirSync(inbox);
    },
    landed: "moved",
  },
];

for (const moment of moments) {
  for (const { what, act, landed } of events) {
    test(`the inbox is ${what} before the first ${moment}`, async (t) => {
      const { alice, bob } = await nativePeers(t);
      await prepare(alice);
      await bob.folder("outside");
      before(t, moment, () => act(bob.at("inbox"), bob.at("outside")));

      const both = await begin({ alice, bob }, ["tree", "single"]);
      const [sent, received] = await Promise.all([textOf(both.sending), textOf(both.receiving)]);

      assert.deepEqual(await bob.tree("outside"), []);
      if (landed === null) {
        for (const text of [sent, received]) assert.match(text, /DISK_MISSING .*(tree|single)/);
        assert.ok(!existsSync(bob.at("inbox")));
        await transfer({ alice, bob }, ["tree", "single"]);
        await assertArrived(alice, bob, "inbox");
      } else {
        assert.deepEqual([sent, received], ["done", "done"]);
        await assertArrived(alice, bob, landed);
        if (existsSync(bob.at("inbox"))) assert.deepEqual(readdirSync(bob.at("inbox")), []);
      }
    });
  }
}

const mayWriteAll = process.platform === "win32" || process.getuid?.() === 0;

for (const moment of moments) {
  test(`the inbox is made read-only before the first ${moment}`, {
    skip: mayWriteAll,
  }, async (t) => {
    const { alice, bob } = await nativePeers(t);
    await prepare(alice);
    before(t, moment, () => chmodSync(bob.at("inbox"), 0o555));

    const both = await begin({ alice, bob }, ["tree", "single"]);
    const [sent, received] = await Promise.all([textOf(both.sending), textOf(both.receiving)]);

    for (const text of [sent, received]) assert.match(text, /DISK_DENIED .*(tree|single)/);
    assert.deepEqual(await paths(bob), []);
    chmodSync(bob.at("inbox"), 0o755);
    await transfer({ alice, bob }, ["tree", "single"]);
    await assertArrived(alice, bob, "inbox");
  });
}

test("the staging folder is deleted while files arrive", async (t) => {
  const { alice, bob } = await nativePeers(t);
  await prepare(alice);
  before(t, "rename", () => {
    const [name = ""] = readdirSync(bob.at("inbox"));
    rmSync(bob.at(`inbox/${name}`), { recursive: true });
  });

  const both = await begin({ alice, bob }, ["tree", "single"]);
  const [sent, received] = await Promise.all([textOf(both.sending), textOf(both.receiving)]);

  for (const text of [sent, received]) assert.match(text, /DISK_MISSING .*(tree|single)/);
  assert.deepEqual(await paths(bob), []);
  await transfer({ alice, bob }, ["tree", "single"]);
  await assertArrived(alice, bob, "inbox");
});

function moveAway(inbox: string): void {
  renameSync(inbox, inbox.replace(/inbox$/, "moved"));
}

async function prepare(alice: Side): Promise<void> {
  await alice.write("tree/large.bin", random(300_000));
  await alice.write("tree/sub/small", "small");
  await alice.write("single", random(100_000));
}

/** Calls `act` once, before the first such call on a folder. */
function before(t: TestContext, call: (typeof moments)[number], act: () => void): void {
  const original = NativeFolder.prototype[call];
  let isDone = false;
  t.mock.method(NativeFolder.prototype, call, function (this: NativeFolder, ...given: never[]) {
    if (!isDone) act();
    isDone = true;
    return Reflect.apply(original, this, given);
  });
}

/** What a side is told: "done", or each failure. */
async function textOf({ done }: Transfer): Promise<string> {
  const tell = ({ files }: Receipt) => {
    const failed = [...files].filter(({ status }) => status === "failed");
    return (
      failed.map(({ code, path, reason }) => `${code} ${path}: ${reason}`).join("; ") || "done"
    );
  };
  return done.then(tell, (error) => `${error.code} ${error.message}`);
}

async function assertArrived(alice: Side, bob: Side, folder: string): Promise<void> {
  assertSameTree(await bob.tree(`${folder}/tree`), await alice.tree("tree"));
  assert.ok((await bob.read(`${folder}/single`)).equals(await alice.read("single")));
  assert.deepEqual(await leftovers(bob, folder), []);
}
