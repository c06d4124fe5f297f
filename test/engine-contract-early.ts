/** The contract of what travels before a handshake is complete. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import type {
  BidirectionalStream,
  Connection,
  Endpoint,
  ReceiveStream,
} from "../src/engine/engine.ts";
import { bound, connected, type MakeMachines, TIMEOUT_MS } from "./engine-contract.ts";

/** Declares the tests for one engine. */
export function earlyContract(engine: string, make: MakeMachines): void {
  test(`${engine}: the first connection with a peer has no early bytes, the second has`, async (t) => {
    const { alice, bob } = await make(t);
    const [from, to] = [await bound(t, alice), await bound(t, bob)];
    const accepting = to.accept();
    const first = await from.connectEarly(to.peerId, to.addresses, TIMEOUT_MS, hello);
    assert.equal(first.early, null);
    await talk(first, await accepting);
    const calling = to.acceptEarly();

    const near = await from.connectEarly(to.peerId, to.addresses, TIMEOUT_MS, hello);

    const call = await calling;
    assert.ok(near.early && call);
    assert.equal(call.peerId, from.peerId);
    const stream = await call.takeStream();
    assert.deepEqual(await readText(stream.receive, 5), "hello");
    await stream.send.write(Buffer.from("well"));
    assert.equal(await readText(near.early.receive, 4), "well");
    const far = await call.proven();
    assert.equal(far.peerId, from.peerId);
    assert.equal(far.early, null);
    await near.early.send.write(Buffer.from("go on"));
    assert.equal(await readText(stream.receive, 5), "go on");
    const label = "quiver test";
    const materials = [near, far].map((end) => end.exportKeyingMaterial(label, new Uint8Array()));
    assert.deepEqual(materials[0], materials[1]);
    far.admit({ receiveWindowBytes: 65_536, maxStreams: 2 });
    const more = await near.openBidirectional();
    await more.send.write(Buffer.from("more"));
    assert.equal(await readText((await far.acceptBidirectional()).receive, 4), "more");
  });

  test(`${engine}: an early stream that nobody takes comes with the proven connection`, async (t) => {
    const { alice, bob } = await make(t);
    const [from, to] = [await bound(t, alice), await bound(t, bob)];
    await acquaint(from, to);
    const calling = to.acceptEarly();

    const near = await from.connectEarly(to.peerId, to.addresses, TIMEOUT_MS, hello);

    const far = await (await calling)?.proven();
    assert.ok(near.early && far);
    await assertFirst(far, near.early);
  });

  test(`${engine}: an early call for which nobody waits is accepted like any other`, async (t) => {
    const { alice, bob } = await make(t);
    const [from, to] = [await bound(t, alice), await bound(t, bob)];
    await acquaint(from, to);
    const accepting = to.accept();

    const near = await from.connectEarly(to.peerId, to.addresses, TIMEOUT_MS, hello);

    const far = await accepting;
    assert.ok(near.early && far);
    await assertFirst(far, near.early);
  });

  test(`${engine}: who was started again refuses early bytes, and the connection stands`, async (t) => {
    const { alice, bob } = await make(t);
    const secretKey = new Uint8Array(randomBytes(32));
    const from = await bound(t, alice);
    const before = await bound(t, bob, { secretKey });
    await acquaint(from, before);
    await before.close();
    const to = await bound(t, bob, { secretKey, listen: before.addresses });
    const accepting = to.accept();
    const calling = to.acceptEarly();

    const near = await from.connectEarly(to.peerId, to.addresses, TIMEOUT_MS, hello);

    assert.equal(near.early, null);
    await talk(near, await accepting);
    await to.close();
    assert.equal(await calling, null);
    assert.equal(await to.acceptEarly(), null);
  });

  test(`${engine}: connect sends nothing early, whatever came before`, async (t) => {
    const { alice, bob } = await make(t);
    const [from, to] = [await bound(t, alice), await bound(t, bob)];
    await acquaint(from, to);

    const { near, far } = await connected(from, to);

    assert.equal(near.early, null);
    await talk(near, far);
  });
}

const hello = Buffer.from("hello");

/** Leaves both with what a second connection can begin from. */
async function acquaint(from: Endpoint, to: Endpoint): Promise<void> {
  const { near, far } = await connected(from, to);
  await talk(near, far);
}

/** Says something and hears an answer, then ends the connection. */
async function talk(near: Connection, far: Connection | null): Promise<void> {
  assert.ok(far);
  const stream = await near.openBidirectional();
  await stream.send.write(hello);
  const there = await far.acceptBidirectional();
  assert.equal(await readText(there.receive, 5), "hello");
  await there.send.write(hello);
  assert.equal(await readText(stream.receive, 5), "hello");
  near.close(0, "");
  await far.closed();
}

/** Checks that the first stream of a connection begins with the early bytes, and goes on after them. */
async function assertFirst(far: Connection, early: BidirectionalStream): Promise<void> {
  const { receive, send } = await far.acceptBidirectional();
  assert.equal(await readText(receive, 5), "hello");
  await send.write(hello);
  assert.equal(await readText(early.receive, 5), "hello");
}

async function readText(stream: ReceiveStream, length: number): Promise<string> {
  return Buffer.from((await stream.read(length)) ?? []).toString();
}
