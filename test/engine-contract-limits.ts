/** The contract of limits: what they hold back, and for whom. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connection, RateLimiter, ReceiveStream, SendStream } from "../src/engine/engine.ts";
import { connectedPair, type MakeMachines, patterned } from "./engine-contract.ts";
import { lane } from "./engine-contract-streams.ts";

/** Declares the tests for one engine. */
export function limitContract(engine: string, make: MakeMachines): void {
  test(`${engine}: nothing passes a limit of 0, and what waits goes on under another one`, async (t) => {
    const { alice, near, far } = await connectedPair(t, make);
    const { send, receive } = await lane(near, far, Uint8Array.of(7));
    const limiter = alice.engine.createLimiter();
    limiter.setRate(0);
    send.limitBy([limiter]);
    const writing = send.write(content);
    await exchange(near, far);
    assert.equal(send.sentBytes, 1);

    limiter.setRate(Number.POSITIVE_INFINITY);
    await receive.read(1);
    const read = await receive.read(content.length);
    await writing;

    assert.deepEqual(Buffer.from(read ?? []), Buffer.from(content));
  });

  test(`${engine}: a reader with a limit of 0 takes a step and no more`, async (t) => {
    const { bob, near, far } = await connectedPair(t, make);
    const { receive, send } = await lane(near, far, content);
    const limiter = bob.engine.createLimiter();
    limiter.setRate(0);
    receive.limitBy([limiter]);
    const reading = receive.read(content.length);
    await exchange(near, far);
    const { receivedBytes } = receive;

    limiter.setRate(Number.POSITIVE_INFINITY);

    assert.deepEqual(Buffer.from((await reading) ?? []), Buffer.from(content));
    assert.ok(receivedBytes <= 1200, `${receivedBytes} bytes`);
    await send.finish();
  });

  for (const { who, rates, passes } of shared) {
    test(`${engine}: of two streams with a limit each and one for both, ${who}`, async (t) => {
      const { alice, near, far } = await connectedPair(t, make);
      const limiters = rates.map((rate) => limited(alice.engine.createLimiter(), rate));
      const [first, second, both] = limiters;
      assert.ok(first && second && both);
      const one = await lane(near, far, Uint8Array.of(1));
      one.send.limitBy([first, both]);
      const two = await lane(near, far, Uint8Array.of(2));
      two.send.limitBy([second, both]);

      const writing = [one.send.write(content), two.send.write(content)];
      const done = await Promise.all(
        [one, two].map(async ({ send, receive }, at) => {
          if (!passes[at]) return isHeld(send, near, far);
          return (await receive.read(1 + content.length)) !== null;
        }),
      );

      assert.deepEqual(done, [true, true]);
      for (const limiter of limiters) limiter.setRate(Number.POSITIVE_INFINITY);
      await Promise.all(writing);
    });
  }

  test(`${engine}: a stream that waits for its limit can be reset`, async (t) => {
    const { alice, near, far } = await connectedPair(t, make);
    const { send, receive } = await lane(near, far, Uint8Array.of(7));
    send.limitBy([limited(alice.engine.createLimiter(), 0)]);
    const writing = assert.rejects(send.write(content), { code: "CANCELLED" });

    send.reset(1);

    await writing;
    await receive.read(1).catch(() => {});
  });

  test(`${engine}: bytes take the time that their limit gives them`, async (t) => {
    const { alice, near, far } = await connectedPair(t, make);
    const { send, receive } = await lane(near, far, Uint8Array.of(7));
    send.limitBy([limited(alice.engine.createLimiter(), 200_000)]);
    const startedAt = performance.now();

    await Promise.all([send.write(content), receive.read(1 + content.length)]);

    // 200 ms, less what may be caught up with. Never too late: a busy machine is no fault.
    assert.ok(performance.now() - startedAt > 90);
  });
}

const content = patterned(40_000);
const all = Number.POSITIVE_INFINITY;
const shared = [
  { who: "one that is held leaves the other alone", rates: [0, all, all], passes: [false, true] },
  { who: "a slow one leaves the other alone", rates: [1, all, 1e9], passes: [false, true] },
  { who: "the one for both holds both", rates: [all, all, 0], passes: [false, false] },
];

function limited(limiter: RateLimiter, rate: number): RateLimiter {
  limiter.setRate(rate);
  return limiter;
}

/** Whether a stream has sent no more than its first byte and a step. */
async function isHeld(send: SendStream, near: Connection, far: Connection): Promise<boolean> {
  await exchange(near, far);
  return send.sentBytes <= 1 + 1200;
}

/** Lets a message go to and fro: whatever could pass had the time to. */
async function exchange(near: Connection, far: Connection): Promise<void> {
  const there = await lane(near, far, Uint8Array.of(1));
  await hear(there.receive);
  const back = await lane(far, near, Uint8Array.of(1));
  await hear(back.receive);
}

async function hear(receive: ReceiveStream): Promise<void> {
  assert.ok(await receive.read(1));
}
