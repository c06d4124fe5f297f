/** Standard input over a cable that is cut in the middle. */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { atEnd } from "../ending.ts";
import { assertSame, randomFile } from "./contents.ts";
import { hosts, Quiver, testFolder } from "./hosts.ts";

const MiB = 2 ** 20;

test("R6: a stream whose cable is cut goes on, and is sent once", async (t) => {
  const lab = hosts(t, "wan", "rate=200", "delay=10");
  const folder = testFolder(t);
  const film = randomFile(join(folder, "film"), 96 * MiB);
  const into = join(folder, "into");
  const listen = ["--listen", `${lab.address("a")}:0`, "--json"];
  const pipe = ["sh", "-c", 'exec "$@" < "$0"', join(folder, "film")];
  const send = new Quiver(
    lab,
    "a",
    join(folder, "a"),
    ["send", "-", "--as", "film", ...listen],
    pipe,
  );
  atEnd(t, () => send.kill());
  const { ticket } = await send.event("ready");
  const what = ["receive", ticket, "--into", into, "--yes", "--json"];
  const receive = new Quiver(lab, "b", join(folder, "b"), what);
  atEnd(t, () => receive.kill());
  await receive.event("progress", ({ bytes }) => bytes > 16 * MiB);

  lab.cut();
  await receive.event("waiting");
  assert.equal(existsSync(join(into, "film")), false);
  lab.mend();

  assert.deepEqual(await Promise.all([send.exit, receive.exit]), [0, 0], receive.said);
  const { bytes } = await receive.event("resumed");
  assert.ok(bytes > 0);
  assertSame(film, join(into, "film"));
});
