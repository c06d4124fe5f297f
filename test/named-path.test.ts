/** What a path that somebody named stands for. */

import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { absolutePath } from "../src/named-path.ts";
import { codeOf, peers, ticketOf } from "./peers.ts";

test("a path counts from the current folder", () => {
  assert.equal(absolutePath("."), process.cwd());
  assert.equal(absolutePath(join("a", "..", "b")), join(process.cwd(), "b"));
  assert.equal(absolutePath(resolve("/a")), resolve("/a"));
});

test("an empty path is not the current folder: to send, to share, to receive into", async (t) => {
  const { alice, bob } = await peers(t);
  await alice.write("a.txt", "content");
  const sending = alice.peer.send(alice.at("a.txt"));
  const code = "INVALID_ARGUMENT";

  const asked: string[] = [];
  const receiving = bob.peer.receive(await ticketOf(sending), {
    into: "",
    accept: ({ transferId }) => asked.push(transferId) > 0,
  });
  assert.equal(await codeOf(receiving), code);
  assert.deepEqual(asked, []);
  assert.equal(await codeOf(alice.peer.send("")), code);
  await assert.rejects(alice.peer.share("", { name: "all", peers: [bob.peer.peerId] }), { code });

  sending.cancel();
  await codeOf(sending);
});
