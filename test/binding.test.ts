/** What the counters of both sides and of the engine say that holds a transfer: a table. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../src/clock.ts";
import type { Bound } from "../src/index.ts";
import type { SideTimes } from "../src/protocol/progress-message.ts";
import { bindingOf, type PathCounts } from "../src/transfer/binding.ts";
import { boundsText } from "../src/transfer/bound-text.ts";
import { BoundTimes } from "../src/transfer/bound-times.ts";
import { ToldBounds } from "../src/transfer/told-bounds.ts";

/** A second of two lanes that wait for the connection, by a thread that has little to do. */
const waiting: SideTimes = {
  elapsedMs: 1000,
  diskMs: 20,
  limitMs: 0,
  streamMs: 1960,
  workMs: 20,
  busyMs: 200,
};

/** A path that is full, 20 ms long, and loses nothing. */
const full: PathCounts = {
  isRelayed: false,
  deliveredBytes: 6_000_000,
  unfilledBytes: 0,
  sentPackets: 20_000,
  lostPackets: 0,
  rttMs: 22,
  leastRttMs: 20,
  rateBytesPerSecond: 6_000_000,
};

interface Case {
  by: Bound | null;
  why: string;
  sender?: Partial<SideTimes>;
  /** Null for one that says nothing of itself. */
  receiver?: Partial<SideTimes> | null;
  path?: Partial<PathCounts>;
}

const cases: Case[] = [
  { by: "path", why: "a path that is full" },
  { by: "path", why: "the same, of a receiver that tells nothing", receiver: null },
  { by: "path", why: "loss that costs less than the rate does", path: { lostPackets: 1000 } },
  { by: "loss", why: "more than a tenth is lost", path: { lostPackets: 2100 } },
  {
    by: "loss",
    why: "a controller that gives way to loss, and no queue",
    path: { rateBytesPerSecond: null, lostPackets: 40 },
  },
  {
    by: "path",
    why: "the same controller behind a queue: that is where it loses",
    path: { rateBytesPerSecond: null, lostPackets: 40, rttMs: 35 },
  },
  {
    by: "path",
    why: "the same controller, and next to nothing is lost",
    path: { rateBytesPerSecond: null, lostPackets: 10 },
  },
  { by: "relay", why: "a path over a relay", path: { isRelayed: true } },
  { by: null, why: "the controller still looks for the rate", path: { rateBytesPerSecond: 0 } },
  {
    by: "window",
    why: "it looks for the rate because the lanes stand at their windows now and then",
    path: { rateBytesPerSecond: 0, unfilledBytes: 700_000 },
  },
  { by: "path", why: "now and then the path is not full", path: { unfilledBytes: 700_000 } },
  { by: "window", why: "the path is not full", path: { unfilledBytes: 3_100_000 } },
  {
    by: "receiver-cpu",
    why: "the path is not full, and two threads hand each other packets",
    sender: { busyMs: 700 },
    receiver: { busyMs: 710 },
    path: { unfilledBytes: 3_100_000 },
  },
  {
    by: "path",
    why: "the same threads on a path that is full",
    sender: { busyMs: 700 },
    receiver: { busyMs: 710 },
  },
  {
    by: "window",
    why: "the same over a relay",
    path: { unfilledBytes: 3_100_000, isRelayed: true },
  },
  {
    by: "path",
    why: "lanes that have given all to the engine, which has not sent it",
    sender: { diskMs: 0, streamMs: 0, workMs: 0 },
  },
  {
    by: "path",
    why: "the same within the second in which they read it",
    sender: { diskMs: 60, streamMs: 0, workMs: 40 },
  },
  {
    by: "sender-disk",
    why: "lanes that read now and then, and a path that waits for them",
    sender: { diskMs: 60, streamMs: 0, workMs: 40 },
    path: { unfilledBytes: 5_900_000 },
  },
  {
    by: null,
    why: "nothing moves",
    sender: { diskMs: 0, streamMs: 0, workMs: 0 },
    path: { deliveredBytes: 0 },
  },
  { by: null, why: "nothing arrives", path: { deliveredBytes: 0 } },
  { by: null, why: "too short a time to say", sender: { elapsedMs: 99 } },
  { by: "limit", why: "the sender's limit", sender: { limitMs: 1900, streamMs: 60 } },
  {
    by: "limit",
    why: "a limit that leaves the processor little",
    sender: { limitMs: 1500, streamMs: 460, busyMs: 950 },
  },
  { by: "limit", why: "the receiver's limit", receiver: { limitMs: 1900, streamMs: 60 } },
  {
    by: "limit",
    why: "the receiver's limit, beside lanes on which nothing comes",
    receiver: { limitMs: 1900, streamMs: 15_000 },
  },
  { by: "sender-cpu", why: "the sender's thread never waits", sender: { busyMs: 960 } },
  { by: "receiver-cpu", why: "the receiver's thread never waits", receiver: { busyMs: 960 } },
  {
    by: "receiver-cpu",
    why: "both threads hardly wait, the receiver's less",
    sender: { busyMs: 930 },
    receiver: { busyMs: 980 },
  },
  {
    by: "sender-cpu",
    why: "no thread is full, but the lanes wait for their pieces to be encoded",
    sender: { workMs: 1800, streamMs: 180, busyMs: 400 },
  },
  {
    by: "sender-disk",
    why: "the sender's thread never waits, for it reads",
    sender: { busyMs: 990, diskMs: 900, streamMs: 1000 },
  },
  {
    by: "sender-disk",
    why: "the lanes wait for a thread that reads most of the time, and has not told it yet",
    sender: { diskMs: 800, workMs: 3000, streamMs: 200, busyMs: 500 },
  },
  {
    by: "sender-disk",
    why: "other threads read, and the lanes wait for them",
    sender: { diskMs: 1800, streamMs: 180 },
  },
  {
    by: "receiver-disk",
    why: "the receiver's thread never waits, for it writes",
    receiver: { busyMs: 990, diskMs: 900, streamMs: 1000 },
  },
  {
    by: "receiver-disk",
    why: "the receiver writes all the time, which its thread has not told yet",
    receiver: { busyMs: 100, diskMs: 950, streamMs: 15_000 },
  },
  {
    by: "receiver-disk",
    why: "the same, and its thread tells of the second before, too",
    receiver: { busyMs: 1950, diskMs: 950, streamMs: 15_000 },
  },
  {
    by: "receiver-disk",
    why: "one lane or another writes at any time, and all threads wait now and then",
    receiver: { busyMs: 640, diskMs: 870, streamMs: 15_000 },
  },
  {
    by: "path",
    why: "a receiver whose disk has time left",
    receiver: { busyMs: 640, diskMs: 600, streamMs: 15_000 },
  },
  {
    by: "receiver-disk",
    why: "the receiver's lanes wait for the disk, beside lanes on which nothing comes",
    receiver: { diskMs: 1800, streamMs: 15_000 },
  },
  {
    by: "receiver-cpu",
    why: "the receiver's lanes are at work",
    receiver: { workMs: 1800, streamMs: 15_000 },
  },
];

for (const { by, why, sender, receiver, path } of cases) {
  test(`a transfer is held by ${by ?? "nothing plain"}: ${why}`, () => {
    const found = bindingOf({
      sender: { ...waiting, ...sender },
      receiver: receiver === null ? null : { ...waiting, ...receiver },
      path: { ...full, ...path },
    });

    assert.equal(found, by);
  });
}

test("a receipt has the share of each limit in the whole time, the largest first", () => {
  const times = new BoundTimes(1000);

  times.add(null, 1200);
  times.add("receiver-disk", 1400);
  times.add("path", 2800);
  times.add("path", 3000);

  assert.deepEqual(times.shares, [
    { by: "path", share: 0.8 },
    { by: "receiver-disk", share: 0.1 },
  ]);
});

test("a receiver counts a word of the sender's from the sender's look before", () => {
  let nowMs = 5000;
  const told = new ToldBounds({ ...systemClock, now: () => nowMs });

  nowMs += 400;
  told.hear("path");
  nowMs += 500;
  told.hear("limit");
  nowMs += 50;
  told.hear("path");
  nowMs += 50;

  assert.equal(told.by, "path");
  assert.deepEqual(told.shares, [
    { by: "path", share: 0.6 },
    { by: "limit", share: 0.2 },
  ]);
});

test("people read of the limits that held a transfer for long enough", () => {
  const text = boundsText([
    { by: "path", share: 0.834 },
    { by: "receiver-disk", share: 0.1 },
    { by: "loss", share: 0.04 },
  ]);

  assert.equal(text, "the path's capacity 83 %, the receiver's disk 10 %");
  assert.equal(boundsText([]), "");
});
