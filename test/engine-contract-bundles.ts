/** The contract of bundles: many small files on one lane, each with its own end. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { BundledResult, BundledSource, BundledTarget, Folder } from "../src/engine/engine.ts";
import { pieceValue } from "../src/engine/memory-hash.ts";
import { atEnd } from "./ending.ts";
import { connectedPair, type MakeMachines, type Pair, patterned } from "./engine-contract.ts";
import { lane } from "./engine-contract-streams.ts";

/** Declares the tests for one engine. */
export function bundleContract(engine: string, make: MakeMachines): void {
  test(`${engine}: small files arrive with their bytes, modes and times`, async (t) => {
    const bundle = await startBundle(t, make);
    const contents = [0, 1, 1_024, 5_000, 100_000].map((bytes, at) => patterned(bytes, at));
    const files = await offer(bundle, contents);
    const targets = files.map((file) => targetOf(file));

    const { sent, received } = await passBundle(bundle, files, targets);

    const hashes = contents.map((content) => hex(blake3(content)));
    assert.deepEqual(
      outcome(sent),
      hashes.map((hash) => ({ status: "ok", hash })),
    );
    assert.deepEqual(
      outcome(received),
      hashes.map((hash) => ({ status: "ok", hash })),
    );
    for (const [at, { path, mtimeMs }] of files.entries()) {
      const arrived = await bundle.bob.disk.read(`${bundle.to}/${path}`);
      assert.ok(Buffer.from(arrived).equals(contents[at] ?? empty));
      const stat = await bundle.inbox.stat(path);
      assert.deepEqual([stat?.mode, stat?.mtimeMs], [0o700, mtimeMs]);
    }
  });

  test(`${engine}: files that changed or vanished are absent, and the rest arrives`, async (t) => {
    const bundle = await startBundle(t, make);
    const files = await offer(
      bundle,
      [1, 2, 3, 4].map((bytes) => patterned(bytes)),
    );
    const [touched, grown, kept] = files;
    const { disk } = bundle.alice;
    await disk.put(`${bundle.from}/${touched?.path}`, patterned(1), 5_000);
    await disk.put(`${bundle.from}/${grown?.path}`, patterned(9), grown?.mtimeMs);
    const gone = { path: "gone", bytes: 4, mtimeMs: 1_000 };
    const offered = [...files.slice(0, 3), gone];

    const { sent, received } = await passBundle(bundle, offered, offered.map(targetOf));

    const statuses = ["absent", "absent", "ok", "absent"];
    assert.deepEqual(
      sent.map(({ status }) => status),
      statuses,
    );
    assert.deepEqual(
      received.map(({ status }) => status),
      statuses,
    );
    assert.ok(sent[0]?.failure);
    const arrived = await bundle.inbox.list("");
    assert.deepEqual(
      arrived.map(({ name }) => name),
      [kept?.path],
    );
  });

  test(`${engine}: a file with the wrong value is bad and leaves nothing on the disk`, async (t) => {
    const bundle = await startBundle(t, make);
    const [one, two] = [patterned(10), patterned(20)];
    const raw = Buffer.concat([rawPiece(one, 1), rawPiece(two, 0)]);
    const { receive } = await lane(bundle.near, bundle.far, raw);

    const received = await receive.receiveBundle(bundle.inbox, [
      { path: "one", bytes: 10, mode: 0o600, mtimeMs: 1_000 },
      { path: "two", bytes: 20, mode: 0o600, mtimeMs: 1_000 },
    ]);

    assert.deepEqual(
      received.map(({ status }) => status),
      ["bad", "ok"],
    );
    assert.equal(await bundle.inbox.stat("one"), null);
    assert.equal((await bundle.inbox.stat("two"))?.bytes, 20);
  });

  test(`${engine}: a file that the disk refuses fails alone, and says why`, async (t) => {
    const bundle = await startBundle(t, make);
    const files = await offer(
      bundle,
      [1, 2, 3].map((bytes) => patterned(bytes)),
    );
    await bundle.bob.disk.put(`${bundle.to}/taken`, patterned(7));
    const paths = ["taken", "no/folder", "fine"];
    const targets = files.map((file, at) => ({ ...targetOf(file), path: paths[at] ?? "" }));

    const { sent, received } = await passBundle(bundle, files, targets);

    assert.deepEqual(
      sent.map(({ status }) => status),
      ["ok", "ok", "ok"],
    );
    assert.deepEqual(
      received.map(({ status, failure }) => [status, failure && "code" in failure && failure.code]),
      [
        ["failed", "DISK_EXISTS"],
        ["failed", "DISK_MISSING"],
        ["ok", null],
      ],
    );
    assert.equal((await bundle.bob.disk.read(`${bundle.to}/taken`)).length, 7);
  });

  test(`${engine}: a bundled file of another size than offered is malformed`, async (t) => {
    const bundle = await startBundle(t, make);
    const { receive } = await lane(bundle.near, bundle.far, rawPiece(patterned(10), 0));
    const target = { path: "one", bytes: 11, mode: 0o600, mtimeMs: 1_000 };

    const receiving = receive.receiveBundle(bundle.inbox, [target]);

    await assert.rejects(receiving, { code: "INVALID_FRAME" });
  });

  test(`${engine}: a thousand files fit in one bundle`, async (t) => {
    const bundle = await startBundle(t, make);
    const contents = Array.from({ length: 1_000 }, (_, at) => patterned(at % 50, at));
    const files = await offer(bundle, contents);

    const { received } = await passBundle(bundle, files, files.map(targetOf));

    assert.ok(received.every(({ status }) => status === "ok"));
    assert.equal((await bundle.inbox.list("")).length, 1_000);
  });
}

interface Bundle extends Pair {
  from: string;
  to: string;
  sources: Folder;
  inbox: Folder;
}

async function startBundle(t: TestContext, make: MakeMachines): Promise<Bundle> {
  const pair = await connectedPair(t, make);
  const from = await pair.alice.disk.makeFolder();
  const to = await pair.bob.disk.makeFolder();
  const sources = await pair.alice.engine.openFolder(from);
  const inbox = await pair.bob.engine.openFolder(to);
  atEnd(t, async () => {
    await sources.close();
    await inbox.close();
  });
  return { ...pair, from, to, sources, inbox };
}

async function offer({ alice, from }: Bundle, contents: Uint8Array[]): Promise<BundledSource[]> {
  const files: BundledSource[] = [];
  for (const [at, content] of contents.entries()) {
    const file = { path: `f${at}`, bytes: content.length, mtimeMs: 1_600_000_000_123 + at };
    await alice.disk.put(`${from}/${file.path}`, content, file.mtimeMs);
    files.push(file);
  }
  return files;
}

async function passBundle(
  { near, far, sources, inbox }: Bundle,
  files: BundledSource[],
  targets: BundledTarget[],
): Promise<{ sent: BundledResult[]; received: BundledResult[] }> {
  const { send, receive } = await lane(near, far, Uint8Array.of(1));
  await receive.read(1);
  const sending = send.sendBundle(Uint8Array.of(2), sources, files);
  await receive.read(1);
  const received = await receive.receiveBundle(inbox, targets);
  const sent = await sending;
  await send.finish();
  assert.equal(await receive.read(1), null);
  return { sent, received };
}

function targetOf({ path, bytes, mtimeMs }: BundledSource): BundledTarget {
  return { path, bytes, mtimeMs, mode: 0o700 };
}

function outcome(results: BundledResult[]): { status: string; hash: string }[] {
  return results.map(({ status, hash }) => ({ status, hash: hex(hash) }));
}

function rawPiece(bytes: Uint8Array, damage: number): Uint8Array {
  const value = blake3(bytes);
  value[31] = (value[31] ?? 0) + damage;
  const head = Buffer.alloc(5);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes, value]);
}

function blake3(bytes: Uint8Array): Uint8Array {
  return pieceValue(bytes, { offset: 0, isWholeFile: true });
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

const empty = new Uint8Array(0);
