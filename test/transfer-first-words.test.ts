/** What a dialler has to say goes with its hello, a round trip before the other side's can be there. */

import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { type TestContext, test } from "node:test";
import type { Peer, Transfer } from "../src/index.ts";
import type { Tuning } from "../src/options.ts";
import { maxContentBytes } from "../src/protocol/limits.ts";
import { blake3, codeOf, eventOf, peers, type Side } from "./peers.ts";
import { bindRaw, hello, RawPeer, standard, type Value } from "./raw-peer.ts";

/** `alice`, and a peer that she calls `mallory` and that waits for her call. */
async function acquaintance(t: TestContext, tuning: Partial<Tuning> = {}) {
  const { alice, network } = await peers(t, { alice: { tuning } });
  await alice.write("notes.txt", "notes");
  const endpoint = await bindRaw(t, network.engine("mallory"));
  const { peerId, addresses } = endpoint;
  alice.peer.peers.add({ name: "mallory", peerId, addresses });
  return { alice, endpoint };
}

/** Says hello as one that can do this, too. */
function greet(raw: RawPeer, changes: { readonly [key: string]: Value } = {}): Promise<void> {
  return raw.say({ ...hello, ...changes });
}

test("a question is asked before the other side has said hello", async (t) => {
  const { alice, endpoint } = await acquaintance(t);
  const listing = Array.fromAsync(alice.peer.list("mallory"), ({ name }) => name);
  const raw = await RawPeer.accept(endpoint);
  await raw.hear("hello");
  const { request } = await raw.hear("list");

  await greet(raw, { features: ["requests"] });
  const entries = [[1, "photos", 0, 0]];
  await raw.say({ type: "listing", request: request as Uint8Array, entries, more: 0 });

  assert.deepEqual(await listing, ["photos"]);
});

test("who answers requests, but did not say so, is not listened to", async (t) => {
  const { alice, endpoint } = await acquaintance(t);
  const getting = alice.peer.request("mallory", "photos");
  const raw = await RawPeer.accept(endpoint);
  const { request } = await raw.hear("get");

  await greet(raw);
  await raw.say({ type: "granted", request: request as Uint8Array, transfer: Buffer.alloc(16) });

  assert.equal(await codeOf(getting), "UNSUPPORTED_VERSION");
});

test("an offer is made before the other side has said hello, and sent as that one can read it", async (t) => {
  const { alice, endpoint } = await acquaintance(t);
  const sending = alice.peer.send(alice.at("notes.txt"), { to: "mallory" });
  const raw = await RawPeer.accept(endpoint);
  raw.connection.admit({ receiveWindowBytes: 65_536, maxStreams: 256 });
  const { transfer } = await raw.hear("offer");
  await raw.hear("offered");

  await greet(raw, { name: "the old one", profiles: ["standard"] });
  await raw.say({ type: "accept", transfer: transfer as Uint8Array });

  const { peerName } = await eventOf(sending, "connected");
  const { profile } = await eventOf(sending, "lanes");
  const lane = await raw.connection.acceptUnidirectional();
  const header = await lane.read(4);
  assert.deepEqual([peerName, profile, header?.at(3)], ["the old one", "standard", standard]);
  sending.cancel();
  await codeOf(sending);
});

test("little files are there before the other side has said hello", async (t) => {
  const { alice, endpoint } = await acquaintance(t, { contentBytes: maxContentBytes });
  const sending = alice.peer.send(alice.at("notes.txt"), { to: "mallory" });
  const raw = await RawPeer.accept(endpoint);
  const { transfer, content } = await raw.hear("offered");
  assert.equal(`${content}`, "notes");

  await greet(raw, { features: ["content"] });
  const about = { transfer: transfer as Uint8Array };
  await raw.say({ type: "accept", ...about, content: 1 });
  const hash = Buffer.from(blake3(Buffer.from("notes")), "hex");
  await raw.say({ type: "results", ...about, files: [[0, 0, hash, "", 0, ""]] });
  await raw.say({ type: "receipt", ...about, bytes: 5, seconds: 0 });

  const [file] = (await sending.done).files;
  assert.equal(file?.status, "received");
});

test("a peer is connected when it has said hello, whatever was asked of it before", async (t) => {
  const { alice, endpoint } = await acquaintance(t);
  const listing = alice.peer.list("mallory").next();
  const raw = await RawPeer.accept(endpoint);
  await raw.hear("list");
  const connecting = alice.peer.connectToPeer(String(endpoint.addresses[0]), endpoint.peerId);

  await greet(raw, { version: 2 });

  const code = "UNSUPPORTED_VERSION";
  // Both at once: they are rejected together.
  await Promise.all([assert.rejects(connecting, { code }), assert.rejects(listing, { code })]);
});

const newer: { [name: string]: (peer: Peer) => Transfer } = {
  text: (peer) => peer.send([], { to: "mallory", text: "secret" }),
  stream(peer) {
    const stream = Readable.from([Buffer.from("secret")]);
    return peer.send({ stream, name: "secret" }, { to: "mallory" });
  },
};

for (const [name, send] of Object.entries(newer)) {
  test(`a ${name} is not offered before a peer has said that it takes one`, async (t) => {
    const { alice, endpoint } = await acquaintance(t);
    const sending = send(alice.peer);
    const raw = await RawPeer.accept(endpoint);
    await raw.hear("hello");

    await greet(raw);

    assert.equal(await codeOf(sending), "UNSUPPORTED_FORMAT");
  });
}

const silences: { title: string; answer: (raw: RawPeer) => Promise<void>; code: string }[] = [
  {
    title: "answers without a hello",
    answer: (raw) => raw.say({ type: "error", code: 5, reason: "" }),
    code: "INVALID_FRAME",
  },
  {
    title: "says hello in another version",
    answer: (raw) => greet(raw, { version: 2 }),
    code: "UNSUPPORTED_VERSION",
  },
  {
    title: "goes without a word",
    answer: async (raw) => raw.connection.close(0, ""),
    code: "CONNECTION_LOST",
  },
  {
    title: "refuses the caller",
    answer: async (raw) => raw.connection.close(6, "not here"),
    code: "PEER_REJECTED",
  },
];

for (const { title, answer, code } of silences) {
  test(`an offer and a question to a peer that ${title} end with ${code} at the first try`, async (t) => {
    const { alice, endpoint } = await acquaintance(t);
    const works: ((alice: Side) => Promise<unknown>)[] = [
      ({ peer, at }) => codeOf(peer.send(at("notes.txt"), { to: "mallory" })),
      ({ peer }) => codeOf(peer.request("mallory", "photos")),
    ];
    for (const work of works) {
      const ended = work(alice);
      const raw = await RawPeer.accept(endpoint);
      await raw.hear("hello");

      await answer(raw);

      assert.equal(await ended, code);
    }
  });
}
