/** The command between two processes, with its flags, and what both print. */

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { errorCodes } from "../src/index.ts";
import { eventsIn, run, sendAndReceive, start, startSend } from "./e2e-command.ts";
import { assertSameTree, blake3, nativeTree, random, temporaryFolder } from "./peers.ts";

/** A folder of a few files, and where it is to go. */
function album(t: TestContext): { home: string; folder: string; inbox: string } {
  const home = temporaryFolder(t);
  const folder = join(home, "album");
  mkdirSync(join(folder, "empty"), { recursive: true });
  mkdirSync(join(folder, "deep/er"), { recursive: true });
  writeFileSync(join(folder, "large.bin"), random(3_000_000));
  writeFileSync(join(folder, "deep/er/notes.txt"), "notes");
  writeFileSync(join(folder, "naïve 日本.txt"), "");
  writeFileSync(join(folder, "run.sh"), "#!/bin/sh\n");
  chmodSync(join(folder, "run.sh"), 0o755);
  symlinkSync("deep/er/notes.txt", join(folder, "link"));
  for (let n = 0; n < 300; n += 1) writeFileSync(join(folder, "empty", `${n}`), `${n}`);
  return { home, folder, inbox: join(home, "inbox") };
}

test("a folder goes from one process to another, and diff finds nothing", async (t) => {
  const { folder, inbox } = album(t);

  const { sender, receiver, ticket } = await sendAndReceive(t, [folder], { into: inbox });

  assert.deepEqual([sender.status, receiver.status], [0, 0], sender.stderr + receiver.stderr);
  assert.equal(spawnSync("diff", ["-r", folder, join(inbox, "album")]).stdout.toString(), "");
  assertSameTree(await nativeTree(inbox), [
    ...(await nativeTree(join(folder, ".."))).filter(({ path }) => path.startsWith("album")),
  ]);
  assert.equal(sender.stdout, `${ticket}\n`, "the ticket is alone on standard output");
  assert.match(ticket, /^quiver[a-z2-7]+$/);
  assert.match(sender.stderr, /sent and verified 304 files/);
  assert.match(receiver.stderr, /received and verified 304 files/);
});

test("--json prints one event a line on both sides, and the hashes are b3sum's", async (t) => {
  const { folder, inbox } = album(t);

  const { sender, receiver } = await sendAndReceive(t, [join(folder, "large.bin")], {
    into: inbox,
    send: ["--json"],
    receive: ["--json"],
  });

  assert.deepEqual([sender.stderr, receiver.stderr], ["", ""]);
  const types = (stdout: string) => [...new Set(eventsIn(stdout).map(({ type }) => type))];
  const [ready, ...others] = types(sender.stdout);
  assert.equal(ready, "ready");
  for (const type of ["offer", "lanes", "progress", "receipt"]) {
    assert.ok(types(receiver.stdout).includes(type as never) || type === "lanes");
    assert.ok(others.includes(type as never), type);
  }
  const receipts = [sender, receiver].map(({ stdout }) => eventsIn(stdout).at(-1));
  const path = join(inbox, "large.bin");
  for (const receipt of receipts) {
    assert.equal(receipt?.type, "receipt");
    assert.deepEqual(
      [...receipt.files],
      [{ path: "large.bin", size: 3_000_000, blake3: hashOf(path), status: "received" }],
    );
    assert.equal(receipt.bytes, 3_000_000);
  }
  const progress = eventsIn(receiver.stdout).filter((event) => event.type === "progress");
  const last = progress.at(-1);
  assert.deepEqual([last?.bytes, last?.total], [3_000_000, 3_000_000]);
  assert.ok(last && last.throughput >= 0 && last.etaMs === 0 && last.lanes > 0);
});

const profiles = [
  { profile: "standard", lanes: 8 },
  { profile: "ultra", lanes: 0 },
];

for (const { profile, lanes } of profiles) {
  test(`--profile ${profile} opens ${lanes} lanes for a little file, seen in --json and the log`, async (t) => {
    const { folder, inbox } = album(t);

    const { sender } = await sendAndReceive(t, [join(folder, "run.sh")], {
      into: inbox,
      send: ["--json", "--verbose", "--profile", profile],
    });

    assert.equal(sender.status, 0, sender.stderr);
    const event = eventsIn(sender.stdout).find(({ type }) => type === "lanes");
    assert.ok(event?.type === "lanes");
    assert.deepEqual([event.profile, event.lanes], [profile, lanes]);
    const label = profile.toUpperCase();
    assert.match(sender.stderr, new RegExp(`^⚡ Opened ${lanes} streams in parallel$`, "m"));
    assert.match(sender.stderr, new RegExp(`^⚡ Starting ${label} transfer: run\\.sh `, "m"));
    assert.match(sender.stderr, new RegExp(`^⚡ ${label} transfer complete: `, "m"));
  });
}

test("--lanes is the most that a sender opens", async (t) => {
  const { folder, inbox } = album(t);

  const { sender } = await sendAndReceive(t, [join(folder, "large.bin")], {
    into: inbox,
    send: ["--json", "--lanes", "3"],
  });

  const event = eventsIn(sender.stdout).find(({ type }) => type === "lanes");
  assert.equal(event?.type === "lanes" && event.lanes, 3);
});

test("the ticket comes from standard input with -", async (t) => {
  const { folder, inbox } = album(t);
  const sending = startSend(t, [folder]);

  const receiver = await run(t, ["receive", "-", "--yes", "--into", inbox], {
    input: `\n  ${await sending.ticket}\n`,
  });

  assert.equal(receiver.status, 0, receiver.stderr);
  assert.equal((await sending.ended).status, 0);
});

test("the ticket comes from QUIVER_TICKET", async (t) => {
  const { folder, inbox } = album(t);
  const sending = startSend(t, [folder]);

  const receiver = await run(t, ["receive", "--yes", "--into", inbox], {
    environment: { QUIVER_TICKET: await sending.ticket },
  });

  assert.equal(receiver.status, 0, receiver.stderr);
  assert.equal((await sending.ended).status, 0);
});

test("--quiet prints the ticket and nothing else", async (t) => {
  const { folder, inbox } = album(t);

  const { sender, receiver, ticket } = await sendAndReceive(t, [folder], {
    into: inbox,
    send: ["--quiet"],
    receive: ["--quiet"],
  });

  assert.deepEqual(sender, { status: 0, stdout: `${ticket}\n`, stderr: "" });
  assert.deepEqual(receiver, { status: 0, stdout: "", stderr: "" });
});

test("--keep serves one receiver after another until Ctrl-C", async (t) => {
  const { home, folder } = album(t);
  const sending = startSend(t, ["--keep", join(folder, "run.sh")]);
  const ticket = await sending.ticket;

  for (const into of ["first", "second"]) {
    const receiver = await run(t, ["receive", ticket, "--yes", "--into", join(home, into)]);
    assert.equal(receiver.status, 0, receiver.stderr);
    assert.deepEqual(readdirSync(join(home, into)), ["run.sh"]);
  }

  sending.child.kill("SIGINT");
  assert.equal((await sending.ended).status, errorCodes.CANCELLED.exit);
});

const conflicts = [
  { choice: "rename", arrived: ["run (2).sh", "run.sh"] },
  { choice: "skip", arrived: ["run.sh"] },
  { choice: "overwrite", arrived: ["run.sh"] },
];

for (const { choice, arrived } of conflicts) {
  test(`--on-conflict ${choice} decides where a name is taken`, async (t) => {
    const { folder, inbox } = album(t);
    mkdirSync(inbox);
    writeFileSync(join(inbox, "run.sh"), "old");

    const { receiver } = await sendAndReceive(t, [join(folder, "run.sh")], {
      into: inbox,
      receive: ["--on-conflict", choice],
    });

    assert.equal(receiver.status, 0, receiver.stderr);
    assert.deepEqual(readdirSync(inbox).sort(), arrived);
    const size = statSync(join(inbox, "run.sh")).size;
    assert.equal(size, choice === "overwrite" ? 10 : 3);
  });
}

test("demo sends a folder between two processes and leaves nothing", async (t) => {
  const { home, folder } = album(t);
  const scratch = join(home, "scratch");
  mkdirSync(scratch);

  const demo = await run(t, ["demo", folder], { environment: { TMPDIR: scratch } });

  assert.equal(demo.status, 0, demo.stderr);
  assert.match(demo.stdout, /received and verified 304 files/);
  assert.ok(demo.stdout.includes(`${hashOf(join(folder, "deep/er/notes.txt"))}  album/`));
  assert.deepEqual(readdirSync(scratch), []);
});

test("demo of a path that is not there ends like send", async (t) => {
  const demo = await run(t, ["demo", join(temporaryFolder(t), "nothing")]);

  assert.equal(demo.status, errorCodes.DISK_MISSING.exit);
});

test("id prints the identity, which is made once and closed to others", async (t) => {
  const home = join(temporaryFolder(t), "quiver");
  const environment = { QUIVER_HOME: home };

  const first = await run(t, ["id"], { environment });
  const second = await run(t, ["id"], { environment });

  assert.match(first.stdout, /^[0-9a-f]{64}\n$/);
  assert.deepEqual(second, first);
  assert.equal(statSync(join(home, "identity.key")).mode & 0o777, 0o600);
  assert.equal(statSync(home).mode & 0o777, 0o700);
});

test("two first uses at once agree on the identity", async (t) => {
  const environment = { QUIVER_HOME: join(temporaryFolder(t), "quiver") };

  const both = await Promise.all([1, 2].map(() => run(t, ["id"], { environment })));

  assert.equal(both[0]?.stdout, both[1]?.stdout);
});

for (const args of [["--help"], ["--version"], ["send", "--help"], ["receive", "--help"]]) {
  test(`quiver ${args.join(" ")} prints and ends well`, async (t) => {
    const { status, stdout, stderr } = await start(t, args).ended;

    assert.deepEqual([status, stderr], [0, ""]);
    assert.ok(stdout.length > 4);
  });
}

/** By `b3sum` where there is one. */
function hashOf(path: string): string {
  const { stdout } = spawnSync("b3sum", ["--no-names", path], { encoding: "utf8" });
  if (stdout) return stdout.trim();
  return blake3(execFileSync("cat", [path], { maxBuffer: 2 ** 24 }));
}
