/** `quiver share`, `list` and `get` as processes, and what they read of a command line. */

import assert from "node:assert/strict";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { formatDate } from "../src/cli/format.ts";
import { ownName } from "../src/cli/introduction.ts";
import { entryText } from "../src/cli/list.ts";
import { remotePath, remotePaths } from "../src/cli/remote-path.ts";
import { machine, run } from "./e2e-command.ts";
import { random, temporaryFolder } from "./peers.ts";

/** It takes long enough to be interrupted, and no space where it is shared. */
const filmBytes = 600_000_000;

/** Anna shares `photos` with bob, and bob knows where she is. */
async function sharing(t: TestContext) {
  const bytes = random(2_000_000);
  const [anna, bob] = [await machine(t), await machine(t)];
  mkdirSync(anna.at("photos/trip"), { recursive: true });
  writeFileSync(anna.at("photos/trip/a.bin"), bytes);
  writeFileSync(anna.at("photos/b.txt"), "b\n");
  writeFileSync(anna.at("private.txt"), "private");
  symlinkSync("../private.txt", anna.at("photos/out"));
  await anna.run("peers", "add", "bob", bob.peerId);
  const flags = ["--peers", "bob", "--json", "--listen", "127.0.0.1:0"];
  const share = anna.start("share", anna.at("photos"), ...flags);
  const { peerId, addresses } = await share.event("listening");
  await bob.run("peers", "add", "anna", peerId, ...addresses);
  return { anna, bob, share, bytes, peerId, address: addresses[0] ?? "" };
}

test("a folder that is shared is listed, got, and got again without being sent again", async (t) => {
  const { bob, share, bytes } = await sharing(t);

  const shares = await bob.run("list", "anna");
  const listing = await bob.run("list", "anna:photos", "--json");
  const got = await bob.run("get", "anna:photos/", "--yes", "--into", bob.at("in"));
  const flags = ["--yes", "--json", "--on-conflict", "skip", "--into", bob.at("in")];
  const again = await bob.run("get", "anna:photos", ...flags);
  share.child.kill("SIGINT");

  assert.match(shares.stdout, /^ +\d{4}-\d\d-\d\d \d\d:\d\d {2}photos\/\n$/);
  const entries = listing.stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    entries.map(({ kind, name, bytes }) => [kind, name, bytes]),
    [
      ["file", "b.txt", 2],
      ["link", "out", 0],
      ["folder", "trip", 0],
    ],
  );
  assert.equal(got.status, 0, got.stderr);
  assert.match(got.stderr, /received and verified 2 files, 2\.0 MB/);
  assert.match(got.stderr, /photos\/out/, "what was left out is told");
  assert.deepEqual(readFileSync(bob.at("in/photos/trip/a.bin")), bytes);
  assert.deepEqual(readdirSync(bob.at("in/photos")).sort(), ["b.txt", "trip"]);
  assert.equal(again.status, 0, again.stderr);
  const ended = await share.ended;
  assert.equal(ended.status, 130);
  assert.match(ended.stderr, /ended: photos is shared no more/);
});

test("S16: who may not read a share ends with 6, and hears nothing of it", async (t) => {
  const { peerId, address } = await sharing(t);
  const carol = await machine(t);

  const listed = await carol.run("list", `${peerId}@${address}`);
  const got = await carol.run("get", `${peerId}@${address}:photos`, "--yes");

  for (const { status, stdout, stderr } of [listed, got]) {
    assert.deepEqual([status, stdout], [6, ""]);
    assert.match(stderr, /lets in only peers that its person has named/);
    assert.doesNotMatch(stderr, /not there/);
  }
});

test("S17: a path that leads out, or is not there, ends with its code and says so", async (t) => {
  const { bob } = await sharing(t);
  const cases = [
    { path: "photos/../private.txt", status: 5, says: /is no path in a share/ },
    { path: "photos/out", status: 7, says: /is not given: it is a link/ },
    { path: "photos/nothing", status: 7, says: /"photos\/nothing" is not there; quiver list/ },
    { path: "other", status: 7, says: /"other" is not there/ },
  ];

  for (const { path, ...expected } of cases) {
    const { status, stderr } = await bob.run(
      "get",
      `anna:${path}`,
      "--yes",
      "--into",
      bob.at("in"),
    );
    assert.equal(status, expected.status, stderr);
    assert.match(stderr, expected.says);
  }
});

test("R4: a get that was interrupted goes on where it was by the same command", async (t) => {
  const { anna, bob } = await sharing(t);
  writeFileSync(anna.at("photos/film.img"), "");
  truncateSync(anna.at("photos/film.img"), filmBytes);
  const command = ["get", "anna:photos/film.img", "--yes", "--json", "--into", bob.at("in")];
  const first = bob.start(...command);
  await first.event("progress", ({ bytes }) => bytes > filmBytes / 10);
  first.child.kill("SIGINT");
  const interrupted = await first.ended;

  const second = bob.start(...command);

  const { bytes: resumed } = await second.event("resumed");
  const { status, stderr } = await second.ended;
  assert.equal(interrupted.status, 130);
  assert.match(interrupted.stderr, /the same command goes on where it was/);
  assert.equal(status, 0, stderr);
  assert.ok(resumed > 0);
  assert.equal(statSync(bob.at("in/film.img")).size, filmBytes);
});

test("a share tells a person what to type, and who takes what", async (t) => {
  const [anna, bob] = [await machine(t), await machine(t)];
  const folder = anna.at("my photos");
  mkdirSync(folder);
  writeFileSync(join(folder, "a.txt"), "a");
  utimesSync(join(folder, "a.txt"), 0, 0);
  await anna.run("peers", "add", "bob", bob.peerId);
  const share = anna.start("share", folder, "--peers", "bob", "--listen", "127.0.0.1:0");
  let told = "";
  const heard = Promise.withResolvers<string>();
  share.child.stderr?.on("data", (text: string) => {
    told += text;
    if (told.includes("Ctrl-C ends")) heard.resolve(told);
  });
  const [, address = ""] = /peers add \S+ \S+ (\S+)/.exec(await heard.promise) ?? [];

  const from = `${anna.peerId}@${address}:my photos/a.txt`;
  const got = await bob.run("get", from, "--yes", "--into", bob.at("in"));
  share.child.kill("SIGINT");

  assert.equal(got.status, 0, got.stderr);
  const { stdout, stderr } = await share.ended;
  assert.equal(stdout, "");
  assert.match(stderr, new RegExp(`\n  quiver list ${ownName()}\n`));
  assert.match(stderr, new RegExp(`\n  quiver get ${ownName()}:'my photos'\n`));
  assert.match(stderr, /\nbob asks for a\.txt \(1 file, 1 B\)\n/);
  assert.match(stderr, /\n✔ bob: sent and verified 1 file, 1 B/);
});

const mistakes = [
  { args: ["share", "."], says: /nobody may read it: name known peers with --peers anna,bob/ },
  { args: ["share", ".", "--peers", "anna"], says: /nobody is called "anna" here/ },
  { args: ["share", "/", "--peers", "ab".repeat(32)], says: /give the share another with --name/ },
  { args: ["list", "anna"], says: /nobody is called "anna" here/ },
  { args: ["list", ":photos"], says: /"" cannot be a peer's name/ },
  { args: ["get", "anna"], says: /"anna" names no file; write PEER:PATH/ },
  { args: ["get", "anna:"], says: /"anna:" names no file/ },
  { args: ["get", "anna:a", "bob:b"], says: /files of two peers cannot be one transfer/ },
  { args: ["get", "anna:a"], says: /there is no terminal to ask on; add --yes/ },
];

for (const { args, says } of mistakes) {
  test(`quiver ${args.join(" ").slice(0, 40)} ends with 2 and one sentence: ${says.source}`, async (t) => {
    const { status, stdout, stderr } = await run(t, args);

    assert.deepEqual([status, stdout], [2, ""]);
    assert.match(stderr.trimEnd().split("\n").at(-1) ?? "", says);
  });
}

test("a share of what is no folder ends with 7", async (t) => {
  const missing = join(temporaryFolder(t), "nothing");

  const { status } = await run(t, ["share", missing, "--peers", "ab".repeat(32)]);

  assert.equal(status, 7);
});

const id = "ab".repeat(32);
const remotes = [
  { text: "anna", peer: "anna", path: "" },
  { text: "anna:", peer: "anna", path: "" },
  { text: "anna:photos/2026/", peer: "anna", path: "photos/2026" },
  { text: "anna:a:b", peer: "anna", path: "a:b" },
  { text: "anna:line\nbreak", peer: "anna", path: "line\nbreak" },
  { text: `${id}:photos`, peer: id, path: "photos" },
  { text: `${id}@192.0.2.1:4433`, peer: `${id}@192.0.2.1:4433`, path: "" },
  { text: `${id}@192.0.2.1:4433:a`, peer: `${id}@192.0.2.1:4433`, path: "a" },
  { text: `${id}@[2001:db8::1]:5:a:b`, peer: `${id}@[2001:db8::1]:5`, path: "a:b" },
];

for (const { text, ...is } of remotes) {
  test(`${JSON.stringify(text).slice(0, 90)} is read as a peer and a path`, () => {
    assert.deepEqual(remotePath(text), is);
  });
}

test("several paths of one peer are one get", () => {
  assert.deepEqual(remotePaths(["anna:a", "anna:b/"]), { peer: "anna", paths: ["a", "b"] });
});

test("S7: names of a peer are shown harmlessly, with their kinds", () => {
  const mtimeMs = new Date(2026, 10, 2, 3, 4).getTime();
  const entry = { name: "a\x1b[2J\u202eb", bytes: 1_234_567, mtimeMs };

  assert.equal(formatDate(mtimeMs), "2026-11-02 03:04");
  const shown = (kind: "file" | "folder" | "link") => entryText({ ...entry, kind });
  assert.equal(shown("file"), " 1.2 MB  2026-11-02 03:04  a\\x1b[2J\\u202eb");
  assert.equal(shown("folder"), "         2026-11-02 03:04  a\\x1b[2J\\u202eb/");
  assert.equal(shown("link"), "         2026-11-02 03:04  a\\x1b[2J\\u202eb@");
});
