/** `producer | quiver send - --as NAME`, between real processes. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { type TestContext, test } from "node:test";
import { eventsIn, run, start, startSend } from "./e2e-command.ts";
import { nativeTree, random, temporaryFolder } from "./peers.ts";

const MiB = 2 ** 20;
const sizes = [0, 1, MiB - 1, MiB, MiB + 1, 2 * MiB, 2 * MiB + 1, 50_000_000];

for (const bytes of sizes) {
  test(`${bytes} bytes of standard input arrive as a file`, async (t) => {
    const into = join(temporaryFolder(t), "inbox");
    const input = random(bytes);
    const sending = startSend(t, ["-", "--as", "a.bin"], { input });

    const receiver = await run(t, ["receive", await sending.ticket, "--into", into, "--yes"]);
    const sender = await sending.ended;

    assert.deepEqual([sender.status, receiver.status], [0, 0], sender.stderr + receiver.stderr);
    assert.ok(readFileSync(join(into, "a.bin")).equals(input));
    assert.deepEqual(
      (await nativeTree(into)).map(({ path }) => path),
      ["a.bin"],
    );
    assert.match(receiver.stderr, /offers a stream, whose size is known at its end:\n {2}a\.bin/);
  });
}

for (const bytes of [0, 1, 2 * MiB + 1, 50_000_000]) {
  test(`${bytes} bytes go from standard input to standard output`, async (t) => {
    const file = join(temporaryFolder(t), "out");
    const input = random(bytes);
    const sending = startSend(t, ["-", "--as", "a.bin"], { input });

    const by = ["sh", "-c", 'out=$1; shift; exec "$@" > "$out"', "sh", file];
    const receiver = await run(t, ["receive", await sending.ticket, "--yes", "--stdout"], { by });
    const sender = await sending.ended;

    assert.deepEqual([sender.status, receiver.status], [0, 0], sender.stderr + receiver.stderr);
    assert.ok(readFileSync(file).equals(input));
  });
}

/** A stream of which some has come and more is to come. */
async function begun(t: TestContext) {
  const into = temporaryFolder(t);
  const input = new PassThrough();
  input.write(random(8 * MiB));
  const sending = startSend(t, ["-", "--as", "a.bin"], { input });
  const what = ["receive", await sending.ticket, "--into", into, "--yes", "--json"];
  const receiving = start(t, what);
  await receiving.event("progress", ({ bytes }) => bytes === 8 * MiB);
  return { into, input, sending, receiving };
}

test("progress of a stream has no share of the whole, for people and for programs", async (t) => {
  const { input, sending, receiving } = await begun(t);
  input.end();
  const [sender, receiver] = await Promise.all([sending.ended, receiving.ended]);

  assert.deepEqual([sender.status, receiver.status], [0, 0], sender.stderr + receiver.stderr);
  assert.match(sender.stderr, /8\.4 MB so far, /);
  assert.doesNotMatch(sender.stderr, /%/);
  const [first] = eventsIn(receiver.stdout).filter(({ type }) => type === "progress");
  assert.equal(first && "total" in first && first.total, null);
});

test("R1: a stream whose sender is killed is under no name, and nobody goes on with it", async (t) => {
  const { into, sending, receiving } = await begun(t);
  assert.ok((await nativeTree(into)).length > 0);

  sending.child.kill("SIGKILL");
  await sending.ended;
  receiving.child.kill("SIGINT");
  const { status, stderr } = await receiving.ended;

  assert.equal(status, 130);
  assert.match(stderr, /8\.4 MB were received; nothing of the stream is kept/);
  assert.deepEqual(await nativeTree(into), []);
});

test("a sender of a stream that is cancelled ends at once, though its producer goes on", async (t) => {
  const { into, sending, receiving } = await begun(t);

  sending.child.kill("SIGINT");
  const [sender, receiver] = await Promise.all([sending.ended, receiving.ended]);

  assert.deepEqual([sender.status, receiver.status], [130, 130]);
  assert.match(sender.stderr, /nothing of the stream is kept/);
  assert.deepEqual(await nativeTree(into), []);
});

const mistakes = [
  { args: ["-"], says: /--as NAME/ },
  { args: ["-", "notes.txt", "--as", "a"], says: /sent alone; for a file of that name say \.\/-/ },
  { args: ["notes.txt", "--as", "a"], says: /--as names standard input; add -/ },
  { args: ["-", "--as", "a", "--text", "b"], says: /a text is sent alone/ },
  { args: ["-", "--as", "a", "--dry-run"], says: /--dry-run cannot tell/ },
  { args: ["-", "--as", "a", "--memory-map"], says: /cannot be mapped/ },
  { args: ["-", "--as", "a", "--keep"], says: /read once, for one receiver/ },
  { args: ["-", "--as", "a", "--exclude", "*.o"], says: /nothing to leave out/ },
  { args: ["-", "--as", "a", "--gitignore"], says: /nothing to leave out/ },
  { args: ["-", "--as", "a", "--profile", "standard"], says: /ultra profile only/ },
  { args: ["-", "--as", "a/b"], says: /no name for a file/ },
];

for (const { args, says } of mistakes) {
  test(`quiver send ${args.join(" ")} is a usage error in one sentence`, async (t) => {
    const { status, stdout, stderr } = await run(t, ["send", "--listen", "127.0.0.1:0", ...args]);

    assert.deepEqual([status, stdout], [2, ""]);
    assert.match(stderr, says);
  });
}
