/** One file's bytes go to a program, in order, while it is received. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { OrderedOutput } from "../src/transfer/ordered-output.ts";
import {
  assertBothFail,
  begin,
  codeOf,
  engines,
  eventOf,
  peers,
  peersOn,
  random,
  smallTables,
  transfer,
} from "./peers.ts";

/** Gathers what an output is given. */
function gatherer() {
  const parts: Uint8Array[] = [];
  return {
    write: (bytes: Uint8Array) => void parts.push(bytes),
    get bytes() {
      return Buffer.concat(parts);
    },
  };
}

for (const engine of engines) {
  for (const size of [0, 1, 65_536, 65_537, 3_000_000]) {
    test(`${engine}: a file of ${size} bytes is handed on as it is`, async (t) => {
      const { alice, bob } = await peersOn(engine, t);
      const content = random(size);
      await alice.write("album/a.bin", content);
      await alice.write("album/b.txt", "b");
      const taken = gatherer();

      const { received } = await transfer({ alice, bob }, ["album"], {
        receive: { only: ["a.bin"], output: taken.write },
      });

      assert.ok(taken.bytes.equals(content));
      assert.equal(received.bytes, size);
    });
  }
}

test("what is handed on before a lost connection is not handed on again", async (t) => {
  const tuning = smallTables;
  const { alice, bob, network } = await peers(t, { alice: { tuning }, bob: { tuning } });
  const content = random(500_000);
  await alice.write("a.bin", content);
  const taken = gatherer();
  network.cutAfter(250_000);

  const { sending, receiving } = await begin({ alice, bob }, ["a.bin"], {
    receive: { output: taken.write },
  });
  await eventOf(receiving, "waiting");
  network.mend();
  await Promise.all([sending.done, receiving.done]);

  assert.ok(taken.bytes.equals(content));
});

test("a file that changes after a part was handed on is not mixed: the transfer ends", async (t) => {
  const tuning = smallTables;
  const { alice, bob, network } = await peers(t, { alice: { tuning }, bob: { tuning } });
  const content = random(500_000);
  await alice.write("a.bin", content);
  const taken = gatherer();
  network.cutAfter(250_000);
  const both = await begin({ alice, bob }, ["a.bin"], { receive: { output: taken.write } });
  await eventOf(both.receiving, "waiting");
  assert.ok(taken.bytes.length > 0);

  await alice.write("a.bin", random(500_000), { mtimeMs: 5000 });
  network.mend();

  await assertBothFail(both, { sender: "SOURCE_CHANGED", receiver: "SOURCE_CHANGED" });
  assert.ok(content.subarray(0, taken.bytes.length).equals(taken.bytes));
});

test("the sender has its receipt only after all was taken", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("a.bin", random(100_000));
  const order: string[] = [];

  const { sending, receiving } = await begin({ alice, bob }, ["a.bin"], {
    receive: {
      async output() {
        // Long enough for all that does not wait for it.
        for (let turn = 0; turn < 1000; turn += 1) await setImmediate();
        order.push("taken");
      },
    },
  });
  void sending.done.then(() => order.push("receipt"));
  await Promise.all([sending.done, receiving.done]);

  assert.deepEqual([order.at(-1), new Set(order.slice(0, -1))], ["receipt", new Set(["taken"])]);
});

test("an output that fails ends both sides", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("a.bin", random(100_000));
  const failure = new Error("gone");

  const { sending, receiving } = await begin({ alice, bob }, ["a.bin"], {
    receive: { output: () => Promise.reject(failure) },
  });

  await assert.rejects(receiving.done, failure);
  assert.notEqual(await codeOf(sending), "done");
});

test("more files than one are refused before anything is sent", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("album/a.bin", "a");
  await alice.write("album/b.bin", "b");
  const taken = gatherer();

  const both = await begin({ alice, bob }, ["album"], { receive: { output: taken.write } });

  await assertBothFail(both, { sender: "PEER_REJECTED", receiver: "PEER_REJECTED" });
  assert.equal(taken.bytes.length, 0);
});

test("a file that the sender cannot read to its end is handed on as far as it came, and fails", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("a.bin", random(100_000));
  const taken = gatherer();
  const { sending, receiving } = await begin({ alice, bob }, ["a.bin"], {
    receive: {
      output: taken.write,
      async accept() {
        await alice.write("a.bin", "short");
        return true;
      },
    },
  });

  const { files } = await receiving.done;

  assert.deepEqual(
    [...files].map(({ status }) => status),
    ["failed"],
  );
  assert.equal(await codeOf(sending), "done");
});

test("pieces that come out of order are handed on in order, and none before it is proven", async () => {
  const taken = gatherer();
  const output = new OrderedOutput(taken.write);
  output.begin({ entry: 3, fileBytes: 10, fingerprint: "a" });
  const content = Buffer.from("abcdefghij");
  const reads: number[] = [];
  const { done } = output.run(async ({ offset, length }) => {
    reads.push(offset);
    return content.subarray(offset, offset + length);
  });
  const piece = (first: number) => {
    return { entry: 3, pieceBytes: 4, first, values: new Uint8Array(32) };
  };

  output.proven(piece(2));
  output.proven({ ...piece(0), entry: 2 });
  await setImmediate();
  const early = reads.length;
  output.proven(piece(0));
  output.proven(piece(1));
  await done;

  assert.equal(early, 0);
  assert.equal(taken.bytes.toString(), "abcdefghij");
});

test("what the writer has not taken yet is not followed by another version of the file", async () => {
  const taking = Promise.withResolvers<void>();
  const given = Promise.withResolvers<void>();
  const output = new OrderedOutput(() => {
    given.resolve();
    return taking.promise;
  });
  output.begin({ entry: 0, fileBytes: 1, fingerprint: "a" });
  const { stop, done } = output.run(async () => Uint8Array.of(1));
  output.proven({ entry: 0, pieceBytes: 1024, first: 0, values: new Uint8Array(32) });
  await given.promise;
  stop();

  const begin = () => output.begin({ entry: 0, fileBytes: 1, fingerprint: "b" });

  assert.throws(begin, { code: "SOURCE_CHANGED" });
  taking.resolve();
  await done;
});
