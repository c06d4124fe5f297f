/** What travels and what does not, chosen on the command line. */

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { eventsIn, run, sendAndReceive, startSend } from "./e2e-command.ts";
import { nativeTree, temporaryFolder } from "./peers.ts";

/** A folder with things worth sending and others, and where it is to go. */
function project(t: TestContext): { folder: string; inbox: string; home: string } {
  const home = temporaryFolder(t);
  const folder = join(home, "project");
  mkdirSync(join(folder, "build"), { recursive: true });
  writeFileSync(join(folder, ".gitignore"), "/build/\n");
  writeFileSync(join(folder, "build/out.bin"), "out");
  writeFileSync(join(folder, "main.ts"), "main");
  writeFileSync(join(folder, "main.tmp"), "temporary");
  return { folder, inbox: join(home, "inbox"), home };
}

async function names(folder: string): Promise<string[]> {
  return (await nativeTree(folder)).map(({ path }) => path);
}

test("--exclude and --gitignore leave things here, and the sender says how many", async (t) => {
  const { folder, inbox } = project(t);

  const { sender, receiver } = await sendAndReceive(t, [folder], {
    into: inbox,
    send: ["--exclude", "*.tmp", "--gitignore"],
  });

  assert.deepEqual([sender.status, receiver.status], [0, 0], sender.stderr + receiver.stderr);
  assert.deepEqual(await names(inbox), ["project", "project/.gitignore", "project/main.ts"]);
  assert.match(sender.stderr, /left out by pattern: 2 things/);
});

test("a sender that starts again with another choice makes another ticket", async (t) => {
  const { folder, home } = project(t);
  const environment = { QUIVER_HOME: join(home, "own") };
  const ticketOf = async (args: string[]) => {
    const sending = startSend(t, [...args, folder], { environment });
    const ticket = await sending.ticket;
    // Whatever ends a sender: a ticket that was shown is kept.
    sending.child.kill("SIGKILL");
    await sending.ended;
    return ticket;
  };

  const first = await ticketOf(["--exclude", "*.tmp"]);
  const other = await ticketOf(["--exclude", "*.bin"]);
  const again = await ticketOf(["--exclude", "*.tmp"]);

  assert.notEqual(other, first);
  assert.equal(again, first);
});

test("a pattern that fits nothing is a usage error in one sentence", async (t) => {
  const { folder } = project(t);

  const { status, stderr } = await run(t, ["send", "--exclude", "./build", folder]);

  assert.equal(status, 2);
  assert.match(stderr, /^quiver: the pattern ".\/build" fits no path; .*\n$/);
});

test("S19: receive --dry-run reports, exits with 0, and the sender goes on waiting", async (t) => {
  const { folder, inbox } = project(t);
  mkdirSync(join(inbox, "project"), { recursive: true });
  const sending = startSend(t, [folder]);
  const ticket = await sending.ticket;

  const look = await run(t, ["receive", ticket, "--into", inbox, "--dry-run"]);
  const json = await run(t, ["receive", ticket, "--into", inbox, "--dry-run", "--json"]);

  assert.deepEqual([look.status, json.status], [0, 0], look.stderr + json.stderr);
  assert.match(look.stdout, /offers 4 files, 2 folders, .* free in /s);
  assert.match(look.stdout, /taken names:\n {4}project .*: lands as project \(2\)/);
  const [event, ...more] = json.stdout.trimEnd().split("\n");
  assert.deepEqual([JSON.parse(event ?? "").type, more], ["preflight", []]);
  assert.deepEqual(await names(inbox), ["project"]);
  const received = await run(t, ["receive", ticket, "--into", inbox, "--yes"]);
  assert.deepEqual([received.status, (await sending.ended).status], [0, 0]);
});

test("send --dry-run tells what would be sent, and prints no ticket", async (t) => {
  const { folder } = project(t);

  const { status, stdout, stderr } = await run(t, ["send", "--dry-run", "--gitignore", folder]);

  assert.deepEqual([status, stderr], [0, ""]);
  assert.match(stdout, /^would send 3 files, 1 folder, .*:\n.*project\/ \(3 files\)\n/);
  assert.match(stdout, /left out by pattern: 1 thing\n$/);
  const json = await run(t, ["send", "--dry-run", "--json", "--exclude", "*", folder]);
  assert.equal(JSON.parse(json.stdout).excluded, 4);
});

test("receive --only and --exclude bring what is chosen, and both sides say so", async (t) => {
  const { folder, inbox } = project(t);

  const { sender, receiver } = await sendAndReceive(t, [folder], {
    into: inbox,
    receive: ["--only", "build", "--only", "*.ts", "--exclude", "*.bin"],
  });

  assert.deepEqual([sender.status, receiver.status], [0, 0], sender.stderr + receiver.stderr);
  assert.deepEqual(await names(inbox), ["project", "project/main.ts"]);
  assert.match(receiver.stderr, /chosen of it: 1 file, 4 B\n/);
  assert.match(receiver.stderr, /received and verified 1 file, 4 B/);
  for (const { stderr } of [sender, receiver]) {
    assert.match(stderr, /not chosen by the receiver: 3 files\n/);
  }
});

test("a choice of nothing ends with one sentence, and the disk is as it was", async (t) => {
  const { folder, inbox } = project(t);

  const { sender, receiver } = await sendAndReceive(t, [folder], {
    into: inbox,
    receive: ["--only", "*.mp3"],
  });

  assert.deepEqual([sender.status, receiver.status], [6, 6]);
  assert.match(receiver.stderr, /quiver: the receiver chose nothing of the offer; --dry-run/);
  assert.deepEqual(await names(inbox), []);
});

test("a text is printed as it is, alone on standard output, and nothing is saved", async (t) => {
  const home = temporaryFolder(t);
  const sending = startSend(t, ["--text", "-"], { input: "two\nlines \u001b[2J" });
  const ticket = await sending.ticket;

  const received = await run(t, ["receive", ticket, "--into", join(home, "inbox"), "--yes"]);

  assert.deepEqual([received.status, (await sending.ended).status], [0, 0], received.stderr);
  assert.equal(received.stdout, "two\nlines \u001b[2J");
  assert.match((await sending.ended).stderr, /sent a text of 14 characters/);
  assert.deepEqual(await names(home), []);
});

test("with --json a text is in the offer, and standard output has nothing but events", async (t) => {
  const sending = startSend(t, ["--text", "hello"]);

  const { stdout } = await run(t, ["receive", await sending.ticket, "--yes", "--json"]);

  const offer = eventsIn(stdout).find(({ type }) => type === "offer");
  assert.equal(offer?.type === "offer" && offer.text, "hello");
});

for (const args of [[], ["--text", "hello", "notes.txt"], ["--text", ""]]) {
  test(`send ${JSON.stringify(args)} is a usage error`, async (t) => {
    const { status, stderr } = await run(t, ["send", ...args]);

    assert.equal(status, 2);
    assert.match(stderr, /^quiver: [^\n]*\n$/);
  });
}

test("receive --stdout writes one file, and nothing else, to standard output", async (t) => {
  const { folder, home } = project(t);
  const content = Buffer.from(Array.from({ length: 300_000 }, (_, at) => 32 + (at % 90)));
  writeFileSync(join(folder, "large.txt"), content);
  mkdirSync(join(home, "tmp"));
  const environment = { TMPDIR: join(home, "tmp") };
  const sending = startSend(t, [folder]);
  const args = ["receive", await sending.ticket, "--yes", "--stdout", "--only", "large.txt"];

  const received = await run(t, args, { environment });

  assert.deepEqual([received.status, (await sending.ended).status], [0, 0], received.stderr);
  assert.equal(received.stdout === content.toString(), true);
  assert.match(received.stderr, /received and verified 1 file, 300 kB/);
  assert.deepEqual(await names(join(home, "tmp")), []);
});

test("receive --stdout of several files ends with one sentence and no output", async (t) => {
  const { folder } = project(t);
  const sending = startSend(t, [folder]);

  const received = await run(t, ["receive", await sending.ticket, "--yes", "--stdout"]);

  assert.deepEqual([received.status, received.stdout], [6, ""]);
  assert.match(received.stderr, /one file can be written out, and 4 are chosen; .*--only/);
});

for (const flag of ["--json", "--dry-run", "--into=inbox", "--on-conflict=skip"]) {
  test(`receive --stdout with ${flag} is a usage error`, async (t) => {
    const { status, stderr } = await run(t, ["receive", "quiverabc", "--yes", "--stdout", flag]);

    assert.equal(status, 2);
    assert.match(stderr, /cannot be used with/);
  });
}
