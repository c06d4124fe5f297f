/** The contract of endpoints and connections. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Connection, EndpointOptions } from "../src/engine/engine.ts";
import { errorCodes } from "../src/errors.ts";
import {
  bound,
  connected,
  connectedPair,
  type MakeMachines,
  TIMEOUT_MS,
} from "./engine-contract.ts";

/** Declares the tests for one engine. */
export function connectionContract(engine: string, make: MakeMachines): void {
  test(`${engine}: an endpoint says the port that it got`, async (t) => {
    const { alice } = await make(t);

    const endpoint = await bound(t, alice);

    assert.equal(endpoint.addresses.length, 1);
    assert.match(endpoint.addresses[0] ?? "", /^127\.0\.0\.1:[1-9]\d*$/);
  });

  test(`${engine}: the peer id is the Ed25519 public key`, async (t) => {
    const { alice } = await make(t);
    // RFC 8032, section 7.1, test 1.
    const secret = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";

    const endpoint = await bound(t, alice, { secretKey: Buffer.from(secret, "hex") });

    const peerId = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    assert.equal(endpoint.peerId, peerId);
  });

  test(`${engine}: a taken port is refused, and free again after close`, async (t) => {
    const { alice, bob } = await make(t);
    const first = await bound(t, alice);
    const { addresses } = first;

    await assert.rejects(bound(t, bob, { listen: addresses }), { code: "ADDRESS_IN_USE" });
    await first.close();
    const second = await bound(t, bob, { listen: addresses });

    assert.deepEqual(second.addresses, addresses);
  });

  const badOptions = [
    { options: { listen: ["nonsense"] }, why: "not an address" },
    { options: { listen: ["127.0.0.1"] }, why: "no port" },
    { options: { listen: ["127.0.0.1:65536"] }, why: "no such port" },
    { options: { secretKey: new Uint8Array(31) }, why: "a key that is too short" },
  ];
  for (const { options, why } of badOptions) {
    test(`${engine}: binding with ${why} is refused`, async (t) => {
      const { alice } = await make(t);
      await assert.rejects(bound(t, alice, options), { code: "INVALID_ARGUMENT" });
    });
  }

  test(`${engine}: dialling a bad address or peer id is refused`, async (t) => {
    const { alice, bob } = await make(t);
    const from = await bound(t, alice);
    const to = await bound(t, bob);
    const code = "INVALID_ARGUMENT";

    await assert.rejects(from.connect(to.peerId, ["nonsense"], TIMEOUT_MS), { code });
    await assert.rejects(from.connect("ab", to.addresses, TIMEOUT_MS), { code });
  });

  test(`${engine}: dialling where nobody listens ends at the time-out`, async (t) => {
    const { alice, bob } = await make(t);
    const from = await bound(t, alice);
    const gone = await bound(t, bob);
    await gone.close();

    const dialling = from.connect(gone.peerId, gone.addresses, 300);

    await assert.rejects(dialling, { code: "PEER_UNREACHABLE" });
  });

  test(`${engine}: dialling finds the one address of several that answers`, async (t) => {
    const { alice, bob } = await make(t);
    const from = await bound(t, alice);
    const gone = await bound(t, bob);
    const to = await bound(t, bob);
    await gone.close();
    const addresses = [...gone.addresses, ...to.addresses];

    const near = await from.connect(to.peerId, addresses, TIMEOUT_MS);

    assert.equal(near.peerId, to.peerId);
  });

  test(`${engine}: another peer at the address is not taken for the one dialled`, async (t) => {
    const { alice, bob } = await make(t);
    const from = await bound(t, alice);
    const other = await bound(t, bob);
    const wanted = await bound(t, bob);

    const dialling = from.connect(wanted.peerId, other.addresses, 500);

    await assert.rejects(dialling, { code: "PEER_UNREACHABLE" });
  });

  test(`${engine}: a peer with another protocol refuses`, async (t) => {
    const { alice, bob } = await make(t);
    const from = await bound(t, alice, { alpn: "other/1" });
    const to = await bound(t, bob);

    const dialling = from.connect(to.peerId, to.addresses, TIMEOUT_MS);

    await assert.rejects(dialling, { code: "PEER_UNREACHABLE" });
  });

  test(`${engine}: both ends of a connection know each other`, async (t) => {
    const { near, far, aliceEndpoint, bobEndpoint } = await connectedPair(t, make);

    assert.equal(near.peerId, bobEndpoint.peerId);
    assert.equal(far.peerId, aliceEndpoint.peerId);
    assert.equal(near.stats().remoteAddress, bobEndpoint.addresses[0]);
  });

  test(`${engine}: a connection takes what is known of its path, twice too`, async (t) => {
    const { near } = await connectedPair(t, make);

    near.knowPath({ rttMs: 0.5, rateBytesPerSecond: 10_000_000 });
    near.knowPath({ rttMs: 150, rateBytesPerSecond: 1 });

    assert.notEqual(near.stats().remoteAddress, "");
  });

  test(`${engine}: an endpoint accepts several connections`, async (t) => {
    const { alice, bob } = await make(t);
    const to = await bound(t, bob);

    for (const from of [await bound(t, alice), await bound(t, alice)]) {
      const { far } = await connected(from, to);
      assert.equal(far.peerId, from.peerId);
    }
  });

  test(`${engine}: accept says null once the endpoint is closed, and close twice is fine`, async (t) => {
    const { alice } = await make(t);
    const endpoint = await bound(t, alice);
    const pending = endpoint.accept();

    await endpoint.close();
    await endpoint.close();

    assert.equal(await pending, null);
    assert.equal(await endpoint.accept(), null);
  });

  test(`${engine}: both ends learn who closed a connection, and why`, async (t) => {
    const { near, far } = await connectedPair(t, make);

    near.close(6, "no thanks");
    near.close(7, "twice is fine");

    assert.deepEqual(await near.closed(), { by: "local", code: 6, reason: "no thanks" });
    assert.deepEqual(await far.closed(), { by: "peer", code: 6, reason: "no thanks" });
  });

  test(`${engine}: closing an endpoint closes its connections`, async (t) => {
    const { near, far, aliceEndpoint } = await connectedPair(t, make);

    await aliceEndpoint.close();

    assert.equal((await near.closed()).by, "local");
    assert.equal((await far.closed()).by, "peer");
  });

  test(`${engine}: what waits on a closed connection rejects with the peer's code`, async (t) => {
    const { near, far } = await connectedPair(t, make);
    const here = near.acceptUnidirectional();
    const stream = await near.openUnidirectional();
    await stream.write(Uint8Array.of(1));
    const arrived = await far.acceptUnidirectional();
    await arrived.read(1);
    const there = [arrived.read(1), far.acceptUnidirectional(), far.acceptBidirectional()];

    near.close(errorCodes.PEER_REJECTED.wire, "");

    const rejected = there.map((pending) => assert.rejects(pending, { code: "PEER_REJECTED" }));
    await Promise.all([assert.rejects(here, { code: "CANCELLED" }), ...rejected]);
    await assert.rejects(far.openUnidirectional(), { code: "PEER_REJECTED" });
    await assert.rejects(near.openBidirectional(), { code: "CANCELLED" });
    await assert.rejects(stream.write(Uint8Array.of(1)), { code: "CANCELLED" });
  });

  const stranger = { strangerWindowBytes: 1_000 };

  test(`${engine}: a stranger has one stream both ways and none one way, until it is admitted`, async (t) => {
    const { near, far } = await strangers(t, make, stranger);
    const opened: string[] = [];
    const control = await near.openBidirectional();
    const second = near.openBidirectional().then(() => opened.push("both ways"));
    const lane = near.openUnidirectional().then(() => opened.push("one way"));
    await control.send.write(Uint8Array.of(1));
    const { receive, send } = await far.acceptBidirectional();
    await receive.read(1);
    await send.write(Uint8Array.of(2));
    await control.receive.read(1);

    const before = [...opened];
    far.admit({ receiveWindowBytes: 1_000, maxStreams: 2 });
    await Promise.all([second, lane]);

    assert.deepEqual(before, []);
    assert.deepEqual(opened.sort(), ["both ways", "one way"]);
  });

  test(`${engine}: a stranger's bytes wait at its window, until it is admitted`, async (t) => {
    const { near, far } = await strangers(t, make, stranger);
    const { send } = await near.openBidirectional();
    let isWritten = false;
    const writing = send.write(new Uint8Array(5_000)).then(() => {
      isWritten = true;
    });
    const { receive } = await far.acceptBidirectional();
    await receive.read(500);

    const wasWritten = isWritten;
    far.admit({ receiveWindowBytes: 10_000, maxStreams: 1 });
    await writing;

    assert.equal(wasWritten, false);
    assert.equal((await receive.read(4_500))?.length, 4_500);
  });

  test(`${engine}: admitting a peer that is gone, and one that was admitted, is fine`, async (t) => {
    const { near, far } = await connectedPair(t, make);
    const limits = { receiveWindowBytes: 1_000, maxStreams: 2 };

    far.admit(limits);
    near.close(0, "");
    await far.closed();

    far.admit(limits);
  });

  test(`${engine}: keying material is the same at both ends and nowhere else`, async (t) => {
    const { near, far, aliceEndpoint, bobEndpoint } = await connectedPair(t, make);
    const other = await connected(aliceEndpoint, bobEndpoint);
    const context = Uint8Array.of(1, 2, 3);

    const material = near.exportKeyingMaterial("quiver test", context);

    assert.equal(material.length, 32);
    assert.deepEqual([...far.exportKeyingMaterial("quiver test", context)], [...material]);
    const others = [
      near.exportKeyingMaterial("quiver other", context),
      near.exportKeyingMaterial("quiver test", Uint8Array.of(1, 2, 4)),
      near.exportKeyingMaterial("quiver test", new Uint8Array(0)),
      other.near.exportKeyingMaterial("quiver test", context),
    ];
    for (const bytes of others) assert.notDeepEqual([...bytes], [...material]);
  });
}

/** Two ends of a connection before the one that was dialled admits the other. */
async function strangers(
  t: TestContext,
  make: MakeMachines,
  options: Partial<EndpointOptions>,
): Promise<{ near: Connection; far: Connection }> {
  const { alice, bob } = await make(t);
  const from = await bound(t, alice, options);
  const to = await bound(t, bob, options);
  const accepting = to.accept();
  const near = await from.connect(to.peerId, to.addresses, TIMEOUT_MS);
  const far = await accepting;
  assert.ok(far);
  return { near, far };
}
