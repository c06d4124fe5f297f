/** A look at an offer or a source: true, bounded, and without effect. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryNetwork } from "../src/engine/memory.ts";
import { sourcePreflight } from "../src/index.ts";
import { codeOf, engines, eventOf, paths, peers, peersOn, ticketOf } from "./peers.ts";
import { RawPeer, wire } from "./raw-peer.ts";

for (const engine of engines) {
  test(`${engine}, S19: a look at an offer writes nothing and leaves the ticket good`, async (t) => {
    const { alice, bob } = await peersOn(engine, t);
    await alice.write("notes.txt", "notes");
    const sending = alice.peer.send(alice.at("notes.txt"));
    const ticket = await ticketOf(sending);

    const report = await bob.peer.preflight(ticket, { into: bob.at("new/place") });

    assert.deepEqual(await paths(bob, ""), ["inbox"]);
    assert.deepEqual([report.files, report.bytes, report.into], [1, 5, bob.at("new/place")]);
    assert.ok(report.freeBytes > 0);
    await bob.peer.receive(ticket).done;
    assert.equal([...(await sending.done).files][0]?.status, "received");
  });
}

test("a look tells what would be in the way, and what each policy would do about it", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("album/a.txt", "1234");
  await alice.write("album/b.txt", "12");
  await alice.write("notes.txt", "notes");
  await bob.write("inbox/album/a.txt", "old");
  await bob.write("inbox/notes.txt", "older");
  await bob.write("inbox/notes (2).txt", "oldest");
  const sending = alice.peer.send([alice.at("album"), alice.at("notes.txt")]);
  const ticket = await ticketOf(sending);
  const choices = ["rename", "skip", "overwrite", "ask"] as const;

  const reports = await Array.fromAsync(choices, (onConflict) =>
    bob.peer.preflight(ticket, { onConflict }),
  );

  assert.deepEqual(
    reports.map(({ collisions, wanted }) => [
      ...collisions.map(({ path, choice, savedAs }) => [path, choice, savedAs]),
      wanted.files,
    ]),
    [
      [["album", "rename", "album (2)"], ["notes.txt", "rename", "notes (3).txt"], 3],
      [["album", "skip", undefined], ["notes.txt", "skip", undefined], 1],
      [["album", "overwrite", undefined], ["notes.txt", "overwrite", undefined], 3],
      [["album", "ask", undefined], ["notes.txt", "ask", undefined], 3],
    ],
  );
});

test("a look tells of links that would not be made, sockets, executables and hidden names", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write(".profile/run.sh", "run", { mode: 0o755 });
  await alice.link(".profile/out", "../../elsewhere");
  alice.disk.other(alice.at(".profile/socket"));
  const ticket = await ticketOf(alice.peer.send(alice.at(".profile")));

  const { skipped, executables, hiddenItems } = await bob.peer.preflight(ticket);

  assert.deepEqual(
    skipped.map(({ path }) => path),
    [".profile/out", ".profile/socket"],
  );
  assert.deepEqual([executables, hiddenItems], [1, 1]);
});

test("what a report lists is bounded, and what it counts is all", async (t) => {
  const { alice, bob } = await peers(t);
  const names = Array.from({ length: 1100 }, (_, n) => `file${n}`);
  for (const name of names) await bob.write(`inbox/${name}`, "here");
  for (const name of names) await alice.write(name, "offered");
  const ticket = await ticketOf(alice.peer.send(names.map(alice.at)));

  const { collisions, totals } = await bob.peer.preflight(ticket);

  assert.deepEqual([collisions.length, totals.collisions], [1000, 1100]);
});

test("a look beside a transfer disturbs it as little as one before it", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("notes.txt", "notes");
  const sending = alice.peer.send(alice.at("notes.txt"));
  const ticket = await ticketOf(sending);
  const answer = Promise.withResolvers<boolean>();
  const receiving = bob.peer.receive(ticket, { accept: () => answer.promise });
  await eventOf(receiving, "offer");

  const { files } = await bob.peer.preflight(ticket);
  answer.resolve(true);

  assert.equal(files, 1);
  assert.equal(await codeOf(receiving), "done");
});

test("S19: who says that it only looks gets no byte, even if it accepts", async (t) => {
  const { alice, bob, network } = await peers(t);
  await alice.write("notes.txt", "notes");
  const sending = alice.peer.send(alice.at("notes.txt"));
  const ticket = await ticketOf(sending);
  const raw = await RawPeer.redeem(t, network, alice, ticket, ["look"]);

  const { transfer } = await raw.hear("offer");
  await raw.hear("offered");
  await raw.say({ type: "accept", transfer: transfer as Uint8Array });
  const { code } = await raw.connection.closed();

  assert.equal(code, wire.INVALID_FRAME);
  assert.equal(await codeOf(bob.peer.receive(ticket)), "done");
});

test("a second look at the same time is refused, and the first goes on", async (t) => {
  const { alice, bob, network } = await peers(t);
  await alice.write("notes.txt", "notes");
  const ticket = await ticketOf(alice.peer.send(alice.at("notes.txt")));
  const raw = await RawPeer.redeem(t, network, alice, ticket, ["look"]);
  await raw.hear("offered");

  await assert.rejects(bob.peer.preflight(ticket), { code: "PEER_REJECTED" });
  raw.connection.close(0, "");
});

test("a look at a ticket that is not served fails as a receiver would", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("notes.txt", "notes");
  const sending = alice.peer.send(alice.at("notes.txt"));
  const ticket = await ticketOf(sending);
  sending.cancel();
  await codeOf(sending);

  await assert.rejects(bob.peer.preflight(ticket), { code: "PEER_REJECTED" });
  await assert.rejects(bob.peer.preflight("quiver"), { code: "INVALID_ARGUMENT" });
});

test("a report on a source counts what travels, what is left out and what cannot", async () => {
  const engine = createMemoryNetwork().engine();
  engine.disk.write("/album/a.jpg", Buffer.from("1234"));
  engine.disk.write("/album/raw/a.raw", Buffer.from("12"));
  engine.disk.other("/album/socket");

  const report = await sourcePreflight(["/album"], { exclude: ["raw/"], engine });

  assert.deepEqual([report.files, report.folders, report.bytes, report.excluded], [1, 1, 4, 1]);
  assert.deepEqual(report.skipped, [
    { path: "album/socket", reason: "is a socket, device or FIFO" },
  ]);
});
