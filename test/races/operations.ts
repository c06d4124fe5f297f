/** Everything that is done below a folder, at places that somebody swaps for links meanwhile. */

import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import type { Connection, Folder, FolderEntry } from "../../src/engine/engine.ts";
import { blake3 } from "../peers.ts";
import { inside } from "./flipper.ts";

/** What operations need besides the folder that they are done in. */
export interface Ground {
  /** The path of `folder`, for whoever does not work by handles. */
  path: string;
  /** `flip` and `tree/inner` are folders that come and go, `leaf` is a file. */
  folder: Folder;
  /** A folder where nobody swaps anything. It has a file `bytes`. */
  quiet: Folder;
  /** A connection from this machine to itself. */
  near: Connection;
  far: Connection;
}

/** One thing that is done; `n` is another number each time. */
export type Operation = (ground: Ground, n: number) => Promise<void>;

/** What a sender does with its source: whatever it reads must come from inside. */
export const reading: { readonly [name: string]: Operation } = {
  "read a file below": ({ folder }) => readFile(folder, "flip/secret"),
  "read a file deep below": ({ folder }) => readFile(folder, "flip/deep/secret"),
  "read a file that is swapped": ({ folder }) => readFile(folder, "leaf"),
  async "map a file below"({ folder }) {
    await readFile(folder, "flip/secret", true);
  },
  async "list a folder"({ folder }) {
    assertInside(await folder.list("flip"));
  },
  async "open a folder"({ folder }) {
    const opened = await folder.openFolder("flip");
    assertInside(await opened.list(""));
    await readFile(opened, "secret");
    await opened.close();
  },
  async "stat a file below"({ folder }) {
    const stat = await folder.stat("flip/secret");
    assert.ok(stat === null || stat.bytes === inside.length);
  },
  async "send a bundle"(ground) {
    const { send, receive } = await stream(ground);
    const { mtimeMs } = (await ground.folder.stat("flip/secret")) ?? { mtimeMs: 0 };
    const file = { path: "flip/secret", bytes: inside.length, mtimeMs };
    const [sent] = await send.sendBundle(new Uint8Array(), ground.folder, [file]);
    receive.stop(0);
    if (sent?.failure) throw sent.failure;
    assert.ok(sent?.status !== "ok" || Buffer.from(sent.hash).toString("hex") === insideHash);
  },
};

/** What a receiver does where files land: nothing outside may change. */
export const writing: { readonly [name: string]: Operation } = {
  async "create a file"({ folder }, n) {
    await (await folder.createPartial(`flip/new-${n}`, 100, 0o600)).close();
    await folder.remove(`flip/new-${n}`);
  },
  async "create a folder"({ folder }, n) {
    await folder.createFolder(`flip/folder-${n}`);
    await folder.remove(`flip/folder-${n}`);
  },
  async "create a link"({ folder }, n) {
    await folder.createLink(`flip/link-${n}`, "anything");
    await folder.remove(`flip/link-${n}`);
  },
  "go on with a file below": (ground, n) => resume(ground, "flip/draft", n),
  "go on with a file that is swapped": (ground, n) => resume(ground, "leaf", n),
  async "write a log"({ folder }) {
    const log = await folder.openLog("flip/log");
    await log.append(Buffer.from("words"));
    await log.truncate(0);
    await log.close();
  },
  async "write a log that is swapped"({ folder }) {
    const log = await folder.openLog("leaf");
    await log.append(Buffer.from("words"));
    await log.close();
  },
  async "rename within"({ folder }) {
    await folder.rename("flip/draft", folder, "flip/moved", { replace: true });
    await folder.rename("flip/moved", folder, "flip/draft", { replace: true });
  },
  async "rename into"({ folder, quiet }, n) {
    await (await quiet.createPartial(`landing-${n}`, 1, 0o600)).close();
    try {
      await quiet.rename(`landing-${n}`, folder, "flip/draft", { replace: n % 2 === 0 });
    } finally {
      await quiet.remove(`landing-${n}`);
    }
  },
  "remove a folder below": ({ folder }) => folder.remove("flip/deep"),
  async "set a mode and time below"({ folder }, n) {
    await folder.setMetadata("flip/secret", { mode: 0o600 + (n % 64), mtimeMs: n });
  },
  async "set a mode and time of what is swapped"({ folder }, n) {
    await folder.setMetadata(n % 2 === 0 ? "leaf" : "flip", { mode: 0o777, mtimeMs: n });
  },
  async "restrict what is below"({ folder }, n) {
    await folder.restrict("flip/secret", { mode: 0o700, mtimeMs: n });
  },
  async "restrict what is swapped"({ folder }, n) {
    await folder.restrict(n % 2 === 0 ? "leaf" : "flip", { mode: 0o700, mtimeMs: n });
  },
  async "receive a bundle"(ground, n) {
    const { send, receive } = await stream(ground);
    const bytes = { path: "bytes", bytes: inside.length, mtimeMs: bytesTimeMs };
    await send.sendBundle(new Uint8Array(), ground.quiet, [bytes]);
    const target = { path: `flip/bundled-${n}`, bytes: inside.length, mode: 0o600, mtimeMs: n };
    const [received] = await receive.receiveBundle(ground.folder, [target]);
    receive.stop(0);
    if (received?.failure) throw received.failure;
    await ground.folder.remove(target.path);
  },
};

/** What takes away the very thing that is swapped; then it is built again, and swapped a while. */
export const removing: { readonly [name: string]: Operation } = {
  async "rename what is swapped"({ folder, quiet }, n) {
    await setTimeout(pauseMs);
    await folder.rename("leaf", quiet, `taken-${n}`, { replace: false });
    await quiet.remove(`taken-${n}`);
  },
  async "replace what is swapped"({ folder, quiet }, n) {
    await setTimeout(pauseMs);
    await (await quiet.createPartial(`over-${n}`, 1, 0o600)).close();
    await quiet.rename(`over-${n}`, folder, "leaf", { replace: true });
  },
  async "remove a tree with a swapped folder in it"({ folder }) {
    await setTimeout(pauseMs);
    await folder.remove("tree");
  },
  async "remove what is swapped"({ folder }, n) {
    await setTimeout(pauseMs);
    await folder.remove(n % 2 === 0 ? "leaf" : "flip");
  },
};

const pauseMs = 2;

/** The time of the quiet file: a bundle is only sent of a file that did not change. */
export const bytesTimeMs = 1_600_000_000_000;

async function readFile(folder: Folder, path: string, memoryMap = false): Promise<void> {
  const source = await folder.openSource(path, { memoryMap });
  try {
    const { bytes } = source.opened;
    const run = { offset: 0, length: bytes, pieceBytes: 1024, fileBytes: bytes };
    const hash = Buffer.from(await source.hashRun(run)).toString("hex");
    // What is being built anew may still be empty.
    assert.ok(hash === insideHash || bytes === 0, `${path} was read outside`);
  } finally {
    await source.close();
  }
}

/** Opens a file that is there, writes into it and gives it another size. */
async function resume({ folder, quiet }: Ground, path: string, n: number): Promise<void> {
  const source = await quiet.openSource("bytes", { memoryMap: false });
  try {
    const partial = await folder.openPartial(path, 5 + (n % 7));
    await partial.copyFrom(source, { offset: 0, length: 5 });
    await partial.close();
  } finally {
    await source.close();
  }
}

/** A new stream; its first byte only shows it to the other side. */
async function stream({ near, far }: Ground) {
  const send = await near.openUnidirectional();
  await send.write(Buffer.of(0));
  const receive = await far.acceptUnidirectional();
  await receive.read(1);
  return { send, receive };
}

function assertInside(entries: readonly FolderEntry[]): void {
  assert.ok(!entries.some(({ name }) => name === "only-outside"), "a folder outside was listed");
}

const insideHash = blake3(Buffer.from(inside));
