/** What travels and what does not, chosen on the command line. */

import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { run, sendAndReceive, startSend } from "./e2e-command.ts";
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
    sending.child.kill("SIGINT");
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
