/** Peers that know each other by name: cables are cut and hosts move in the middle, and nobody helps. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { AddressBook, loadIdentity } from "../../src/index.ts";
import { atEnd } from "../ending.ts";
import { assertSame, randomFile } from "./contents.ts";
import { hosts, longestStallMs, Quiver, testFolder } from "./hosts.ts";

const MiB = 2 ** 20;
const line = ["wan", "rate=200", "delay=10"];

/** Two hosts with homes in which each has a name for the other, and a folder with a file on `a`. */
async function acquaintances(t: TestContext, ...wire: string[]) {
  const lab = hosts(t, ...wire);
  const folder = testFolder(t);
  const [a, b] = [join(folder, "home-a"), join(folder, "home-b")];
  const photos = join(folder, "photos");
  mkdirSync(photos);
  const film = randomFile(join(photos, "film"), 96 * MiB);
  const name = async (home: string, peer: string, addresses: string[] = []) => {
    const { peerId } = await loadIdentity(peer);
    const book = new AddressBook(home);
    book.add({ name: "other", peerId, addresses });
    book.close();
  };
  return { lab, a, b, photos, film, name, into: join(folder, "into") };
}

test("a known peer that is dialled again has its answer a round trip earlier", async (t) => {
  const lab = hosts(t, "wan", "rate=100", "delay=75");
  const folder = testFolder(t);
  const [a, b] = [join(folder, "home-a"), join(folder, "home-b")];
  const { peerId } = await loadIdentity(b);
  const book = new AddressBook(a);
  book.add({ name: "other", peerId, addresses: [] });
  book.close();
  const listen = ["--listen", `${lab.address("a")}:0`, "--json"];
  const share = new Quiver(lab, "a", a, ["share", folder, "--peers", "other", ...listen]);
  atEnd(t, () => share.kill());
  const listening = await share.event("listening");

  const helper = join(import.meta.dirname, "../helpers/dial-thrice.ts");
  const words = [process.execPath, helper, b, listening.peerId, ...listening.addresses];
  const [program = "", ...args] = [...lab.on("b"), ...words];
  const { stdout } = await promisify(execFile)(program, args);

  const dials: { wasEarly: boolean }[] = JSON.parse(stdout);
  t.diagnostic(stdout.trim());
  assert.deepEqual(
    dials.map(({ wasEarly }) => wasEarly),
    [false, false, true],
  );
});

test("R6: a get whose cable is cut asks again by itself, and goes on", async (t) => {
  const { lab, a, b, photos, film, name, into } = await acquaintances(t, ...line);
  await name(a, b);
  const listen = ["--listen", `${lab.address("a")}:0`, "--json"];
  const share = new Quiver(lab, "a", a, ["share", photos, "--peers", "other", ...listen]);
  atEnd(t, () => share.kill());
  const { addresses } = await share.event("listening");
  await name(b, a, addresses);
  const what = ["get", "other:photos/film", "--into", into, "--yes", "--json"];
  const get = new Quiver(lab, "b", b, what);
  atEnd(t, () => get.kill());
  await get.event("progress", ({ bytes }) => bytes > 16 * MiB);

  lab.cut();
  await get.event("waiting");
  lab.mend();

  assert.equal(await get.exit, 0, get.said);
  const { bytes } = await get.event("resumed");
  assert.ok(bytes > 0);
  assertSame(film, join(into, "film"));
});

test("R6: a send to a known peer whose cable is cut goes on, and the peer has waited", async (t) => {
  const { lab, a, b, film, name, into } = await acquaintances(t, ...line);
  await name(b, a);
  const listen = ["--listen", `${lab.address("b")}:0`, "--into", into, "--yes", "--json"];
  const receive = new Quiver(lab, "b", b, ["receive", "--from", "other", ...listen]);
  atEnd(t, () => receive.kill());
  const { addresses } = await receive.event("listening");
  await name(a, b, addresses);
  const send = new Quiver(lab, "a", a, ["send", film, "--to", "other", "--json"]);
  atEnd(t, () => send.kill());
  await receive.event("progress", ({ bytes }) => bytes > 16 * MiB);

  lab.cut();
  await Promise.all([send.event("waiting"), receive.event("waiting")]);
  lab.mend();

  assert.deepEqual(await Promise.all([send.exit, receive.exit]), [0, 0], receive.said);
  await receive.event("resumed");
  assertSame(film, join(into, "film"));
});

for (const { host, who } of [
  { host: "a", who: "sender" },
  { host: "b", who: "receiver" },
] as const) {
  test(`R18: a send to a known peer goes on when the ${who} gets another address`, async (t) => {
    const { lab, a, b, film, name, into } = await acquaintances(t, "gigabit");
    lab.removeRoutes();
    await name(b, a);
    const what = ["receive", "--from", "other", "--into", into, "--yes"];
    const receive = new Quiver(lab, "b", b, [...what, "--listen", "0.0.0.0:0", "--json"]);
    atEnd(t, () => receive.kill());
    const { addresses } = await receive.event("listening");
    await name(a, b, addresses);
    const send = new Quiver(lab, "a", a, ["send", film, "--to", "other", "--json"]);
    atEnd(t, () => send.kill());
    await receive.event("progress", ({ bytes }) => bytes > 16 * MiB);

    lab.move(host);

    assert.deepEqual(await Promise.all([send.exit, receive.exit]), [0, 0], receive.said);
    assertSame(film, join(into, "film"));
    // Of itself the engine takes between 6 s and a minute.
    const stallMs = longestStallMs(receive);
    t.diagnostic(`the longest stall took ${(stallMs / 1000).toFixed(1)} s`);
    assert.ok(stallMs < 5500, `a stall of ${stallMs} ms`);
  });
}
