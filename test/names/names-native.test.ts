/** Hundreds of names on this machine's own disk: created, listed, sent, received and shown. */

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { offerText } from "../../src/cli/offer-text.ts";
import { receiptDetails } from "../../src/cli/receipt-text.ts";
import { openNativeEngine } from "../../src/engine/native.ts";
import { encodeName } from "../../src/lossless-name.ts";
import { atEnd } from "../ending.ts";
import { eventOf, eventsOf, nativePeers, type Side, temporaryFolder, transfer } from "../peers.ts";
import { bigList, generatedNames, hostileNames } from "./name-corpus.ts";
import { assertLegal, isLegal } from "./name-laws.ts";

const addon = new URL("../../native/quiver.node", import.meta.url);
// Other systems have other names; their rules are tested on any.
const isHere = process.platform === "linux" && existsSync(addon);
const options = { skip: isHere ? false : "it needs Linux and native/quiver.node" };

const all = [...hostileNames, ...bigList(), ...generatedNames(300, 7)];
const names = [...new Set(all)].filter((name) => isLegal(name, "linux"));

test(`${names.length} names are created, listed and moved as they are`, options, async (t) => {
  const folder = await openNativeEngine({ workerThreads: 1 }).openFolder(temporaryFolder(t));
  atEnd(t, () => folder.close());
  await folder.createFolder("moved");

  for (const name of names) await (await folder.createPartial(name, 0, 0o600)).close();
  const created = (await folder.list(""))
    .map(({ name }) => name)
    .filter((name) => name !== "moved");
  for (const name of names) await folder.rename(name, folder, `moved/${name}`, { replace: false });
  const moved = (await folder.list("moved")).map(({ name }) => name);

  const sorted = names.toSorted((a, b) => Buffer.compare(encodeName(a), encodeName(b)));
  assert.deepEqual(created, sorted);
  assert.deepEqual(moved, sorted);
});

test(`a folder of ${names.length} names arrives, each with its own content`, options, async (t) => {
  const { alice, bob } = await nativePeers(t);
  mkdirSync(alice.at("names"));
  for (const name of names) write(alice, `names/${name}`, name);

  const { received, receiving } = await transfer({ alice, bob }, ["names"]);

  assert.equal(received.files.length, names.length);
  for (const { path, savedAs = path, status } of received.files) {
    assert.equal(status, "received");
    assertLegal(savedAs.slice("names/".length), "linux");
    assert.equal(read(bob, `inbox/${savedAs}`), JSON.stringify(path.slice("names/".length)));
  }
  assertHarmless(receiptDetails(received));
  for (const event of await eventsOf(receiving)) {
    const line = JSON.stringify(event);
    assert.ok(!line.includes("\n"));
    const plain = event.type === "receipt" ? { ...event, files: [...event.files] } : event;
    assert.deepEqual(JSON.parse(line), plain);
  }
});

test(
  "names stand at the top of an offer as they are, and are shown harmless",
  options,
  async (t) => {
    const { alice, bob } = await nativePeers(t);
    const sample = names.filter((name) => name !== "inbox").slice(0, 150);
    for (const name of sample) write(alice, name, name);

    const { received, receiving } = await transfer({ alice, bob }, sample);

    const offer = await eventOf(receiving, "offer");
    assert.deepEqual(new Set(offer.items.map(({ name }) => name)), new Set(sample));
    assertHarmless(offerText({ ...offer, peerName: "\x1b[2J\u202e" }));
    for (const { name } of offer.items)
      assertHarmless(
        offerText({
          ...offer,
          items: [{ ...offer.items[0], name, kind: "file", files: 1, bytes: 1 }],
        }),
      );
    for (const { path, savedAs = path } of received.files) {
      assert.equal(read(bob, `inbox/${savedAs}`), JSON.stringify(path));
    }
  },
);

function write(side: Side, path: string, name: string): void {
  writeFileSync(Buffer.from(encodeName(`${side.at("")}/${path}`)), JSON.stringify(name));
}

function read(side: Side, path: string): string {
  return readFileSync(Buffer.from(encodeName(`${side.at("")}/${path}`)), "utf8");
}

function assertHarmless(lines: readonly string[]): void {
  for (const line of lines) assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
}
