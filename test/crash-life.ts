/** The receiver's life in a scene, recorded change by change, and what may be left of it after a crash. */

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { createMemoryNetwork, type MemoryNetwork } from "../src/engine/memory.ts";
import { type CrashState, DiskRecording } from "../src/engine/memory-crash.ts";
import { MemoryDisk, type TreeEntry } from "../src/engine/memory-disk.ts";
import { pieceValue } from "../src/engine/memory-hash.ts";
import { piecesOf } from "../src/engine/memory-piece.ts";
import { type ConflictChoice, Peer, type Receipt, type Transfer } from "../src/index.ts";
import { temporaryIdentity } from "../src/peer/identity.ts";
import { maxContentBytes } from "../src/protocol/limits.ts";
import type { FileResult } from "../src/protocol/messages.ts";
import { type Leftover, provenRuns } from "../src/transfer/leftover.ts";
import { bytesFor } from "../src/transfer/plan.ts";
import { ReceiptReader } from "../src/transfer/receipt-reader.ts";
import { isStaging } from "../src/transfer/staging.ts";
import { Random } from "./fuzz/random.ts";
import { leftoverOf } from "./journals.ts";
import { eventsOf, smallTables, ticketOf } from "./peers.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** What is sent, over what stands there, and what goes wrong before it arrives. */
export interface Scene {
  name: string;
  /** Names below the sender's home. */
  offer: string[];
  onConflict?: ConflictChoice;
  /** Whether the files travel with their offer. */
  isContent?: true;
  /** Puts things on both disks; `bytes` makes some that nothing else has. */
  prepare: (disks: Disks & { bytes: (count: number) => Buffer }) => void;
  /** Stream bytes after which the cable breaks, once for each. */
  cuts?: number[];
  /** What the sender does to its files after the last cut. */
  change?: (sender: MemoryDisk) => void;
  /** What somebody does to the staged files after the last cut; the record begins behind it. */
  tamper?: (receiver: MemoryDisk, staged: string) => void;
}

/** The disks of both sides; homes are `/home`, the receiver's inbox is `/home/inbox`. */
export interface Disks {
  sender: MemoryDisk;
  receiver: MemoryDisk;
}

/** Things in a folder, by path. */
export type Tree = Map<string, TreeEntry>;

/** What a disk went through. */
export interface Recorded {
  recording: DiskRecording;
  /** When the last offer came. */
  offeredAt: number;
  /** From this point on the sender knows that everything is stored. */
  toldAt: number;
  /** Bytes that the last offer found proven already. */
  resumedBytes: number;
}

/** A life that was recorded. */
export interface Life extends Recorded {
  scene: Scene;
  /** The inbox at the start. */
  before: Tree;
  /** The inbox at the end. */
  after: Tree;
  /** What the journal told when the last offer came; empty without a cut. */
  oldJournal: Uint8Array;
  /** The bytes of each piece of every version of the sender's files, by value. */
  pieces: Map<string, Uint8Array>;
  sender: MemoryDisk;
  /** Offers the same things to a receiver on another disk; resolves when it is done. */
  offerAgain: (disk: MemoryDisk, onConflict?: ConflictChoice) => Promise<Recorded>;
  /** The same, whatever comes of it. */
  attempt: (disk: MemoryDisk) => Promise<Ends>;
}

/** How a transfer ended on both sides. */
export interface Ends {
  sent: PromiseSettledResult<Receipt>;
  received: PromiseSettledResult<Receipt>;
  /** The receiver's transfer. */
  receiving: Transfer;
}

/** Plays a scene to its end, with a commit of the journal every few changes. */
export async function live(t: TestContext, scene: Scene, seed: number): Promise<Life> {
  const random = new Random(seed);
  const disks = { sender: new MemoryDisk(), receiver: new MemoryDisk() };
  disks.receiver.folder("/home/inbox");
  scene.prepare({ ...disks, bytes: (count) => Buffer.from(random.bytes(count)) });
  const pieces = new Map<string, Uint8Array>();
  addPieces(pieces, disks.sender);
  const before = treeOf(disks.receiver);
  const play = new Play(t, scene, disks.sender);
  let recording = new DiskRecording(disks.receiver);
  for (const bytes of scene.cuts ?? []) {
    play.network.cutAfter(bytes);
    const { sent } = await play.offer(disks.receiver);
    assert.equal(sent.status, "rejected");
    play.network.mend();
  }
  scene.change?.(disks.sender);
  addPieces(pieces, disks.sender);
  const staging = stagingIn(disks.receiver);
  const oldJournal = journalIn(disks.receiver);
  if (scene.tamper && staging) {
    scene.tamper(disks.receiver, `/home/inbox/${staging.path}/files`);
    recording = new DiskRecording(disks.receiver);
  }
  const recorded = await play.record(disks.receiver, recording);
  const after = treeOf(disks.receiver);
  return {
    scene,
    ...recorded,
    before,
    after,
    oldJournal,
    pieces,
    sender: disks.sender,
    offerAgain: (disk, policy) => play.record(disk, new DiskRecording(disk), policy),
    attempt: (disk) => play.offer(disk),
  };
}

/** What the journal of an interrupted try tells; empty where there is none. */
export function journalIn(disk: MemoryDisk): Uint8Array {
  const staging = stagingIn(disk);
  const path = `/home/inbox/${staging?.path}/journal`;
  return staging && disk.stat(path) ? disk.read(path) : noBytes;
}

function stagingIn(disk: MemoryDisk) {
  return [...treeOf(disk).values()].find(({ path, kind }) => isStaging({ name: path, kind }));
}

/** Transfers of one scene, each between new processes of the same two peers. */
class Play {
  readonly network: MemoryNetwork = createMemoryNetwork();
  readonly #t: TestContext;
  readonly #scene: Scene;
  readonly #sender: MemoryDisk;
  readonly #identities = { sender: temporaryIdentity(), receiver: temporaryIdentity() };

  constructor(t: TestContext, scene: Scene, sender: MemoryDisk) {
    this.#t = t;
    this.#scene = scene;
    this.#sender = sender;
  }

  /** Offers, and notes in a recording of the receiver's disk what happens when. */
  async record(
    receiver: MemoryDisk,
    recording: DiskRecording,
    policy?: ConflictChoice,
  ): Promise<Recorded> {
    const offeredAt = recording.point;
    let toldAt = Number.POSITIVE_INFINITY;
    const told = (add: ReceiptReader["add"]) =>
      function (this: ReceiptReader, results: readonly FileResult[]) {
        toldAt = recording.point;
        add.call(this, results);
      };
    const { add } = ReceiptReader.prototype;
    const reading = this.#t.mock.method(ReceiptReader.prototype, "add", told(add));
    try {
      const ends = await this.offer(receiver, policy);
      for (const end of [ends.sent, ends.received]) {
        if (end.status === "rejected") throw end.reason;
        const failed = [...end.value.files].filter(({ status }) => status === "failed");
        assert.deepEqual(failed, []);
      }
      const events = await eventsOf(ends.receiving);
      const resumed = events.find(({ type }) => type === "resumed");
      const resumedBytes = resumed?.type === "resumed" ? resumed.bytes : 0;
      return { recording, offeredAt, toldAt, resumedBytes };
    } finally {
      reading.mock.restore();
    }
  }

  /** Offers from one new process to another; resolves when both are done. */
  async offer(receiver: MemoryDisk, policy?: ConflictChoice): Promise<Ends> {
    const { offer, onConflict = policy, isContent = false } = this.#scene;
    const clock = new VirtualClock();
    receiver.watch(() => clock.advance(msPerChange));
    const { sender, receiver: to } = this.#identities;
    const tuning = { ...smallTables, contentBytes: isContent ? maxContentBytes : 0 };
    const options = { clock, tuning, listen: "127.0.0.1:0" };
    const alice = await Peer.open({
      ...options,
      engine: this.network.engine("sender", this.#sender),
      identity: sender,
    });
    const bob = await Peer.open({
      ...options,
      engine: this.network.engine("receiver", receiver),
      identity: to,
      inbox: "/home/inbox",
    });
    try {
      const paths = offer.map((name) => `/home/${name}`);
      const sending = alice.send(paths, { retryForMs: 0 });
      const ticket = await ticketOf(sending);
      const receiving = bob.receive(ticket, { retryForMs: 0, onConflict });
      const [sent, received] = await Promise.allSettled([sending.done, receiving.done]);
      return { sent, received, receiving };
    } finally {
      await Promise.all([alice.close(), bob.close()]);
    }
  }
}

/** Checks that a crash leaves what was promised. */
export function checkState(life: Life, state: CrashState): void {
  const found = treeOf(state.disk);
  const visible = visibleOf(found);
  checkNames(life, visible, state.describe);
  if (state.point >= life.toldAt) checkStored(life, visible, state.describe);
  checkJournals(life, state.disk, state.describe);
  const isUnderWay = state.point >= life.offeredAt && state.point < life.toldAt;
  if (isUnderWay) checkProgress(life, found, state.describe);
}

/**
 * Every name shows what was there, what has come, or nothing where nothing was.
 *
 * Of a new folder only what is known to have failed may be missing.
 */
export function checkNames(
  { before, after }: Life,
  visible: Tree,
  why: string,
  failed: ReadonlySet<string> = new Set(),
): void {
  for (const [path, entry] of visible) {
    const [old, fresh] = [before.get(path), after.get(path)];
    const isKnown = [old, fresh].some((known) => known && isSameContent(entry, known));
    assert.ok(isKnown, `${path} is neither what it was nor what has come\n${why}`);
  }
  for (const path of before.keys()) assert.ok(visible.has(path), `${path} is gone\n${why}`);
  for (const path of after.keys()) {
    const top = path.split("/", 1).join();
    if (before.has(top) || !visible.has(top) || failed.has(path)) continue;
    assert.ok(visible.has(path), `${top} is there without ${path}\n${why}`);
  }
}

/** All that the sender was told of is there, with modes and times. */
export function checkStored({ before, after }: Life, visible: Tree, why: string): void {
  assert.deepEqual([...visible.keys()], [...after.keys()], why);
  for (const [path, entry] of after) {
    const found = visible.get(path);
    assert.ok(found && isSameContent(found, entry), `${path} is not what was stored\n${why}`);
    // Of a folder that is merged into one that is there, only the files have their modes and times.
    const isMerged = entry.kind === "folder" && before.has(path.split("/", 1).join());
    if (entry.kind === "link" || isMerged) continue;
    const told = [found.mode, found.mtimeMs];
    assert.deepEqual(told, [entry.mode, entry.mtimeMs], `mode and time of ${path}\n${why}`);
  }
}

/** Every piece that a journal calls proven is in the staged file, or the file has its final name. */
export function checkJournals(life: Life, disk: MemoryDisk, describe: string): void {
  const found = treeOf(disk);
  for (const [name, { kind }] of found) {
    if (!isStaging({ name, kind })) continue;
    const journal = found.get(`${name}/journal`);
    const leftover = journal && leftoverOf(journal.bytes);
    if (!leftover) continue;
    // Until another journal takes its place, this one tells of what was there before.
    const isOld = Buffer.compare(journal.bytes, life.oldJournal) === 0;
    if (isOld && life.scene.tamper) continue;
    for (const [entry, { kind }] of leftover.manifest) {
      const kept = kind === "file" ? leftover.kept(entry) : null;
      if (!kept) continue;
      const path = leftover.manifest.path(entry);
      const staged = found.get(`${name}/files/${path}`);
      const why = `${path}: the journal tells of pieces that are not there\n${describe}`;
      if (staged?.bytes.length !== kept.bytes) {
        const isReplaced = isOld && life.scene.change !== undefined;
        const isElsewhere = hasArrived(life, disk, landedPath(leftover, entry));
        assert.ok(isElsewhere || isReplaced, why);
        continue;
      }
      const { pieceBytes, proven, values } = kept;
      for (const [first, count] of provenRuns(proven)) {
        for (let piece = first; piece < first + count; piece += 1) {
          const value = Buffer.from(values.subarray(piece * 32, (piece + 1) * 32));
          const known = life.pieces.get(value.toString("hex"));
          const start = piece * pieceBytes;
          const there = staged.bytes.subarray(start, start + (known?.length ?? 0));
          assert.ok(known && Buffer.compare(there, known) === 0, why);
        }
      }
    }
  }
}

/** What the last offer found proven is not lost again. */
function checkProgress({ oldJournal, resumedBytes }: Life, found: Tree, why: string): void {
  const journals = [...found.values()].filter(({ path }) => /^[^/]*\/journal$/.test(path));
  const [journal, more] = journals;
  assert.equal(more, undefined, why);
  if (!journal || Buffer.compare(journal.bytes, oldJournal) === 0) return;
  const provenBytes = leftoverOf(journal.bytes)?.provenBytes ?? 0;
  assert.ok(
    provenBytes >= resumedBytes,
    `of ${resumedBytes} bytes ${provenBytes} are left\n${why}`,
  );
}

/** Where an entry has landed, as far as the journal knows. */
function landedPath({ manifest, landed }: Leftover, entry: number): string {
  const path = manifest.path(entry);
  const top = landed.get(manifest.root(entry));
  const below = path.indexOf("/");
  return top && below >= 0 ? top.path + path.slice(below) : (landed.get(entry)?.path ?? path);
}

function hasArrived({ after }: Life, disk: MemoryDisk, path: string): boolean {
  const [there, entry] = [disk.stat(`/home/inbox/${path}`), after.get(path)];
  if (there?.kind !== "file" || !entry) return false;
  return Buffer.compare(disk.read(`/home/inbox/${path}`), entry.bytes) === 0;
}

/**
 * Checks that a receiver on the crashed disk ends where the first one did, with nothing left over.
 *
 * Where the sender knows that all is stored, nobody offers it again but to have it twice.
 */
export async function checkRecovery(life: Life, { disk, describe }: CrashState): Promise<Recorded> {
  const again = await life.offerAgain(disk).catch((error) => {
    throw new Error(`the next try fails\n${describe}`, { cause: error });
  });
  checkStored(life, treeOf(disk), describe);
  return again;
}

/** All that is in the inbox. */
export function treeOf(disk: MemoryDisk): Tree {
  return new Map(disk.tree("/home/inbox").map((entry) => [entry.path, entry]));
}

/** What people see of it. */
export function visibleOf(tree: Tree): Tree {
  const isVisible = ([path]: [string, TreeEntry]) => {
    const [name = ""] = path.split("/", 1);
    return !isStaging({ name, kind: tree.get(name)?.kind ?? "file" });
  };
  return new Map([...tree].filter(isVisible));
}

function isSameContent(one: TreeEntry, other: TreeEntry): boolean {
  if (one.kind !== other.kind || one.target !== other.target) return false;
  return Buffer.compare(one.bytes, other.bytes) === 0;
}

/** Cuts all files of a disk into pieces. */
function addPieces(pieces: Map<string, Uint8Array>, disk: MemoryDisk): void {
  for (const { kind, bytes } of disk.tree("/home")) {
    if (kind !== "file") continue;
    const fileBytes = bytes.length;
    const pieceBytes = bytesFor(smallTables.pieceTable, fileBytes);
    const run = { offset: 0, length: fileBytes, pieceBytes, fileBytes };
    for (const place of piecesOf(run)) {
      const some = bytes.slice(place.offset, place.offset + place.bytes);
      pieces.set(Buffer.from(pieceValue(some, place)).toString("hex"), some);
    }
  }
}

const noBytes = new Uint8Array();
/** So much time passes with each change of the receiver's disk: a commit is due every four. */
const msPerChange = 500;
