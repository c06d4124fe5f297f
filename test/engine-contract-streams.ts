/** The contract of streams that carry small bytes. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { Connection, ReceiveStream, SendStream } from "../src/engine/engine.ts";
import { errorCodes } from "../src/errors.ts";
import { connectedPair, type MakeMachines, patterned } from "./engine-contract.ts";

/** Declares the tests for one engine. */
export function streamContract(engine: string, make: MakeMachines): void {
  test(`${engine}: a stream both ways carries bytes both ways`, async (t) => {
    const { near, far } = await connectedPair(t, make);
    const here = await near.openBidirectional();

    await here.send.write(text("ping"));
    const there = await far.acceptBidirectional();
    const heard = await there.receive.read(4);
    await there.send.write(text("pong"));
    const answer = await here.receive.read(4);

    assert.equal(Buffer.from(heard ?? []).toString(), "ping");
    assert.equal(Buffer.from(answer ?? []).toString(), "pong");
  });

  test(`${engine}: the side that accepted can open streams too`, async (t) => {
    const { near, far } = await connectedPair(t, make);
    const { receive } = await lane(far, near, Uint8Array.of(7));

    assert.deepEqual(bytesOf(await receive.read(1)), [7]);
  });

  test(`${engine}: read gives exactly what was asked for, however it was written`, async (t) => {
    const { near, far } = await connectedPair(t, make);
    const { send, receive } = await lane(near, far, Uint8Array.of(1, 2, 3));
    await send.write(Uint8Array.of(4, 5));
    await send.finish();

    assert.deepEqual(bytesOf(await receive.read(2)), [1, 2]);
    assert.deepEqual(bytesOf(await receive.read(3)), [3, 4, 5]);
    assert.equal(await receive.read(1), null);
    assert.equal(await receive.read(1), null);
  });

  test(`${engine}: a stream without bytes ends at once`, async (t) => {
    const { near, far } = await connectedPair(t, make);
    const send = await near.openUnidirectional();
    await send.finish();

    const receive = await far.acceptUnidirectional();

    assert.equal(await receive.read(1), null);
  });

  test(`${engine}: a stream that ends between the bytes asked for is malformed`, async (t) => {
    const { near, far } = await connectedPair(t, make);
    const { send, receive } = await lane(near, far, Uint8Array.of(1, 2, 3));
    await send.finish();

    await assert.rejects(receive.read(4), { code: "INVALID_FRAME" });
  });

  test(`${engine}: more bytes than all windows arrive whole`, async (t) => {
    const { near, far } = await connectedPair(t, make, smallWindows);
    const sent = patterned(1_048_576);

    const { send, receive, writing } = await startLane(near, far, sent);
    const received = await receive.read(sent.length);
    await writing;

    assert.ok(Buffer.from(received ?? []).equals(sent));
    assert.equal(send.sentBytes, sent.length);
    assert.equal(receive.receivedBytes, sent.length);
  });

  test(`${engine}: a stream tells where its time goes, while calls are under way`, async (t) => {
    const { alice, near, far } = await connectedPair(t, make);
    const { send, receive } = await lane(near, far, Uint8Array.of(1));
    await receive.read(1);
    const limiter = alice.engine.createLimiter();
    limiter.setRate(0);
    send.limitBy([limiter]);

    const reading = receive.read(1);
    const writing = send.write(Uint8Array.of(2));
    await until(() => receive.spent.streamMs > 1 && send.spent.limitMs > 1);
    limiter.setRate(Number.POSITIVE_INFINITY);
    await Promise.all([writing, reading]);

    const ended = send.spent;
    await turn();
    assert.deepEqual(send.spent, ended);
    assert.equal(ended.diskMs, 0);
  });

  test(`${engine}: a write waits while the reader does not read`, async (t) => {
    const { near, far } = await connectedPair(t, make, smallWindows);
    let isWritten = false;
    const { receive, writing } = await startLane(near, far, patterned(1_048_576));
    const watching = writing.then(() => {
      isWritten = true;
    });

    await receive.read(1);
    const wasWritten = isWritten;
    await receive.read(1_048_575);
    await watching;

    assert.equal(wasWritten, false);
  });

  test(`${engine}: a stream that nobody reads does not hold up another`, async (t) => {
    const { near, far } = await connectedPair(t, make, smallWindows);
    const { receive: stuck, writing } = await startLane(near, far, patterned(1_048_576));

    const { receive } = await lane(near, far, Uint8Array.of(9));

    assert.deepEqual(bytesOf(await receive.read(1)), [9]);
    stuck.stop(errorCodes.CANCELLED.wire);
    await assert.rejects(writing, { code: "CANCELLED" });
  });

  test(`${engine}: a reset reaches the reader with its code`, async (t) => {
    const { near, far } = await connectedPair(t, make);
    const { send, receive } = await lane(near, far, Uint8Array.of(1));
    await receive.read(1);
    const reading = receive.read(1);

    send.reset(errorCodes.SOURCE_CHANGED.wire);

    await assert.rejects(reading, { code: "SOURCE_CHANGED" });
    await assert.rejects(send.write(Uint8Array.of(2)), { code: "CANCELLED" });
  });

  test(`${engine}: a reset ends the write that waits`, async (t) => {
    const { near, far } = await connectedPair(t, make, smallWindows);
    const { send, writing } = await startLane(near, far, patterned(1_048_576));

    send.reset(errorCodes.CANCELLED.wire);

    await assert.rejects(writing, { code: "CANCELLED" });
  });

  test(`${engine}: a stop reaches the writer with its code`, async (t) => {
    const { near, far } = await connectedPair(t, make, smallWindows);
    const { receive, writing } = await startLane(near, far, patterned(1_048_576));

    receive.stop(errorCodes.UNSUPPORTED_FORMAT.wire);

    await assert.rejects(writing, { code: "UNSUPPORTED_FORMAT" });
    await assert.rejects(receive.read(1), { code: "CANCELLED" });
  });

  test(`${engine}: a stop ends the read that waits`, async (t) => {
    const { near, far } = await connectedPair(t, make);
    const { receive } = await lane(near, far, Uint8Array.of(1));
    const reading = receive.read(2);

    receive.stop(errorCodes.CANCELLED.wire);

    await assert.rejects(reading, { code: "CANCELLED" });
  });

  test(`${engine}: a number that is no code of ours is the peer's mistake`, async (t) => {
    const { near, far } = await connectedPair(t, make);
    const { send, receive } = await lane(near, far, Uint8Array.of(1));

    send.reset(9_999);

    await assert.rejects(receive.read(2), { code: "INVALID_FRAME" });
  });

  test(`${engine}: a hundred streams at once each carry their own bytes`, async (t) => {
    const { near, far } = await connectedPair(t, make);
    const numbers = Array.from({ length: 100 }, (_, number) => number);
    const sends = await Promise.all(numbers.map(() => near.openUnidirectional()));

    const writing = Promise.all(
      sends.map(async (send, number) => {
        await send.write(Uint8Array.of(number));
        await send.finish();
      }),
    );
    const receives = await Promise.all(numbers.map(() => far.acceptUnidirectional()));
    const heard = await Promise.all(receives.map((receive) => receive.read(1)));
    await writing;

    const seen = heard.map((bytes) => bytes?.[0] ?? -1).sort((a, b) => a - b);
    assert.deepEqual(seen, numbers);
  });

  test(`${engine}: opening waits while the peer allows no more streams`, async (t) => {
    const { near, far } = await connectedPair(t, make, { maxStreams: 2 });
    const first = await lane(near, far, Uint8Array.of(1));
    const second = await lane(near, far, Uint8Array.of(2));
    let isOpen = false;
    const opening = near.openUnidirectional().then((send) => {
      isOpen = true;
      return send;
    });

    await second.receive.read(1);
    const wasOpen = isOpen;
    await first.send.finish();
    await first.receive.read(1);
    await first.receive.read(1);
    await (await opening).write(Uint8Array.of(3));
    const third = await far.acceptUnidirectional();

    assert.equal(wasOpen, false);
    assert.deepEqual(bytesOf(await third.read(1)), [3]);
  });

  test(`${engine}: the connection counts what passed`, async (t) => {
    const { near, far } = await connectedPair(t, make);
    const { receive, writing } = await startLane(near, far, patterned(100_000));
    await receive.read(100_000);
    await writing;

    assert.ok(near.stats().sentBytes >= 100_000);
    assert.ok(far.stats().receivedBytes >= 100_000);
    assert.ok(near.stats().sentPackets > 0);
  });
}

/** A stream from one end to the other, after a first write that both ends have seen. */
export async function lane(
  from: Connection,
  to: Connection,
  first: Uint8Array,
): Promise<{ send: SendStream; receive: ReceiveStream }> {
  const { send, receive, writing } = await startLane(from, to, first);
  await writing;
  return { send, receive };
}

async function startLane(
  from: Connection,
  to: Connection,
  first: Uint8Array,
): Promise<{ send: SendStream; receive: ReceiveStream; writing: Promise<void> }> {
  const send = await from.openUnidirectional();
  const writing = send.write(first);
  // Whoever wants to know awaits it again: a test may end before.
  writing.catch(() => {});
  const receive = await to.acceptUnidirectional();
  return { send, receive, writing };
}

function bytesOf(bytes: Uint8Array | null): number[] | null {
  return bytes && [...bytes];
}

function text(value: string): Uint8Array {
  return Buffer.from(value, "utf8");
}

const smallWindows = {
  streamWindowBytes: 65_536,
  receiveWindowBytes: 262_144,
  sendWindowBytes: 262_144,
};

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await turn();
}
