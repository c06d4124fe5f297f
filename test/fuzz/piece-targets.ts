/** Pieces through each engine: what it makes of any bytes is what the document says. */

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import type {
  Connection,
  Engine,
  Folder,
  PartialFile,
  ReceivedRun,
} from "../../src/engine/engine.ts";
import { createMemoryNetwork } from "../../src/engine/memory.ts";
import { openNativeEngine } from "../../src/engine/native.ts";
import { defaultTuning } from "../../src/index.ts";
import {
  type Outcome,
  outcomesOf,
  type PieceOutcome,
  pieceSeeds,
  type Shape,
  shapes,
} from "./piece-model.ts";
import { refusalOf, type Target } from "./target.ts";

/** A connection, and a folder for what comes over it. */
interface Bench {
  near: Connection;
  far: Connection;
  folder: Folder;
  /** The bytes of a file in the folder; null if it is not there. */
  read: (name: string) => Buffer | null;
  close: () => Promise<void>;
}

function pieceTarget(name: string, openBench: () => Promise<Bench>): Target {
  let bench: Promise<Bench> | null = null;
  return {
    name,
    seeds: pieceSeeds,
    async run(input) {
      bench ??= openBench();
      const shape = shapes[(input[0] ?? 0) % shapes.length];
      assert.ok(shape);
      const expected = outcomesOf(shape, input.subarray(1));
      const got = await receive(await bench, shape, input.subarray(1));
      const isExpected = expected.some((outcome) => isDeepStrictEqual(got, outcome));
      if (!isExpected) assert.deepEqual(got, expected[0]);
      return describe(got);
    },
    async close() {
      await (await bench)?.close();
      bench = null;
    },
  };
}

/** What an engine makes of a stream. */
async function receive(bench: Bench, shape: Shape, bytes: Uint8Array): Promise<Outcome> {
  const sending = await bench.near.openUnidirectional();
  // A stream without a byte is not seen: the receiver takes the first one away.
  await sending.write(Buffer.concat([Buffer.of(0), bytes]));
  const receiving = await bench.far.acceptUnidirectional();
  await receiving.read(1);
  receiving.takeCodecs(["lz4", "zstd"]);
  await sending.finish();
  try {
    return shape.kind === "run"
      ? await receiveRun(bench, shape, (partial) => receiving.receiveRun(partial, shape))
      : await receiveBundle(bench, shape.sizes, (targets) =>
          receiving.receiveBundle(bench.folder, targets),
        );
  } catch (error) {
    refusalOf(error, ["INVALID_FRAME"]);
    return { kind: "malformed" };
  } finally {
    receiving.stop(0);
    await bench.folder.remove(runName);
    for (const bundled of bundleNames) await bench.folder.remove(bundled);
  }
}

async function receiveRun(
  { folder, read }: Bench,
  { offset, length, pieceBytes, fileBytes }: Shape & { kind: "run" },
  call: (partial: PartialFile) => Promise<ReceivedRun>,
): Promise<Outcome> {
  const partial = await folder.createPartial(runName, fileBytes, 0o600);
  try {
    const { bad, absentFrom, failure } = await call(partial);
    if (failure) refusalOf(failure, ["INVALID_FRAME"]);
    const count = Math.max(1, Math.ceil(length / pieceBytes));
    const content = read(runName) ?? Buffer.alloc(0);
    const announced = Math.min(count, absentFrom + 1);
    const pieces = Array.from({ length: announced }, (_, position): PieceOutcome => {
      if (position === absentFrom) return { kind: failure ? "malformed" : "absent" };
      if (bad.includes(position)) return { kind: "bad" };
      const start = offset + position * pieceBytes;
      const end = Math.min(offset + length, start + pieceBytes);
      return { kind: "good", bytes: content.subarray(start, end) };
    });
    return { kind: "run", pieces };
  } finally {
    await partial.close();
  }
}

async function receiveBundle(
  { read }: Bench,
  sizes: readonly number[],
  call: (
    targets: { path: string; bytes: number; mode: number; mtimeMs: number }[],
  ) => Promise<{ status: string }[]>,
): Promise<Outcome> {
  const targets = sizes.map((bytes, at) => {
    return { path: bundleNames[at] ?? "", bytes, mode: 0o644, mtimeMs: 0 };
  });
  const results = await call(targets);
  const pieces = results.map(({ status }, at): PieceOutcome => {
    const bytes = read(bundleNames[at] ?? "");
    if (status === "ok") return { kind: "good", bytes: bytes ?? Buffer.from("none") };
    assert.equal(bytes, null, "a file stays whose piece is not good");
    assert.ok(status === "bad" || status === "absent", status);
    return { kind: status };
  });
  return { kind: "bundle", pieces };
}

function describe(outcome: Outcome): string {
  if (outcome.kind === "malformed") return "malformed";
  return `${outcome.kind} ${outcome.pieces.map(({ kind }) => kind).join()}`;
}

/** The receiver dials: whoever is dialled by a stranger takes little of it. */
async function connect(sender: Engine, receiver: Engine) {
  const options = { ...defaultTuning, listen: ["127.0.0.1:0"], alpn: "quiver-fuzz/1" };
  const bind = (engine: Engine) =>
    engine.bind({ ...options, secretKey: crypto.getRandomValues(new Uint8Array(32)) });
  const [from, to] = [await bind(sender), await bind(receiver)];
  const accepting = from.accept();
  const far = await to.connect(from.peerId, from.addresses, 10_000);
  const near = await accepting;
  assert.ok(near);
  const close = async () => {
    await from.close();
    await to.close();
  };
  return { near, far, close };
}

async function memoryBench(): Promise<Bench> {
  const network = createMemoryNetwork();
  const [near, far] = [network.engine("near"), network.engine("far")];
  far.disk.folder("/in");
  const folder = await far.openFolder("/in");
  const read = (name: string) => {
    return far.disk.stat(`/in/${name}`) ? Buffer.from(far.disk.read(`/in/${name}`)) : null;
  };
  return { ...(await connect(near, far)), folder, read };
}

async function nativeBench(): Promise<Bench> {
  const engine = openNativeEngine({ workerThreads: 1 });
  const path = mkdtempSync(join(tmpdir(), "quiver-fuzz-"));
  const folder = await engine.openFolder(path);
  const { near, far, close } = await connect(engine, engine);
  return {
    near,
    far,
    folder,
    read: (name) => (existsSync(join(path, name)) ? readFileSync(join(path, name)) : null),
    async close() {
      await close();
      await folder.close();
      rmSync(path, { recursive: true, force: true });
    },
  };
}

const runName = "run.bin";
const bundleNames = ["a", "b", "c"];
const addon = fileURLToPath(new URL("../../native/quiver.node", import.meta.url));

/** Pieces on the memory engine, and on the native one where it is built. */
export const pieceTargets: readonly Target[] = [
  pieceTarget("memory-pieces", memoryBench),
  ...(existsSync(addon) ? [pieceTarget("native-pieces", nativeBench)] : []),
];
