/** Compressed transfers arrive as they were, and both sides agree on the codec. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Codec } from "../src/codec.ts";
import { type Compression, type PeerOptions, TransferError } from "../src/index.ts";
import {
  assertSameTree,
  atDisk,
  begin,
  engines,
  eventOf,
  peers,
  peersOn,
  random,
  smallTables,
  transfer,
} from "./peers.ts";

const text = Buffer.alloc(1_500_000, "It was a dark and stormy night; the rain fell in torrents. ");
const small = Buffer.alloc(9000, "small, ");

for (const engine of engines) {
  for (const compress of ["lz4", "zstd", "zstd:9"] as const) {
    test(`${engine}: a folder travels in ${compress} and arrives as it was`, async (t) => {
      const { alice, bob } = await peersOn(engine, t);
      await alice.write("album/text.txt", text);
      await alice.write("album/noise.bin", random(200_000));
      await alice.write("album/small.txt", small);
      await alice.write("album/empty", "");

      const { sent, received } = await transfer({ alice, bob }, ["album"], { send: { compress } });

      assertSameTree(await bob.tree("inbox/album"), await alice.tree("album"));
      const { bytes, wireBytes } = sent;
      assert.ok(wireBytes > 200_000 && wireBytes < bytes / 3, `${wireBytes} of ${bytes} bytes`);
      assert.equal(received.wireBytes, wireBytes);
    });
  }

  test(`${engine}: without compression all bytes of the files are on the wire`, async (t) => {
    const { alice, bob } = await peersOn(engine, t);
    await alice.write("text.txt", text);

    const options = { send: { compress: "none" } } as const;
    const { sent } = await transfer({ alice, bob }, ["text.txt"], options);

    assert.ok(sent.wireBytes >= text.length);
    assert.ok(sent.wireBytes < 1.01 * text.length);
  });
}

const agreements: {
  compress?: Compression;
  codecs?: readonly Codec[];
  said: string;
  why: string;
}[] = [
  { said: "auto", why: "it is the default" },
  { compress: "zstd", said: "zstd:3", why: "as was asked for" },
  { codecs: ["none"], said: "none", why: "an older peer reads nothing else" },
  { compress: "zstd:5", codecs: ["lz4"], said: "none", why: "the receiver does not read zstd" },
  { compress: "lz4", codecs: ["lz4"], said: "lz4", why: "the receiver reads it" },
];

for (const { compress, codecs, said, why } of agreements) {
  const asked = compress ?? "nothing";
  const reads = codecs ?? "all";
  test(`a sender told ${asked} says ${said} to a receiver that reads ${reads}: ${why}`, async (t) => {
    const { alice, bob } = await peers(t, { bob: { codecs } as PeerOptions });
    await alice.write("text.txt", text);

    const { sending, receiving } = await begin({ alice, bob }, ["text.txt"], {
      send: compress ? { compress } : {},
    });
    await receiving.done;

    assert.equal((await eventOf(sending, "lanes")).compress, said);
    assert.deepEqual(await bob.read("inbox/text.txt"), text);
    const { wireBytes } = await sending.done;
    if (said === "none") assert.ok(wireBytes >= text.length);
  });
}

test("a file that the disk refuses in the middle of a compressed run fails alone", async (t) => {
  const tuning = { ...smallTables, maxLanes: 1 };
  const { alice, bob } = await peers(t, { alice: { tuning }, bob: { tuning } });
  await alice.write("a.txt", text.subarray(0, 100_000));
  await alice.write("b.txt", text.subarray(0, 90_000));
  const act = () => {
    throw new TransferError("DISK_DENIED", "no more of this");
  };
  atDisk(t, bob.disk, { operation: "write", n: 3, act });

  const options = { send: { compress: "zstd", lanes: 1 } } as const;
  const { received } = await transfer({ alice, bob }, ["a.txt", "b.txt"], options);

  const statuses = [...received.files].map(({ status }) => status);
  assert.deepEqual(statuses.toSorted(), ["failed", "received"]);
});

test("a text that names no compression is refused before anything is sent", async (t) => {
  const { alice } = await peers(t);
  await alice.write("text.txt", text);
  const compress = "gzip" as Compression;

  const sending = alice.peer.send(alice.at("text.txt"), { compress });

  await assert.rejects(sending.done, { code: "INVALID_ARGUMENT" });
});
