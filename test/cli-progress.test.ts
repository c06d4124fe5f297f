/** How progress is drawn: on terminals of any width, and where there is none. */

import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { plainDisplay } from "../src/cli/display.ts";
import { laneMap, progressBar, progressFacts, progressLine } from "../src/cli/progress-bar.ts";
import { progressView, terminalDisplay } from "../src/cli/progress-display.ts";
import type { TransferProgress } from "../src/index.ts";

const halfway: TransferProgress = {
  transferId: "00",
  bytes: 300_000_000,
  total: 600_000_000,
  files: 3,
  totalFiles: 1_204,
  throughput: 91_000_000,
  etaMs: 3_300,
  lanes: 4,
  laneBytes: [150_000_000, 75_000_000, 75_000_000, 0],
  state: "moving",
  limit: null,
  wireBytes: 300_000_000,
  boundBy: null,
  rttMs: 1,
};

const bars = [
  { fraction: 0, text: "|──────────", why: "nothing done" },
  { fraction: 0.05, text: "╸|─────────", why: "half a character" },
  { fraction: 0.5, text: "━━━━━|─────", why: "half" },
  { fraction: 0.99, text: "━━━━━━━━━╸|", why: "full only at the end" },
  { fraction: 1, text: "━━━━━━━━━━|", why: "all" },
  { fraction: 1.5, text: "━━━━━━━━━━|", why: "never wider than asked" },
];

for (const { fraction, text, why } of bars) {
  test(`a bar of 10 at ${fraction} is ${text}: ${why}`, () => {
    const { done, open } = progressBar(fraction, 10);

    assert.equal(`${done}|${open}`, text);
  });
}

const maps = [
  { laneBytes: [0, 50, 100], total: 300, width: 10, map: "▁▅█", why: "a block a lane" },
  { laneBytes: [0, 0, 100, 100], total: 400, width: 2, map: "▁█", why: "neighbours share" },
  { laneBytes: [400, 0], total: 400, width: 9, map: "█▁", why: "more than its share is full" },
  { laneBytes: [0, 0], total: 0, width: 9, map: "██", why: "nothing to move is done" },
  { laneBytes: [], total: 100, width: 9, map: "", why: "no lanes yet" },
  { laneBytes: [1, 1], total: 2, width: -3, map: "", why: "no room" },
];

for (const { map, why, ...lanes } of maps) {
  test(`lanes of [${lanes.laneBytes}] in ${lanes.width} columns are "${map}": ${why}`, () => {
    assert.equal(laneMap(lanes), map);
  });
}

test("the facts leave out what does not fit, the least important first", () => {
  const all = "300 MB of 600 MB · 91 MB/s · 4 s left · 3 of 1,204 files";

  assert.equal(progressFacts(halfway, 72), all);
  assert.equal(progressFacts(halfway, 40), "300 MB of 600 MB · 91 MB/s · 4 s left");
  assert.equal(progressFacts(halfway, 20), "300 MB of 600 MB");
});

test("a plain line tells all on one line", () => {
  assert.equal(progressLine(halfway), "50%: 300 MB of 600 MB, 91 MB/s, 4 s left, 4 lanes");
});

const holds = [
  { state: "moving", limit: 10_000_000, text: "91 MB/s (limit 10 MB/s)" },
  { state: "paused", limit: null, text: "paused" },
  { state: "paused-by-peer", limit: 5, text: "paused by the other side" },
  { state: "queued", limit: null, text: "waiting for its turn" },
] as const;

for (const { state, limit, text } of holds) {
  test(`a transfer that is ${state} with the limit ${limit} is shown as "${text}"`, () => {
    const facts = progressFacts({ ...halfway, state, limit, etaMs: null }, 72);

    assert.equal(facts, `300 MB of 600 MB · ${text} · 3 of 1,204 files`);
  });
}

for (const columns of [10, 20, 40, 80, 200]) {
  test(`a terminal of ${columns} columns gets three lines that fit`, () => {
    const stream = Object.assign(new PassThrough(), { columns });

    const lines = progressView(halfway, stream).map((line) => stripVTControlCharacters(line));

    assert.equal(lines.length, 3);
    for (const line of lines) assert.ok(line.length <= Math.max(columns, 11), line);
  });
}

test("what is not a terminal gets no colour", () => {
  const lines = progressView(halfway, new PassThrough());

  assert.deepEqual(
    lines,
    lines.map((line) => stripVTControlCharacters(line)),
  );
});

test("a plain display writes at most one line of progress a second", () => {
  const stream = new PassThrough().setEncoding("utf8");
  let nowMs = 0;
  const display = plainDisplay(stream, () => nowMs);

  for (nowMs of [0, 200, 999, 1_000, 1_500, 2_100]) display.progress(halfway);

  assert.equal(String(stream.read()).trimEnd().split("\n").length, 3);
});

test("a terminal display draws nothing while a question is open, then what is last", async () => {
  const stream = Object.assign(new PassThrough().setEncoding("utf8"), { columns: 80 });
  const display = terminalDisplay(stream);
  display.status("before");
  const question = Promise.withResolvers<string>();

  const answer = display.ask(() => question.promise);
  stream.read();
  display.status("meanwhile");
  display.status("last");
  const drawnMeanwhile = stream.read();
  question.resolve("yes");

  assert.equal(await answer, "yes");
  assert.equal(drawnMeanwhile, null);
  assert.match(String(stream.read()), /last/);
});

test("a terminal display asks one question at a time", async () => {
  const display = terminalDisplay(Object.assign(new PassThrough(), { columns: 80 }));
  const first = Promise.withResolvers<number>();
  const asked: number[] = [];
  const ask = (id: number, answer: Promise<number>) =>
    display.ask(() => {
      asked.push(id);
      return answer;
    });

  const answers = [ask(1, first.promise), ask(2, Promise.resolve(2))];
  await Promise.resolve();
  const askedBefore = [...asked];
  first.resolve(1);

  assert.deepEqual(await Promise.all(answers), [1, 2]);
  assert.deepEqual(askedBefore, [1]);
});
