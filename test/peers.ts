/**
 * Two peers that can reach each other, on the memory engine or on the native one.
 *
 * Both kinds have the same {@link Side}, so that one test can run on both.
 */

import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { createMemoryNetwork, type MemoryNetwork } from "../src/engine/memory.ts";
import type { DiskOperation, MemoryDisk } from "../src/engine/memory-disk.ts";
import { pieceValue } from "../src/engine/memory-hash.ts";
import { Peer, type PeerOptions, type Transfer, type TransferEvent } from "../src/index.ts";
import { temporaryIdentity } from "../src/peer/identity.ts";
import { atEnd } from "./ending.ts";

/** The engines that a behaviour is tried on. */
export const engines = ["memory", "native"] as const;

/** What a test says of its peers. */
export interface PeersOptions {
  alice?: PeerOptions;
  bob?: PeerOptions;
}

/** One peer with its disk. Paths are relative to its home; parts are joined by `/`. */
export interface Side {
  readonly peer: Peer;
  /** The absolute path of something below the home. */
  at(path: string): string;
  /** Creates a file, with the folders above it. */
  write(path: string, bytes: Uint8Array | string, set?: Metadata): Promise<void>;
  folder(path: string): Promise<void>;
  link(path: string, target: string): Promise<void>;
  move(from: string, to: string): Promise<void>;
  /** Sets what `write` and `folder` left as it was. */
  touch(path: string, set: Metadata): Promise<void>;
  read(path: string): Promise<Buffer>;
  /** All that is below a folder, sorted by path; empty if it is not there. */
  tree(path: string): Promise<TreeEntry[]>;
}

/** Permission bits and time of a file or folder. */
export interface Metadata {
  mode?: number;
  mtimeMs?: number;
}

/** One thing in a folder, in a form that can be compared and read. */
export interface TreeEntry {
  path: string;
  kind: string;
  mode: number;
  mtimeMs: number;
  target: string;
  /** BLAKE3 of a file. */
  hash: string;
}

/** A side on the memory engine. */
export interface MemorySide extends Side {
  readonly disk: MemoryDisk;
}

/** Two peers on one memory network: `alice` sends, `bob` receives into `inbox`. */
export async function peers(
  t: TestContext,
  options: PeersOptions = {},
): Promise<{ alice: MemorySide; bob: MemorySide; network: MemoryNetwork }> {
  const network = createMemoryNetwork();
  const alice = await memorySide(t, network, options.alice);
  const bob = await memorySide(t, network, options.bob);
  return { alice, bob, network };
}

/** One more peer on a memory network. */
export async function memorySide(
  t: TestContext,
  network: MemoryNetwork,
  options: PeerOptions = {},
): Promise<MemorySide> {
  const engine = network.engine();
  const { disk } = engine;
  const at = (path: string) => `/home/${path}`;
  disk.folder("/home/inbox");
  const peer = await openPeer(t, { engine, inbox: at("inbox"), ...options });
  const write = async (path: string, bytes: Uint8Array | string, set: Metadata = {}) =>
    disk.write(at(path), Buffer.from(bytes), set);
  return {
    peer,
    disk,
    at,
    write,
    async folder(path) {
      disk.folder(at(path));
    },
    async link(path, target) {
      disk.link(at(path), target);
    },
    async move(from, to) {
      const folder = await engine.openFolder("/home");
      await folder.rename(from, folder, to, { replace: false });
    },
    async touch(path, set) {
      const folder = await engine.openFolder("/home");
      const there = disk.stat(at(path));
      assert.ok(there);
      await folder.setMetadata(path, { ...there, ...set });
    },
    async read(path) {
      return Buffer.from(disk.read(at(path)));
    },
    async tree(path) {
      if (!disk.stat(at(path))) return [];
      const entries = disk.tree(at(path)).map(({ bytes, ...entry }) => {
        return { ...entry, hash: entry.kind === "file" ? blake3(bytes) : "" };
      });
      return entries.sort(byPath);
    },
  };
}

/** Two peers on the native engine, each with a temporary folder of its own. */
export async function nativePeers(
  t: TestContext,
  options: PeersOptions = {},
): Promise<{ alice: Side; bob: Side }> {
  return { alice: await nativeSide(t, options.alice), bob: await nativeSide(t, options.bob) };
}

/** {@link peers} or {@link nativePeers}. */
export async function peersOn(
  engine: (typeof engines)[number],
  t: TestContext,
  options: PeersOptions = {},
): Promise<{ alice: Side; bob: Side }> {
  return engine === "memory" ? peers(t, options) : nativePeers(t, options);
}

async function nativeSide(t: TestContext, options: PeerOptions = {}): Promise<Side> {
  const home = temporaryFolder(t);
  const at = (path: string) => join(home, path);
  mkdirSync(at("inbox"));
  const peer = await openPeer(t, { inbox: at("inbox"), ...options });
  const touch = async (path: string, { mode, mtimeMs }: Metadata) => {
    if (mode !== undefined) await fs.chmod(at(path), mode);
    if (mtimeMs !== undefined) await fs.utimes(at(path), new Date(mtimeMs), new Date(mtimeMs));
  };
  return {
    peer,
    at,
    touch,
    async write(path, bytes, set = {}) {
      mkdirSync(dirname(at(path)), { recursive: true });
      writeFileSync(at(path), bytes);
      await touch(path, set);
    },
    async folder(path) {
      await fs.mkdir(at(path), { recursive: true });
    },
    async link(path, target) {
      mkdirSync(dirname(at(path)), { recursive: true });
      await fs.symlink(target, at(path));
    },
    move: (from, to) => fs.rename(at(from), at(to)),
    read: (path) => fs.readFile(at(path)),
    tree: (path) => nativeTree(at(path)),
  };
}

/** A folder that goes when the test does. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "quiver-test-"));
  atEnd(t, () => {
    unlock(folder);
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Makes folders that are read-only writable, so that they can be removed. */
function unlock(folder: string): void {
  chmodSync(folder, 0o700);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) unlock(join(folder, entry.name));
  }
}

/** What is below a folder of this machine. A name that is no UTF-8 is read as Latin-1. */
export async function nativeTree(root: string): Promise<TreeEntry[]> {
  const entries = existsSync(root) ? await below(Buffer.from(root), "") : [];
  return entries.sort(byPath);
}

async function below(folder: Buffer, prefix: string): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = [];
  for (const name of await fs.readdir(folder, { encoding: "buffer" })) {
    const whole = Buffer.concat([folder, Buffer.from("/"), name]);
    const path = prefix + name.toString(isUtf8(name) ? "utf8" : "latin1");
    // In floating point, Node rounds what the system cut.
    const stat = await fs.lstat(whole, { bigint: true });
    const kind = stat.isFile() ? "file" : stat.isDirectory() ? "folder" : "link";
    entries.push({
      path,
      kind,
      mode: Number(stat.mode) & 0o7777,
      mtimeMs: Number(stat.mtimeMs),
      target: kind === "link" ? await fs.readlink(whole) : "",
      hash: kind === "file" ? blake3(await fs.readFile(whole)) : "",
    });
    if (kind === "folder") entries.push(...(await below(whole, `${path}/`)));
  }
  return entries;
}

function byPath(a: { path: string }, b: { path: string }): number {
  return a.path < b.path ? -1 : 1;
}

/** Checks that two trees are alike: names, kinds, modes, times to the millisecond, links, bytes. */
export function assertSameTree(actual: TreeEntry[], expected: TreeEntry[]): void {
  assert.deepEqual(actual.map(comparable), expected.map(comparable));
}

/** What has to be the same: a link has no mode and no time that could be set. */
function comparable({ mode, mtimeMs, ...entry }: TreeEntry) {
  if (entry.kind === "link") return entry;
  return { ...entry, mode: mode & ~process.umask(), mtimeMs };
}

/** The paths of a tree that people see: what waits for another try is left out. */
export async function paths(side: Side, folder = "inbox"): Promise<string[]> {
  const all = (await side.tree(folder)).map(({ path }) => path);
  return all.filter((path) => !isLeftover(path));
}

/** The paths of what an interrupted transfer has left for another try. */
export async function leftovers(side: Side, folder = "inbox"): Promise<string[]> {
  return (await side.tree(folder)).map(({ path }) => path).filter(isLeftover);
}

function isLeftover(path: string): boolean {
  return path.split("/").some((part) => /^\.quiver-.*\.partial$/.test(part));
}

/** Sends paths of `alice` under a ticket to `bob`, and returns both receipts. */
export async function transfer(
  { alice, bob }: { alice: Side; bob: Side },
  names: readonly string[],
  options: {
    send?: Parameters<Peer["send"]>[1];
    receive?: Parameters<Peer["receive"]>[1];
  } = {},
) {
  const { sending, receiving } = await begin({ alice, bob }, names, options);
  const [sent, received] = await Promise.all([sending.done, receiving.done]);
  return { sent, received, sending, receiving };
}

/** Like {@link transfer}, but returns as soon as both sides have begun. */
export async function begin(
  { alice, bob }: { alice: Side; bob: Side },
  names: readonly string[],
  options: {
    send?: Parameters<Peer["send"]>[1];
    receive?: Parameters<Peer["receive"]>[1];
  } = {},
): Promise<{ sending: Transfer; receiving: Transfer }> {
  const sending = alice.peer.send(names.map(alice.at), options.send);
  const ticket = await ticketOf(sending);
  return { sending, receiving: bob.peer.receive(ticket, options.receive) };
}

/** The ticket of a transfer, as soon as there is one. */
export async function ticketOf(sending: Transfer): Promise<string> {
  const { ticket } = await eventOf(sending, "ready");
  return ticket;
}

/** The first event of a type; rejects with the transfer's failure when there is none. */
export async function eventOf<Type extends TransferEvent["type"]>(
  of: Transfer,
  type: Type,
): Promise<Extract<TransferEvent, { type: Type }>> {
  for await (const event of of) if (isOf(event, type)) return event;
  await of.done;
  throw new Error(`the transfer had no event "${type}"`);
}

function isOf<Type extends TransferEvent["type"]>(
  event: TransferEvent,
  type: Type,
): event is Extract<TransferEvent, { type: Type }> {
  return event.type === type;
}

/** All events of a transfer that has ended. */
export async function eventsOf(of: Transfer): Promise<TransferEvent[]> {
  return Array.fromAsync(of);
}

/** Checks that both sides of a transfer fail, each with its code. */
export async function assertBothFail(
  { sending, receiving }: { sending: Transfer; receiving: Transfer },
  codes: { sender: string; receiver: string },
): Promise<void> {
  const [sender, receiver] = await Promise.all([codeOf(sending), codeOf(receiving)]);
  assert.deepEqual({ sender, receiver }, codes);
}

/** What a transfer fails with; "done" if it does not. */
export async function codeOf(of: Transfer): Promise<string> {
  return of.done.then(
    () => "done",
    (error) => error.code ?? error,
  );
}

/**
 * Calls `act` at the n-th `operation` of a disk from now on; what it throws is what fails.
 *
 * This is how a test stops the world in the middle of a transfer without a clock.
 */
export function atDisk(
  t: TestContext,
  disk: MemoryDisk,
  { operation, n, act }: { operation: DiskOperation; n: number; act: () => void },
): void {
  const check = disk.check.bind(disk);
  let left = n;
  t.mock.method(disk, "check", (done: DiskOperation) => {
    if (done === operation) left -= 1;
    if (done === operation && left === 0) act();
    check(done);
  });
}

/** Bytes that nothing can guess or compress. */
export function random(bytes: number): Buffer {
  return randomBytes(bytes);
}

/** The BLAKE3 hash that `b3sum` prints; the memory engine's, which is tested with published vectors. */
export function blake3(bytes: Uint8Array): string {
  return Buffer.from(pieceValue(bytes, { offset: 0, isWholeFile: true })).toString("hex");
}

/**
 * Tables with rows as close together as a memory engine is quick to cross.
 */
export const smallTables = {
  contentBytes: 0,
  pieceTable: [
    { upTo: 10 * 1024, bytes: 1024 },
    { upTo: 100 * 1024, bytes: 2048 },
    { upTo: Number.POSITIVE_INFINITY, bytes: 4096 },
  ],
  rangeTable: [
    { upTo: 128 * 1024, bytes: 16 * 1024 },
    { upTo: Number.POSITIVE_INFINITY, bytes: 32 * 1024 },
  ],
};

async function openPeer(t: TestContext, options: PeerOptions): Promise<Peer> {
  const peer = await Peer.open({
    listen: "127.0.0.1:0",
    identity: temporaryIdentity(),
    ...options,
    // Few bytes are to show what is true of many.
    tuning: { contentBytes: 0, ...options.tuning },
  });
  atEnd(t, () => peer.close());
  return peer;
}
