/** What is declined or refused: offers, tickets and sources; and what a person is asked. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryNetwork } from "../src/engine/memory.ts";
import type { OfferSummary } from "../src/index.ts";
import { temporaryIdentity } from "../src/peer/identity.ts";
import { encodeTicket } from "../src/protocol/ticket.ts";
import {
  assertBothFail,
  begin,
  codeOf,
  engines,
  eventOf,
  memorySide,
  paths,
  peers,
  peersOn,
  ticketOf,
  transfer,
} from "./peers.ts";

for (const engine of engines) {
  test(`${engine}: an offer that the receiver declines fails on both sides`, async (t) => {
    const { alice, bob } = await peersOn(engine, t);
    await alice.write("notes.txt", "notes");

    const both = await begin({ alice, bob }, ["notes.txt"], {
      receive: { accept: async () => false },
    });

    await assertBothFail(both, { sender: "PEER_REJECTED", receiver: "PEER_REJECTED" });
    assert.deepEqual(await paths(bob), []);
  });

  test(`${engine}: a ticket is good for one receiver`, async (t) => {
    const { alice, bob } = await peersOn(engine, t);
    await alice.write("notes.txt", "notes");
    const { sending } = await transfer({ alice, bob }, ["notes.txt"]);

    const again = bob.peer.receive(sending.ticket, { into: bob.at("again") });

    assert.equal(await codeOf(again), "PEER_REJECTED");
    assert.deepEqual(await paths(bob, "again"), []);
  });

  test(`${engine}: a ticket with a wrong secret is refused and leaves the right one good`, async (t) => {
    const { alice, bob } = await peersOn(engine, t);
    await alice.write("notes.txt", "notes");
    const sending = alice.peer.send(alice.at("notes.txt"));
    const ticket = await ticketOf(sending);
    const { peerId, addresses } = alice.peer;
    const forged = encodeTicket({ peerId, addresses: [...addresses], secret: new Uint8Array(16) });

    assert.equal(await codeOf(bob.peer.receive(forged)), "PEER_REJECTED");

    const receipt = await bob.peer.receive(ticket).done;
    assert.equal([...receipt.files][0]?.status, "received");
  });

  test(`${engine}: a ticket of a peer that is gone cannot be reached`, async (t) => {
    const tuning = { connectTimeoutMs: 300 };
    const { alice, bob } = await peersOn(engine, t, { bob: { tuning } });
    await alice.write("notes.txt", "notes");
    const ticket = await ticketOf(alice.peer.send(alice.at("notes.txt")));
    await alice.peer.close();

    const receiving = bob.peer.receive(ticket);

    assert.equal(await codeOf(receiving), "PEER_UNREACHABLE");
  });
}

test("what the receiver is asked about tells names, sizes and who sends", async (t) => {
  const { alice, bob } = await peers(t, { alice: { name: "Alice's laptop" } });
  await alice.write("album/a.txt", "12345");
  await alice.write("album/b/c.txt", "123");
  await alice.link("album/link", "a.txt");
  await alice.write("notes.txt", "1");

  const { receiving } = await transfer({ alice, bob }, ["album", "notes.txt"], {
    send: { targetDir: "from/alice", profile: "standard" },
  });

  const { type: _type, ...offer } = await eventOf(receiving, "offer");
  assert.deepEqual(offer, {
    transferId: receiving.id,
    peerId: alice.peer.peerId,
    peerName: "Alice's laptop",
    files: 3,
    folders: 2,
    links: 1,
    bytes: 9,
    items: [
      { name: "album", kind: "folder", files: 2, bytes: 8 },
      { name: "notes.txt", kind: "file", files: 1, bytes: 1 },
    ],
    hiddenItems: 0,
    moreItems: 0,
    targetDir: "from/alice",
    profile: "standard",
  });
});

test("S11: hidden names stand first in what the receiver is asked about, however many come before", async (t) => {
  const { alice, bob } = await peers(t);
  const names = Array.from({ length: 1100 }, (_, index) => `a${index}`);
  for (const name of [...names, ".bashrc", ".ssh/authorized_keys"]) await alice.write(name, name);
  const asked: OfferSummary[] = [];

  const { receiving } = await transfer({ alice, bob }, [...names, ".bashrc", ".ssh"], {
    receive: { accept: async (offer) => asked.push(offer) > 0 },
  });

  const { items, hiddenItems, moreItems } = asked[0] ?? (await eventOf(receiving, "offer"));
  assert.deepEqual(
    items.slice(0, 3).map(({ name, files }) => [name, files]),
    [
      [".bashrc", 1],
      [".ssh", 1],
      ["a0", 1],
    ],
  );
  assert.deepEqual([items.length, hiddenItems, moreItems], [1000, 2, 102]);
  assert.deepEqual((await eventOf(receiving, "offer")).items, items);
});

test("nothing is written before the receiver has accepted", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("notes.txt", "notes");
  const before: string[][] = [];

  await transfer({ alice, bob }, ["notes.txt"], {
    receive: {
      into: bob.at("new/place"),
      async accept() {
        before.push(await paths(bob, ""));
        return true;
      },
    },
  });

  assert.deepEqual(before, [["inbox"]]);
  assert.deepEqual(await paths(bob, "new/place"), ["notes.txt"]);
});

test("an accept function that throws fails the receiver and frees the sender", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("notes.txt", "notes");
  const failure = new Error("no answer");

  const { sending, receiving } = await begin({ alice, bob }, ["notes.txt"], {
    receive: { accept: () => Promise.reject(failure) },
  });

  await assert.rejects(receiving.done, failure);
  assert.notEqual(await codeOf(sending), "done");
});

test("a ticket in use is refused to others until its receiver is done", async (t) => {
  const { alice, bob, network } = await peers(t);
  const carol = await memorySide(t, network);
  await alice.write("notes.txt", "notes");
  const sending = alice.peer.send(alice.at("notes.txt"));
  const ticket = await ticketOf(sending);
  const answer = Promise.withResolvers<boolean>();
  const first = bob.peer.receive(ticket, { accept: () => answer.promise });
  await eventOf(first, "offer");

  const second = await codeOf(carol.peer.receive(ticket));
  answer.resolve(true);

  assert.equal(second, "PEER_REJECTED");
  assert.equal([...(await first.done).files][0]?.status, "received");
});

test("a peer receives its own ticket", async (t) => {
  const alice = await memorySide(t, createMemoryNetwork());
  await alice.write("notes.txt", "notes");
  const ticket = await ticketOf(alice.peer.send(alice.at("notes.txt")));

  await alice.peer.receive(ticket).done;

  assert.deepEqual(await paths(alice), ["notes.txt"]);
});

test("a ticket whose address answers with another key cannot be reached", async (t) => {
  const { alice, bob } = await peers(t, { bob: { tuning: { connectTimeoutMs: 50 } } });
  await alice.peer.start();
  const { peerId } = temporaryIdentity();
  const addresses = [...alice.peer.addresses];
  const ticket = encodeTicket({ peerId, addresses, secret: new Uint8Array(16) });

  assert.equal(await codeOf(bob.peer.receive(ticket)), "PEER_UNREACHABLE");
});

const sources = [
  { name: "nothing-here", code: "DISK_MISSING", why: "a path that is not there" },
  { name: "no/such/folder", code: "DISK_MISSING", why: "a path in a folder that is not there" },
  { name: "circle", code: "DISK_MISSING", why: "a link that leads to itself" },
  { name: "dangling", code: "DISK_MISSING", why: "a link that leads nowhere" },
  { name: "socket", code: "INVALID_ARGUMENT", why: "a socket" },
];

for (const { name, code, why } of sources) {
  test(`${why} cannot be sent: ${code}`, async (t) => {
    const { alice } = await peers(t);
    await alice.link("circle", "circle");
    await alice.link("dangling", "nobody");
    alice.disk.other(alice.at("socket"));

    const sending = alice.peer.send(alice.at(name));

    await assert.rejects(sending.done, (error: Error) => {
      assert.ok(error.message.includes(alice.at(name)), error.message);
      return "code" in error && error.code === code;
    });
  });
}

test("sending no paths at all is refused", async (t) => {
  const { alice } = await peers(t);

  assert.equal(await codeOf(alice.peer.send([])), "INVALID_ARGUMENT");
});

const badTickets = ["", "hello", "quiver", "quiveraaaa", "otherticketabcdef"];

for (const ticket of badTickets) {
  test(`"${ticket}" is refused as a ticket before anything is dialled`, async (t) => {
    const { bob } = await peers(t);

    assert.equal(await codeOf(bob.peer.receive(ticket)), "INVALID_ARGUMENT");
  });
}

test("a ticket that is cut or mistyped anywhere is refused as mistyped", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("notes.txt", "notes");
  const ticket = await ticketOf(alice.peer.send(alice.at("notes.txt")));
  const spoilt = [10, 30, 60, ticket.length - 1].flatMap((at) => [
    ticket.slice(0, at),
    ticket.slice(0, at) + (ticket[at] === "a" ? "b" : "a") + ticket.slice(at + 1),
  ]);

  const codes = await Promise.all(spoilt.map((text) => codeOf(bob.peer.receive(text))));

  assert.deepEqual(new Set(codes), new Set(["INVALID_ARGUMENT"]));
});

test("a ticket may be wrapped over lines and be in capitals", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("notes.txt", "notes");
  const ticket = await ticketOf(alice.peer.send(alice.at("notes.txt")));
  const wrapped = ticket.toUpperCase().replace(/.{40}/g, "$&\n  ");

  const { files } = await bob.peer.receive(wrapped).done;

  assert.equal(files.length, 1);
});
