/** The largest and most awkward inputs that the limits let in: none holds up the process for long. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { TransferError } from "../../src/errors.ts";
import { encodeName } from "../../src/lossless-name.ts";
import { decodeEntries } from "../../src/protocol/entry.ts";
import { maxBatchBytes, maxFrameBytes, maxNameBytes } from "../../src/protocol/limits.ts";
import { Manifest } from "../../src/protocol/manifest.ts";
import { decodeMessage } from "../../src/protocol/message-codec.ts";
import { decodeTicket } from "../../src/protocol/ticket.ts";
import { landingName, NameTable, nameRules } from "../../src/transfer/landing-name.ts";
import { LandingNames } from "../../src/transfer/landing-names.ts";
import { platforms } from "../names/name-laws.ts";
import { cbor, head, type Value } from "../raw-peer.ts";

/** A message with one field of many bytes. */
function filled(prefix: Uint8Array, fill: Uint8Array): Uint8Array {
  const start = Buffer.concat([head(5, 2), cbor("type"), cbor("accept"), cbor("x"), prefix]);
  return Buffer.concat([start, Buffer.alloc(maxFrameBytes - start.length, fill)]);
}

const transfer = new Uint8Array(16);
const notUtf8 = new Uint8Array(maxFrameBytes - 100).fill(0xff);
const longName = (text: string) => text.repeat(maxNameBytes / encodeName(text).length);
const names = Array.from({ length: Math.floor(maxBatchBytes / (maxNameBytes + 40)) }, (_, at) => {
  return new Uint8Array(maxNameBytes).fill(0xff, 0, maxNameBytes - 8).fill(at, maxNameBytes - 8);
});
const keys = Array.from({ length: 170_000 }, (_, at) => [
  Buffer.of(0x64),
  Buffer.from(at.toString(36).padStart(4, "0")),
  Buffer.of(0),
]);

const inputs: { why: string; read: () => unknown }[] = [
  {
    why: "a target folder of a million bytes that are no UTF-8",
    read: () =>
      decodeMessage(cbor({ type: "offer", transfer, targetDir: notUtf8, profile: "ultra" })),
  },
  {
    why: "a batch full of the longest names that are no UTF-8",
    read: () => decodeEntries(cbor(names.map((name): Value => [0, 0, name, 1, 0, 0]))),
  },
  {
    why: "a million empty maps",
    read: () => decodeMessage(filled(head(4, 1_048_540), Buffer.of(0xa0))),
  },
  {
    why: "a million lists inside each other",
    read: () => decodeMessage(filled(Buffer.of(0x81), Buffer.of(0x81))),
  },
  {
    why: "many short texts that are not ASCII",
    read: () => decodeMessage(filled(head(4, 349_500), Buffer.from("62c3a9", "hex"))),
  },
  {
    why: "a map of many keys",
    read: () => decodeMessage(Buffer.concat([head(5, 170_000), ...keys.flat()])),
  },
  {
    why: "a ticket of ten million letters",
    read: () => decodeTicket(`quiver${"a ".repeat(5_000_000)}`),
  },
  ...platforms.flatMap((platform) =>
    ["a", "é", "🏹", "\udcff", "a\udcff", ". ", "e\u0301", "\ufdfa"].map((text) => ({
      why: `fifty of the longest names of ${JSON.stringify(text)} on ${platform}`,
      read() {
        const name = longName(text);
        for (let count = 0; count < 50; count += 1) landingName(name, nameRules(platform));
      },
    })),
  ),
  ...platforms.map((platform) => ({
    why: `a thousand long names that are cut alike on ${platform}`,
    read() {
      const table = new NameTable(nameRules(platform));
      for (let count = 0; count < 1000; count += 1)
        table.land(`${"A".repeat(count % 200)}${"a".repeat(250)}`);
    },
  })),
];

/** Of the processor, some hundred milliseconds; some of these inputs took 4 to 40 s. */
const mostMs = 3000;

/** The processor's time that this process takes for something: others may keep it waiting. */
function processorMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

test(`paths in folders of 60 batches, of which one name is mapped: told within ${mostMs} ms`, () => {
  const manifest = new Manifest();
  const landings = new LandingNames(manifest, nameRules("linux"));
  const add = (kind: "file" | "folder", depth: number, name: string) => {
    const entry = { kind, depth, name, bytes: 0, mode: 0, mtimeMs: 0, target: "" };
    manifest.add(entry);
    landings.add(manifest.totals.entries - 1, entry);
  };
  add("file", 0, ".quiver-mapped");
  for (let depth = 0; depth < 60; depth += 1) {
    add("folder", depth, "d");
    for (let count = 0; count < 1024; count += 1) add("file", depth + 1, `${count}`);
  }
  manifest.seal();
  const last = manifest.totals.entries - 1;

  const ms = processorMs(() => {
    for (let count = 0; count < 500; count += 1) landings.path(last - count);
  });

  assert.ok(ms < mostMs);
});

for (const { why, read } of inputs) {
  test(`${why}: read or refused within ${mostMs} ms`, () => {
    const ms = processorMs(() => {
      try {
        read();
      } catch (error) {
        assert.ok(error instanceof TransferError, String(error));
      }
    });

    assert.ok(ms < mostMs);
  });
}
