/** A reader of a share that asks for anything, in any order: it hears of nothing beside the share. */

import assert from "node:assert/strict";
import { createMemoryNetwork } from "../../src/engine/memory.ts";
import { memorySide } from "../peers.ts";
import { hello, type Message, RawPeer } from "../raw-peer.ts";
import { during, perform, say } from "./session-targets.ts";
import type { Target } from "./target.ts";

const id = new Uint8Array(16).fill(3);

const list = (path: string, after = "") => say({ type: "list", request: id, path, after });
const get = (...paths: string[]) => say({ type: "get", request: id, paths });

const hostileReader: Target = {
  name: "hostile-reader",
  seeds: [
    Buffer.concat([list(""), list("photos"), list("photos", "a.jpg"), list("photos/trip")]),
    Buffer.concat([get("photos"), get("photos/a.jpg", "photos/trip/b.jpg")]),
    Buffer.concat([list("photos/../private"), get("photos/out/x"), get("private"), list("..")]),
    Buffer.concat([
      get("photos"),
      say({ type: "granted", request: id, transfer: id }),
      say({ type: "denied", request: id, code: 6, reason: "" }),
      say({ type: "listing", request: id, entries: [[0, "a", 1, 0]], more: 1 }),
    ]),
  ],
  run: (input) =>
    during(async (t) => {
      const network = createMemoryNetwork();
      const alice = await memorySide(t, network);
      await alice.write("photos/a.jpg", "a");
      await alice.write("photos/trip/b.jpg", "b");
      await alice.link("photos/out", "../private");
      await alice.write("private/canary", "canary");
      const before = await alice.tree("");
      const raw = await RawPeer.dial(t, network, alice);
      await alice.peer.share(alice.at("photos"), { peers: [raw.peerId] });
      await raw.say(hello);
      const heard: Message[] = [];
      const hearing = hearAll(raw, heard);

      await perform(raw, input);

      raw.connection.close(0, "");
      await hearing;
      assert.ok(!heard.some(tellsOfCanary));
      assert.deepEqual(await alice.tree(""), before);
      return heard.map(({ type, code }) => `${type} ${code}`).join();
    }),
};

async function hearAll(raw: RawPeer, heard: Message[]): Promise<void> {
  const types = ["hello", "listing", "granted", "denied", "error", "offer", "entries", "offered"];
  try {
    for (;;) heard.push(await raw.hear(...types));
  } catch {
    // The connection has ended.
  }
}

function tellsOfCanary(message: Message): boolean {
  const texts = Object.values(message).map((value) =>
    value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : JSON.stringify(value),
  );
  return texts.some((text) => text?.includes("canary"));
}

/** The sharer's side of requests. */
export const requestTargets: readonly Target[] = [hostileReader];
