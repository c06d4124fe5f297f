/** The lines of a transfer's log, in the specification's words. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { LogLines, type TransferEvent } from "../src/index.ts";
import { receiptFiles } from "./receipt-files.ts";

const MiB = 1_048_576;
const transferId = "00";

function offer(profile: "ultra" | "standard", names: string[], moreItems = 0): TransferEvent {
  return {
    type: "offer",
    transferId,
    peerId: "ab",
    peerName: "laptop",
    files: names.length,
    folders: 0,
    links: 0,
    bytes: 600 * MiB,
    items: names.map((name) => ({ name, kind: "file", files: 1, bytes: 1 })),
    hiddenItems: 0,
    moreItems,
    targetDir: "",
    profile,
  };
}

function progress(bytes: number, throughput: number): TransferEvent {
  const freely = { state: "moving", limit: null } as const;
  const rest = {
    files: 0,
    totalFiles: 1,
    etaMs: null,
    lanes: 19,
    laneBytes: [],
    wireBytes: 0,
    boundBy: null,
    rttMs: 0,
    ...freely,
  };
  return { type: "progress", transferId, bytes, total: 600 * MiB, throughput, ...rest };
}

const lanes: TransferEvent = {
  type: "lanes",
  transferId,
  profile: "ultra",
  lanes: 19,
  compress: "auto",
  ranges: 19,
  rangeBytes: 32 * MiB,
};

const receipt: TransferEvent = {
  type: "receipt",
  transferId,
  files: receiptFiles([]),
  bytes: 600 * MiB,
  wireBytes: 0,
  bounds: [],
  seconds: 4.2,
  skipped: [],
};

test("a transfer is told in the specification's words", () => {
  const lines = new LogLines();

  const told = [offer("ultra", ["film.mkv"]), lanes, progress(150 * MiB, 1.5e8), receipt].flatMap(
    (event, second) => lines.linesOf(event, second * 1000),
  );

  assert.deepEqual(told, [
    "⚡ Starting ULTRA transfer: film.mkv (600.0 MB)",
    "⚡ ULTRA config: 19 streams, 19 chunks of 32.0 MB each",
    "⚡ Opened 19 streams in parallel",
    "⚡ Progress: 25.0% - Speed: 1200.0 Mbps",
    "⚡ ULTRA transfer complete: 600.0 MB in 4.20s (1198.4 Mbps)",
  ]);
});

test("the standard profile says STANDARD, to the end", () => {
  const lines = new LogLines();
  const standard: TransferEvent = { ...lanes, profile: "standard", lanes: 8 };

  const told = [offer("standard", ["a"]), standard, receipt].flatMap((event) =>
    lines.linesOf(event, 0),
  );

  assert.match(told[0] ?? "", /Starting STANDARD transfer/);
  assert.match(told[1] ?? "", /STANDARD config: 8 streams/);
  assert.match(told[3] ?? "", /STANDARD transfer complete/);
});

test("progress is told once a second, however often it comes", () => {
  const lines = new LogLines();
  lines.linesOf(offer("ultra", ["a"]), 0);

  const times = [200, 999, 1_000, 1_200, 1_999, 2_000];
  const told = times.filter((nowMs) => lines.linesOf(progress(1, 1), nowMs).length > 0);

  assert.deepEqual(told, [1_000, 2_000]);
});

test("a name of the peer cannot move the cursor", () => {
  const [line] = new LogLines().linesOf(offer("ultra", ["a\u001b[2Jb\n"]), 0);

  assert.equal(line, "⚡ Starting ULTRA transfer: a\\x1b[2Jb\\n (600.0 MB)");
});

test("several things are told by the first and a count", () => {
  const [line] = new LogLines().linesOf(offer("ultra", ["a", "b"], 5), 0);

  assert.match(line ?? "", /transfer: a and 6 more /);
});

test("a receipt of nothing in no time has a speed of zero", () => {
  const told = new LogLines().linesOf({ ...receipt, bytes: 0, seconds: 0 }, 0);

  assert.deepEqual(told, ["⚡ ULTRA transfer complete: 0.0 MB in 0.00s (0.0 Mbps)"]);
});
