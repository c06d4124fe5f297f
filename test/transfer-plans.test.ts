/** How files are cut into jobs and lanes, and that every plan covers every byte once. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultTuning, LogLines, type TransferEvent } from "../src/index.ts";
import {
  busyLanes,
  countJobs,
  inTurns,
  mostTurn,
  planStandard,
  planUltra,
} from "../src/transfer/plan.ts";
import {
  assertBothFail,
  assertSameTree,
  begin,
  blake3,
  engines,
  eventOf,
  eventsOf,
  peers,
  peersOn,
  random,
  smallTables,
  transfer,
} from "./peers.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;
const tuning = smallTables;

const plans = [
  { bytes: 0, jobs: 1, why: "one job makes an empty file" },
  { bytes: 1, jobs: 1, why: "one job" },
  { bytes: 64 * KiB + 1, jobs: 1, why: "two pieces are one range" },
  { bytes: 8 * 64 * KiB, jobs: 8, why: "a file of eight pieces fills eight lanes" },
  { bytes: 100 * MiB, jobs: 8, why: "fewer than eight ranges of the table: eight equal ones" },
  { bytes: 256 * MiB, jobs: 8, why: "exactly eight ranges of 32 MiB" },
  { bytes: 600 * MiB, jobs: 19, why: "the specification's example" },
  { bytes: 1 * GiB, jobs: 32, why: "the last size with ranges of 32 MiB" },
  { bytes: 1 * GiB + 1, jobs: 17, why: "the first size with ranges of 64 MiB" },
  { bytes: 4 * GiB, jobs: 64, why: "the last size with ranges of 64 MiB" },
  { bytes: 7 * GiB, jobs: 56, why: "the specification's example" },
  { bytes: 16 * GiB, jobs: 128, why: "the last size with ranges of 128 MiB" },
  { bytes: 16 * GiB + 1, jobs: 65, why: "the first size with ranges of 256 MiB" },
];

for (const { bytes, jobs, why } of plans) {
  test(`ultra cuts ${bytes} bytes into ${jobs} ranges: ${why}`, () => {
    const ranges = planUltra([{ entry: 0, bytes, group: 0 }], defaultTuning);
    assert.equal(countJobs(ranges, 1000), jobs);
  });
}

test("turns cover a plan in its order, and become short when little is left", () => {
  const plan = [...planUltra([{ entry: 0, bytes: 600 * MiB, group: 0 }], defaultTuning)];

  const turns = [...inTurns(plan, 600 * MiB, () => ({ lanes: 8, mostBytes: 8 * MiB }))].map(
    (job) => {
      assert.equal(job.kind, "run");
      return job.kind === "run" ? job : assert.fail();
    },
  );

  let end = 0;
  for (const { offset, length } of turns) {
    assert.equal(offset, end);
    end += length;
  }
  assert.equal(end, 600 * MiB);
  assert.equal(turns[0]?.length, 8 * MiB);
  assert.equal(turns.at(-1)?.length, 512 * KiB);
});

test("a turn never crosses its range, and an empty file is one turn", () => {
  const files = [64 * KiB + 1, 10 * MiB].map((bytes, entry) => ({ entry, bytes, group: 0 }));
  const empty = { kind: "run", entry: 2, offset: 0, length: 0, pieceBytes: 64 * KiB } as const;
  const plan = [...planUltra(files, defaultTuning), empty];

  const turns = [...inTurns(plan, 1, () => ({ lanes: 1000, mostBytes: 8 * MiB }))];

  assert.ok(turns.every((job) => job.kind === "run" && job.length <= job.pieceBytes));
  assert.deepEqual(turns.at(-1), empty);
});

const paths = [
  { why: "a slow one", windowBytes: 50_000, mbits: 40, rttMs: 10, lanes: 2 },
  {
    why: "one whose rate is not known yet",
    windowBytes: 10 * MiB,
    mbits: 0,
    rttMs: 150,
    lanes: 20,
  },
  { why: "500 Mbit/s, 300 ms", windowBytes: 37.5 * MiB, mbits: 500, rttMs: 300, lanes: 75 },
  { why: "the same at its start", windowBytes: 8 * MiB, mbits: 60, rttMs: 300, lanes: 16 },
  { why: "its queue full", windowBytes: 37.5 * MiB, mbits: 500, rttMs: 600, lanes: 75 },
  { why: "a local wire with bursts", windowBytes: 20 * MiB, mbits: 8000, rttMs: 0.3, lanes: 4 },
];

for (const { why, windowBytes: congestionWindowBytes, mbits, rttMs, lanes } of paths) {
  test(`as many lanes are busy as the path has windows for: ${why}`, () => {
    const look = { congestionWindowBytes, rateBytesPerSecond: mbits * 125_000, rttMs };

    assert.equal(busyLanes(look, MiB), lanes);
  });
}

const turns = [
  { why: "a local wire", rttMs: 0.3, bytes: 8 * MiB },
  { why: "a country", rttMs: 99, bytes: 8 * MiB },
  { why: "the shortest that counts as long", rttMs: 100, bytes: MiB },
  { why: "an ocean, where a piece is taken all the same", rttMs: 200, bytes: 512 * KiB },
];

for (const { why, rttMs, bytes } of turns) {
  test(`a lane takes turns of ${bytes} bytes at most on a path of ${rttMs} ms: ${why}`, () => {
    assert.equal(mostTurn(rttMs, MiB), bytes);
  });
}

for (const plan of [planUltra, planStandard]) {
  test(`${plan.name} covers every byte once, whatever the sizes`, () => {
    const sizes = [0, 1, 1023, 1024, 1025, 8192, 10_241, 102_401, 131_073, 1_000_000];
    const files = sizes.map((bytes, entry) => ({ entry, bytes, group: 0 }));
    const covered = sizes.map(() => 0);
    const seen = new Set<number>();

    for (const job of plan(files, tuning)) {
      for (const entry of job.kind === "bundle" ? job.entries : [job.entry]) seen.add(entry);
      if (job.kind === "bundle") {
        for (const entry of job.entries) covered[entry] = sizes[entry] ?? 0;
      } else {
        assert.equal(job.offset, covered[job.entry]);
        covered[job.entry] = job.offset + job.length;
      }
    }

    assert.deepEqual(covered, sizes);
    assert.equal(seen.size, sizes.length);
  });
}

const lanes = [
  { profile: "standard", bytes: 600 * KiB, opened: 8, why: "always 8" },
  { profile: "standard", bytes: 1, opened: 8, why: "always 8" },
  { profile: "ultra", bytes: 1, opened: 1, why: "one job" },
  { profile: "ultra", bytes: 32 * KiB, opened: 8, why: "at least 8 for a file of 8 pieces" },
  { profile: "ultra", bytes: 600 * KiB, opened: 19, why: "one for each range of 32 KiB" },
  { profile: "ultra", bytes: 600 * KiB, most: 5, opened: 5, why: "the sender's --lanes" },
  { profile: "standard", bytes: 600 * KiB, most: 3, opened: 3, why: "the sender's --lanes" },
  { profile: "ultra", bytes: 600 * KiB, receiverMost: 6, opened: 6, why: "the receiver's hello" },
] as const;

for (const { profile, bytes, opened, why, ...limits } of lanes) {
  const most = "most" in limits ? limits.most : undefined;
  const maxLanes = "receiverMost" in limits ? limits.receiverMost : defaultTuning.maxLanes;

  test(`${profile} opens ${opened} lanes for ${bytes} bytes: ${why}`, async (t) => {
    const { alice, bob } = await peers(t, {
      alice: { tuning },
      bob: { tuning: { ...tuning, maxLanes } },
    });
    await alice.write("file.bin", random(bytes));

    const { sending, receiving } = await transfer({ alice, bob }, ["file.bin"], {
      send: { profile, lanes: most },
    });

    const event = await eventOf(sending, "lanes");
    assert.deepEqual([event.profile, event.lanes], [profile, opened]);
    assert.equal(receiving.progress().lanes, opened);
    assert.equal(receiving.progress().laneBytes.length, opened);
  });
}

for (const engine of engines) {
  const known = { name: "standard", wire: 1 } as const;
  const cases = [
    { why: "a peer that knows only standard", bob: { formats: ["standard"] as const }, send: {} },
    {
      why: "a sender that tries ultra although the peer does not list it",
      bob: { formats: ["standard"] as const },
      send: { formats: [{ name: "ultra", wire: 2 } as const, known] },
    },
    {
      why: "a sender that begins with a format nobody knows",
      bob: {},
      send: { formats: [{ name: "ultra", wire: 9 } as const, known] },
    },
    {
      why: "a sender that begins with two formats nobody knows",
      bob: {},
      send: {
        formats: [
          { name: "ultra", wire: 9 } as const,
          { name: "ultra", wire: 200 } as const,
          known,
        ],
      },
    },
  ];

  for (const { why, bob: receiver, send } of cases) {
    test(`${engine}: ${why} completes in standard`, async (t) => {
      const { alice, bob } = await peersOn(engine, t, {
        alice: { tuning },
        bob: { tuning, ...receiver },
      });
      const content = random(300_000);
      await alice.write("album/large.bin", content);
      for (let n = 0; n < 50; n += 1) await alice.write(`album/small/${n}`, random(n * 10));

      const { sent, received, sending } = await transfer({ alice, bob }, ["album"], { send });

      assertSameTree(await bob.tree("inbox/album"), await alice.tree("album"));
      assert.deepEqual([...sent.files], [...received.files]);
      assert.equal([...received.files][0]?.blake3, blake3(content));
      const profiles = (await eventsOf(sending)).flatMap((event) =>
        event.type === "lanes" ? [event.profile] : [],
      );
      if (!("formats" in send)) assert.deepEqual(profiles, ["standard"]);
    });
  }

  test(`${engine}: a sender of formats that nobody knows fails on both sides`, async (t) => {
    const { alice, bob } = await peersOn(engine, t);
    await alice.write("file.bin", random(1000));

    const both = await begin({ alice, bob }, ["file.bin"], {
      send: { formats: [{ name: "ultra", wire: 9 }] },
    });

    const code = "UNSUPPORTED_FORMAT";
    await assertBothFail(both, { sender: code, receiver: code });
    assert.deepEqual(await bob.tree("inbox"), []);
  });
}

test("the log has the specification's lines", async (t) => {
  const lines: string[] = [];
  const logger = { info: (line: string) => lines.push(line), warn() {} };
  const { alice, bob } = await peers(t, { alice: { tuning, logger }, bob: { tuning } });
  await alice.write("film.mkv", random(600 * KiB));

  const { sending } = await transfer({ alice, bob }, ["film.mkv"]);

  assert.equal(lines[0], "⚡ Starting ULTRA transfer: film.mkv (0.6 MB)");
  assert.match(lines[1] ?? "", /^⚡ ULTRA config: 19 streams, 19 chunks of 0\.0 MB each$/);
  assert.equal(lines[2], "⚡ Opened 19 streams in parallel");
  // A busy machine adds what held the transfer.
  const ends = lines.filter((line) => !line.startsWith("⚡ Held by "));
  assert.match(
    ends.at(-1) ?? "",
    /^⚡ ULTRA transfer complete: 0\.6 MB in [\d.]+s \([\d.]+ Mbps\)$/,
  );
  const again = new LogLines();
  const told = (await eventsOf(sending)).flatMap((event) => again.linesOf(event, 0));
  assert.deepEqual(told.slice(0, 3), lines.slice(0, 3));
});

test("a name in the log cannot move the cursor", async (t) => {
  const lines: string[] = [];
  const logger = { info: (line: string) => lines.push(line), warn() {} };
  const { alice, bob } = await peers(t, { alice: { logger } });
  await alice.write("evil\u001b[2J\nname", "x");

  await transfer({ alice, bob }, ["evil\u001b[2J\nname"]);

  assert.ok(lines.length > 0);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there.
  assert.ok(lines.every((line) => !/[\u0000-\u001f]/.test(line)));
});

test("events come in the order of the transfer", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("file.bin", random(1000));

  const { sending, receiving } = await transfer({ alice, bob }, ["file.bin"]);

  const order = (events: TransferEvent[]) => [...new Set(events.map(({ type }) => type))];
  const withoutProgress = (types: string[]) => types.filter((type) => type !== "progress");
  assert.deepEqual(withoutProgress(order(await eventsOf(sending))), [
    "ready",
    "connected",
    "offer",
    "lanes",
    "receipt",
  ]);
  assert.deepEqual(order(await eventsOf(receiving)), ["connected", "offer", "progress", "receipt"]);
});
