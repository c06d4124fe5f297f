/** Which codec is chosen for which content on which path, and what finding out costs. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Coding } from "../src/codec.ts";
import { automaticCodings, codingProbeMs, codingSampleBytes } from "../src/options.ts";
import { CodecChoice } from "../src/transfer/codec-choice.ts";
import {
  type Compression,
  codingsFor,
  compressionText,
  isCompression,
  requireCompression,
} from "../src/transfer/compression.ts";

/** What codecs make of some content: bytes sent for each byte, and MB/s. Measured, docs/performance.md. */
type Content = Readonly<Record<string, { ratio: number; speed: number }>>;

const source: Content = {
  lz4: { ratio: 3.5, speed: 443 },
  "zstd:1": { ratio: 5.2, speed: 280 },
  "zstd:3": { ratio: 5.6, speed: 210 },
  "zstd:6": { ratio: 6.7, speed: 61 },
  "zstd:9": { ratio: 6.9, speed: 40 },
};
const noise: Content = {
  lz4: { ratio: 1, speed: 5700 },
  "zstd:1": { ratio: 1, speed: 3800 },
  "zstd:3": { ratio: 1, speed: 3400 },
  "zstd:6": { ratio: 1, speed: 1000 },
  "zstd:9": { ratio: 1, speed: 700 },
};
/** Nothing comes twice in it, but some bytes more often than others. */
const digits: Content = {
  ...noise,
  lz4: { ratio: 1, speed: 3000 },
  "zstd:1": { ratio: 1.6, speed: 300 },
};
/** Smaller, but so slow that it is not worth it. */
const slow: Content = Object.fromEntries(
  Object.entries(source).map(([name, { ratio }]) => [name, { ratio, speed: 20 }]),
);

const table: { content: Content; rate: number; threads: number; chosen: string; why: string }[] = [
  { content: source, rate: 1.2, threads: 1, chosen: "zstd:6", why: "9 gains too little" },
  {
    content: source,
    rate: 8,
    threads: 1,
    chosen: "zstd:6",
    why: "it keeps up",
  },
  { content: source, rate: 12, threads: 3, chosen: "zstd:6", why: "9 gains too little" },
  {
    content: source,
    rate: 30,
    threads: 1,
    chosen: "zstd:3",
    why: "6 would be slower than the path",
  },
  { content: source, rate: 117, threads: 1, chosen: "lz4", why: "gigabit needs the quickest" },
  { content: source, rate: 117, threads: 3, chosen: "zstd:1", why: "more cores, more codec" },
  {
    content: source,
    rate: 420,
    threads: 1,
    chosen: "none",
    why: "the path is as quick as the codec",
  },
  { content: source, rate: 2000, threads: 1, chosen: "none", why: "the path is far quicker" },
  { content: noise, rate: 1.2, threads: 1, chosen: "none", why: "noise does not get smaller" },
  { content: noise, rate: 117, threads: 1, chosen: "none", why: "noise does not get smaller" },
  { content: slow, rate: 117, threads: 1, chosen: "none", why: "this codec holds the path up" },
  { content: digits, rate: 12, threads: 1, chosen: "zstd:1", why: "lz4 finds nothing in it" },
];

for (const { content, rate, threads, chosen, why } of table) {
  const name = content === source ? "source code" : content === noise ? "noise" : "other content";
  test(`at ${rate} MB/s with ${threads} threads ${name} travels as ${chosen}: ${why}`, () => {
    const transfer = new Simulated(threads, content, rate);

    transfer.run(20_000);

    assert.equal(transfer.mostUsed(10_000), chosen);
  });
}

for (const content of [noise, slow]) {
  test(`looking for what does not help costs less than 2 % of the time, ${content.lz4?.speed} MB/s`, () => {
    const transfer = new Simulated(1, content, 117);

    transfer.run(20_000);

    assert.ok(transfer.encodeMs < 0.02 * 20_000, `${transfer.encodeMs} ms`);
  });
}

test("nothing but samples is encoded before the path's rate can be known", () => {
  const choice = new CodecChoice(automaticCodings, 1);
  const path = { nowMs: 0, rateBytesPerSecond: 1e6, rttMs: 100 };
  const sample = choice.next(path);
  choice.note(sample, { rawBytes: 1000, sentBytes: 300, encodeMs: 0.001 }, 1);

  const early = choice.next({ ...path, nowMs: 900 / 4 - 50 });
  const later = choice.next({ ...path, nowMs: 1001 });

  assert.ok(sample.isTrial && sample.mostBytes === codingSampleBytes);
  assert.equal(early.coding.codec, "none");
  assert.ok(later.coding.codec !== "none" || later.isTrial);
});

test("content that changes is noticed, both ways", () => {
  const transfer = new Simulated(1, noise, 12);
  transfer.run(10_000);
  const before = transfer.mostUsed(5000);

  transfer.content = source;
  transfer.run(10_000);
  const between = transfer.mostUsed(15_000);
  transfer.content = noise;
  transfer.run(10_000);

  assert.deepEqual([before, transfer.mostUsed(25_000)], ["none", "none"]);
  assert.notEqual(between, "none");
});

test("a path that gets quicker than the codec in use is noticed by filling it now and then", () => {
  const transfer = new Simulated(1, source, 12);
  transfer.run(5000);

  transfer.carries = 1000;
  transfer.run(20 * codingProbeMs);

  assert.equal(transfer.mostUsed(15_000), "none");
});

test("while a trial is under way no other begins", () => {
  const choice = new CodecChoice(automaticCodings, 1);
  const path = { nowMs: 0, rateBytesPerSecond: 1e6, rttMs: 1 };

  const [first, second] = [choice.next(path), choice.next({ ...path, nowMs: 10_000 })];

  assert.deepEqual([first.isTrial, second.isTrial], [true, false]);
});

const forced: { compression: Compression; known: string[]; text: string; why: string }[] = [
  { compression: "auto", known: ["none"], text: "none", why: "an older peer reads nothing else" },
  { compression: "auto", known: ["none", "lz4", "later"], text: "auto", why: "one is enough" },
  { compression: "zstd", known: ["none", "zstd"], text: "zstd:3", why: "it has a usual level" },
  { compression: "zstd:19", known: ["none", "zstd"], text: "zstd:19", why: "as was said" },
  { compression: "lz4", known: ["none", "lz4"], text: "lz4", why: "as was said" },
  { compression: "lz4", known: ["none", "zstd"], text: "none", why: "the peer does not read it" },
  { compression: "none", known: ["none", "zstd"], text: "none", why: "as was said" },
];

for (const { compression, known, text, why } of forced) {
  test(`${compression} is ${text} with a peer that reads ${known}: ${why}`, () => {
    assert.equal(compressionText(codingsFor(compression, known)), text);
  });
}

test("a codec that the peer does not read is never tried", () => {
  const codings = codingsFor("auto", ["none", "zstd"]);

  assert.ok(codings.kind === "best");
  assert.deepEqual(new Set(codings.of.map(({ codec }) => codec)), new Set(["zstd"]));
});

for (const text of [
  "",
  "gzip",
  "zstd:0",
  "zstd:20",
  "zstd:-1",
  "zstd:3.5",
  "lz4:1",
  "auto:1",
  "ZSTD",
]) {
  test(`"${text}" is no way to compress`, () => {
    assert.equal(isCompression(text), false);
    assert.throws(() => requireCompression(text), { code: "INVALID_ARGUMENT" });
  });
}

/** One lane over a path of a known rate, with codecs of known speed. */
class Simulated {
  content: Content;
  /** What the path can carry, in MB/s. */
  carries: number;
  encodeMs = 0;
  readonly #choice: CodecChoice;
  readonly #threads: number;
  #nowMs = 0;
  /** What is seen of the path: what it carried when it was last full, or more. */
  #seen: number;
  readonly #used: { atMs: number; name: string; bytes: number }[] = [];

  constructor(threads: number, content: Content, carries: number) {
    this.#choice = new CodecChoice(automaticCodings, threads);
    this.#threads = threads;
    this.content = content;
    this.carries = carries;
    this.#seen = carries;
  }

  run(ms: number): void {
    const end = this.#nowMs + ms;
    while (this.#nowMs < end) {
      const path = { nowMs: this.#nowMs, rateBytesPerSecond: this.#seen * 1e6, rttMs: 10 };
      const step = this.#choice.next(path);
      const name = nameOf(step.coding);
      const { ratio, speed } = this.content[name] ?? { ratio: 1, speed: Number.POSITIVE_INFINITY };
      const rawBytes = Math.min(step.mostBytes, 8 * 2 ** 20);
      const encodeMs = rawBytes / 1000 / speed;
      const carryMs = rawBytes / ratio / 1000 / this.carries;
      const tookMs = Math.max(encodeMs / this.#threads, carryMs);
      const wireRate = rawBytes / ratio / 1000 / tookMs;
      this.#seen = tookMs === carryMs ? this.carries : Math.max(this.#seen, wireRate);
      this.#nowMs += tookMs;
      this.encodeMs += encodeMs;
      const isEncoded = name !== "none";
      const encoded = { rawBytes, sentBytes: rawBytes / ratio, encodeMs };
      const nothing = { rawBytes: 0, sentBytes: 0, encodeMs: 0 };
      this.#choice.note(step, isEncoded ? encoded : nothing, this.#nowMs);
      this.#used.push({ atMs: this.#nowMs, name, bytes: rawBytes });
    }
  }

  /** What most bytes travelled as, from a time on. */
  mostUsed(fromMs: number): string {
    const sums = new Map<string, number>();
    for (const { atMs, name, bytes } of this.#used) {
      if (atMs >= fromMs) sums.set(name, (sums.get(name) ?? 0) + bytes);
    }
    return [...sums].sort(([, one], [, other]) => other - one)[0]?.[0] ?? "";
  }
}

function nameOf({ codec, level }: Coding): string {
  return codec === "zstd" ? `zstd:${level}` : codec;
}
