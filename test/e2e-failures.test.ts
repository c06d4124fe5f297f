/** How the command fails: each time with its status and one sentence that names what is wrong. */

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { suite, type TestContext, test } from "node:test";
import { errorCodes, Peer } from "../src/index.ts";
import { temporaryIdentity } from "../src/peer/identity.ts";
import { decodeTicket, encodeTicket } from "../src/protocol/ticket.ts";
import {
  type Ended,
  eventsIn,
  type RunOptions,
  run,
  start,
  startSend,
  wholeTicket,
} from "./e2e-command.ts";
import { atEnd } from "./ending.ts";
import { finalNames } from "./faults/couple.ts";
import { assertSame } from "./netlab/contents.ts";
import { random, temporaryFolder } from "./peers.ts";

/** A file to send, and an empty folder for it. */
function letter(t: TestContext): { home: string; file: string; inbox: string } {
  const home = temporaryFolder(t);
  const file = join(home, "letter.txt");
  const inbox = join(home, "inbox");
  writeFileSync(file, "dear reader");
  mkdirSync(inbox);
  return { home, file, inbox };
}

/** A person who keeps their identity from one command to the next. */
function someone(t: TestContext): RunOptions {
  return { environment: { QUIVER_HOME: join(temporaryFolder(t), "home") } };
}

/** A file that takes a while. */
function film(t: TestContext): { file: string; inbox: string } {
  const { home, inbox } = letter(t);
  const file = join(home, "film.img");
  execFileSync("truncate", ["-s", "1G", file]);
  return { file, inbox };
}

/** Checks the status, and one sentence on standard error with what it must name. */
function assertFailed({ status, stderr }: Ended, exit: number, names: RegExp): void {
  const said = stderr.split("\n").filter((line) => line.startsWith("quiver: "));
  assert.deepEqual([status, said.length], [exit, 1], stderr);
  assert.match(said[0] ?? "", names);
  assert.doesNotMatch(stderr, /\n\s+at |this is a bug/);
}

/** A disk on which nothing fits, as Linux has one for trying. */
const full = "/dev/full";
const ontoFull: RunOptions = { by: ["sh", "-c", `exec "$@" > ${full}`, "sh"] };
const unlessFull = { skip: !existsSync(full) && `${full} is Linux's` };

test("a full disk behind --stdout ends both sides with DISK_FULL", unlessFull, async (t) => {
  const { file } = letter(t);
  const sending = startSend(t, [file]);

  const receive = ["receive", await sending.ticket, "--yes", "--stdout"];
  const receiver = await run(t, receive, ontoFull);

  const { exit } = errorCodes.DISK_FULL;
  assertFailed(receiver, exit, /no space left; not all of standard output was written/);
  assertFailed(await sending.ended, exit, /the receiver: no space left/);
});

test("a full disk behind --json costs no file, but is no good end", unlessFull, async (t) => {
  const { file, inbox } = letter(t);
  const sending = startSend(t, [file]);

  const receive = ["receive", await sending.ticket, "--yes", "--json", "--into", inbox];
  const receiver = await run(t, receive, ontoFull);

  assertFailed(receiver, errorCodes.DISK_FULL.exit, /not all of standard output was written/);
  assert.equal((await sending.ended).status, 0);
  assertSame(file, join(inbox, "letter.txt"));
});

test("a sender whose ticket a full disk does not take waits for nobody", unlessFull, async (t) => {
  const { file } = letter(t);

  const ended = await startSend(t, [file], ontoFull).ended;

  assertFailed(ended, errorCodes.DISK_FULL.exit, /not all of standard output was written/);
});

test("help that a full disk does not take is no good end", unlessFull, async (t) => {
  const ended = await run(t, ["--help"], ontoFull);

  assertFailed(ended, errorCodes.DISK_FULL.exit, /not all of standard output was written/);
});

// Each has processes, folders and ports of its own, and most of the time is waiting.
suite("quiver ends with", { concurrency: 3 }, () => {
  const usages = [
    { args: [], names: null, why: "no command" },
    { args: ["fly"], names: /fly/, why: "an unknown command" },
    { args: ["send"], names: /file or folder/, why: "no path" },
    { args: ["send", "--fast", "x"], names: /--fast/, why: "an unknown flag" },
    { args: ["send", "--profile", "fast", "x"], names: /fast/, why: "an unknown profile" },
    { args: ["send", "--lanes", "0", "x"], names: /lanes/, why: "no lanes" },
    { args: ["send", "--lanes", "many", "x"], names: /many/, why: "lanes that are no number" },
    { args: ["send", "--listen", "here", "."], names: /here/, why: "an address that is none" },
    { args: ["send", "--quiet", "--verbose", "x"], names: /quiet/, why: "flags that exclude" },
    { args: ["receive", "--yes"], names: /ticket/, why: "no ticket" },
    {
      args: ["receive", "-", "--yes"],
      names: /standard input/,
      why: "no ticket on standard input",
    },
    { args: ["receive", "hello", "--yes"], names: /ticket/, why: "a foreign ticket" },
    { args: ["receive", "quiverabcdefgh", "--yes"], names: /cut short/, why: "a mistyped ticket" },
    { args: ["receive", "quiverabc"], names: /cut short/, why: "a mistyped ticket, nobody to ask" },
    { args: ["receive", wholeTicket], names: /--yes/, why: "nobody to ask" },
    {
      args: ["receive", wholeTicket, "--yes", "--on-conflict", "ask"],
      names: /--on-conflict/,
      why: "nobody to ask about conflicts",
    },
  ];

  for (const { args, names, why } of usages) {
    test(`quiver ${args.join(" ")} ends with 2: ${why}`, async (t) => {
      const ended = await run(t, args);

      if (names) assertFailed(ended, 2, names);
      else assert.equal(ended.status, 2);
    });
  }

  test("a ticket that was cut ends with 2, and the sender goes on waiting", async (t) => {
    const { file, inbox } = letter(t);
    const sending = startSend(t, [file]);
    const ticket = await sending.ticket;

    assertFailed(await run(t, ["receive", ticket.slice(0, -9), "--yes"]), 2, /cut short/);

    const whole = await run(t, ["receive", ticket, "--yes", "--into", inbox]);
    assert.deepEqual([whole.status, (await sending.ended).status], [0, 0]);
  });

  test("a ticket of another secret ends with 6", async (t) => {
    const { file, inbox } = letter(t);
    const sending = startSend(t, [file]);
    const forged = encodeTicket({ ...decodeTicket(await sending.ticket), secret: random(16) });

    const receiver = await run(t, ["receive", forged, "--yes", "--into", inbox]);

    assertFailed(receiver, errorCodes.PEER_REJECTED.exit, /ticket/);
    assert.deepEqual(readdirSync(inbox), []);
  });

  test("a sender that is gone ends with 3", async (t) => {
    const { file, inbox } = letter(t);
    const sending = startSend(t, [file]);
    const ticket = await sending.ticket;
    sending.child.kill("SIGKILL");
    await sending.ended;

    const receiver = await run(t, ["receive", ticket, "--yes", "--into", inbox]);

    assertFailed(receiver, errorCodes.PEER_UNREACHABLE.exit, /answer|reach/);
  });

  test("a receiver that declines ends the sender with 6", async (t) => {
    const { file, inbox } = letter(t);
    const sending = startSend(t, [file, "--json"]);
    const { ticket } = await sending.event("ready");
    const peer = await Peer.open({ identity: temporaryIdentity(), listen: "127.0.0.1:0" });
    atEnd(t, () => peer.close());

    peer.receive(ticket, { into: inbox, accept: () => false });

    const sender = await sending.ended;
    assertFailed(sender, errorCodes.PEER_REJECTED.exit, /declined/);
    const last = eventsIn(sender.stdout).at(-1);
    assert.equal(last?.type === "error" && last.code, "PEER_REJECTED");
  });

  test("a path that is not there ends with 7 and is named", async (t) => {
    const { home, file } = letter(t);
    const missing = join(home, "missing.txt");

    const { status, stdout, stderr } = await run(t, ["send", file, missing, "--json"]);

    assertFailed({ status, stdout, stderr }, errorCodes.DISK_MISSING.exit, /missing\.txt/);
    const last = eventsIn(stdout).at(-1);
    assert.equal(last?.type === "error" && last.code, "DISK_MISSING");
  });

  test("a port in use ends with 2 and is named", async (t) => {
    const { file } = letter(t);
    const peer = await Peer.open({ identity: temporaryIdentity(), listen: "127.0.0.1:0" });
    atEnd(t, () => peer.close());
    const [address = ""] = peer.addresses;

    const ended = await run(t, ["send", "--listen", address, file]);

    assertFailed(ended, errorCodes.ADDRESS_IN_USE.exit, new RegExp(address));
  });

  test("an inbox that cannot be written ends with 7 on both sides", async (t) => {
    const { home, file, inbox } = letter(t);
    const by = process.getuid?.() === 0 ? asNobody : [];
    chmodSync(home, 0o755);
    chmodSync(inbox, 0o555);
    const quiverHome = join(home, "identity");
    mkdirSync(quiverHome);
    chmodSync(quiverHome, 0o777);
    const environment = { QUIVER_HOME: quiverHome };
    const probe = await run(t, ["--version"], { by, environment }).catch(() => null);
    if (probe?.status !== 0) return t.skip("this checkout cannot be run by another user");
    const sending = startSend(t, [file]);

    const receiver = await run(t, ["receive", await sending.ticket, "--yes", "--into", inbox], {
      by,
      environment,
    });

    assertFailed(receiver, errorCodes.DISK_DENIED.exit, /inbox|permission|denied|written/i);
    assert.equal((await sending.ended).status, errorCodes.DISK_DENIED.exit);
  });

  test("an inbox without room ends with 7 on both sides and keeps nothing", async (t) => {
    const { home, inbox } = letter(t);
    const file = join(home, "large.bin");
    writeFileSync(file, random(3_000_000));
    const mount = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", inbox]);
    if (mount.status !== 0) return t.skip("no right to mount a small disk");
    try {
      const sending = startSend(t, [file]);

      const receiver = await run(t, ["receive", await sending.ticket, "--yes", "--into", inbox]);

      assertFailed(receiver, errorCodes.DISK_FULL.exit, /make room/);
      assertFailed(await sending.ended, errorCodes.DISK_FULL.exit, /make room/);
      assert.deepEqual(readdirSync(inbox), []);
    } finally {
      spawnSync("umount", [inbox]);
    }
  });

  test("an identity that is none ends with 7 and is named", async (t) => {
    const { home, file } = letter(t);
    writeFileSync(join(home, "identity.key"), "not a key\n");

    const ended = await run(t, ["send", file], { environment: { QUIVER_HOME: home } });

    assertFailed(ended, errorCodes.DISK_FAILED.exit, /identity\.key/);
  });

  test("Ctrl-C at a waiting sender ends with 130", async (t) => {
    const { file } = letter(t);
    const sending = startSend(t, [file]);
    await sending.ticket;

    sending.child.kill("SIGINT");

    assertFailed(await sending.ended, errorCodes.CANCELLED.exit, /nothing was sent/);
  });

  for (const who of ["sender", "receiver"] as const) {
    test(`Ctrl-C at the ${who} in the middle ends both with 130, and the same commands go on`, async (t) => {
      const { file, inbox } = film(t);
      // However busy the machine is, the middle is not over in a moment.
      const send = () => startSend(t, [file, "--json", "--limit", "250MB/s"], alice);
      const receive = (ticket: string) =>
        start(t, ["receive", ticket, "--yes", "--json", "--into", inbox], bob);
      const [alice, bob] = [someone(t), someone(t)];
      const sending = send();
      const { ticket } = await sending.event("ready");
      const receiving = receive(ticket);
      await receiving.event("progress", ({ bytes }) => bytes > 100_000_000);

      (who === "sender" ? sending : receiving).child.kill("SIGINT");

      const [sender, receiver] = await Promise.all([sending.ended, receiving.ended]);
      assertFailed(sender, errorCodes.CANCELLED.exit, /cancelled/);
      assertFailed(receiver, errorCodes.CANCELLED.exit, /cancelled/);
      assert.deepEqual(finalNames(inbox), []);
      const sendingAgain = send();
      assert.equal((await sendingAgain.event("ready")).ticket, ticket);
      const receivingAgain = receive(ticket);
      const { bytes } = await receivingAgain.event("resumed");
      const ends = await Promise.all([sendingAgain.ended, receivingAgain.ended]);
      assert.ok(bytes > 0);
      assert.deepEqual(
        ends.map(({ status }) => status),
        [0, 0],
        ends[1].stderr,
      );
      assertSame(file, join(inbox, "film.img"));
    });
  }

  test("Ctrl-C twice ends at once", async (t) => {
    const { file, inbox } = film(t);
    const sending = startSend(t, [file]);
    const ticket = await sending.ticket;
    const slowly = ["--limit", "20MB/s", "--into", inbox];
    const receiving = start(t, ["receive", ticket, "--yes", "--json", ...slowly]);
    await receiving.event("progress");

    receiving.child.kill("SIGINT");
    receiving.child.kill("SIGINT");

    assert.equal((await receiving.ended).status, errorCodes.CANCELLED.exit);
    sending.child.kill("SIGKILL");
  });

  test("--json tells a failure before any transfer as an event, too", async (t) => {
    const { status, stdout } = await run(t, ["receive", "hello", "--yes", "--json"]);

    const [event, ...others] = eventsIn(stdout);
    assert.deepEqual([status, others], [2, []]);
    assert.equal(event?.type === "error" && event.code, "INVALID_ARGUMENT");
  });
});

const asNobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
