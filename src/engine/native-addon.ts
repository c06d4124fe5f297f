/**
 * The shape of the Rust addon, and the one place where it is loaded.
 *
 * Paths and names are bytes; lists of many things are one buffer; a rejection says `CODE: text`.
 */

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { TransferError } from "../errors.ts";
import type {
  CloseReason,
  ConnectionStats,
  EncodedBytes,
  EndpointOptions,
  PathFigures,
  PeerLimits,
  PieceRun,
  SpentTime,
} from "./engine.ts";
import { missingAddon, nativePackage, targetName, thisHost } from "./native-target.ts";

/** What the addon exports. */
export interface Addon {
  startRuntime(options: { workerThreads: number; slowDiskCallMs: number }): void;
  busyMs(): number[];
  errorCodeNames(): string[];
  bindEndpoint(options: Required<EndpointOptions>): Promise<AddonEndpoint>;
  openFolder(path: Uint8Array): Promise<AddonFolder>;
  holdBytes(bytes: Uint8Array, offset: number): AddonSourceFile;
  RateLimiter: new () => AddonRateLimiter;
  mergePieces(values: Uint8Array, fileBytes: number, pieceBytes: number): Uint8Array;
}

/** `Endpoint` of `native/src/endpoint.rs`. */
export interface AddonEndpoint {
  readonly peerId: string;
  readonly addresses: string[];
  connect(peerId: string, addresses: string[], timeoutMs: number): Promise<AddonConnection>;
  connectEarly(
    peerId: string,
    addresses: string[],
    timeoutMs: number,
    bytes: Uint8Array,
  ): Promise<AddonConnection>;
  accept(): Promise<AddonConnection | null>;
  acceptEarly(): Promise<AddonEarlyCall | null>;
  close(): Promise<void>;
}

/** `EarlyCall` of `native/src/early.rs`. */
export interface AddonEarlyCall {
  readonly peerId: string;
  takeStream(): AddonBidirectionalStream;
  proven(): Promise<AddonConnection>;
}

/** `RateLimiter` of `native/src/limiter.rs`. */
export interface AddonRateLimiter {
  setRate(bytesPerSecond: number): void;
}

/** `Connection` of `native/src/connection.rs`. */
export interface AddonConnection {
  readonly peerId: string;
  admit(limits: PeerLimits): void;
  takeEarly(): AddonBidirectionalStream | null;
  openBidirectional(): Promise<AddonBidirectionalStream>;
  acceptBidirectional(): Promise<AddonBidirectionalStream>;
  openUnidirectional(): Promise<AddonSendStream>;
  acceptUnidirectional(): Promise<AddonReceiveStream>;
  exportKeyingMaterial(label: string, context: Uint8Array): Uint8Array;
  knowPath(figures: PathFigures): void;
  stats(): ConnectionStats;
  closed(): Promise<CloseReason>;
  close(code: number, reason: string): void;
}

/** `BidirectionalStream` of `native/src/lane.rs`; each access makes a new handle. */
export interface AddonBidirectionalStream {
  readonly send: AddonSendStream;
  readonly receive: AddonReceiveStream;
}

/** `SendStream` of `native/src/lane.rs`. */
export interface AddonSendStream {
  readonly sentBytes: number;
  readonly spent: SpentTime;
  limitBy(limiters: AddonRateLimiter[]): void;
  setPriority(priority: number): Promise<void>;
  readonly encoded: EncodedBytes;
  setCoding(codec: string, level: number): void;
  write(bytes: Uint8Array): Promise<void>;
  sendRun(header: Uint8Array, source: AddonSourceFile, run: PieceRun): Promise<AddonSentRun>;
  sendBundle(header: Uint8Array, folder: AddonFolder, files: Uint8Array): Promise<AddonBundle>;
  finish(): Promise<void>;
  reset(code: number): void;
}

/** `ReceiveStream` of `native/src/lane.rs`. */
export interface AddonReceiveStream {
  readonly receivedBytes: number;
  readonly spent: SpentTime;
  limitBy(limiters: AddonRateLimiter[]): void;
  takeCodecs(names: string[]): void;
  read(length: number): Promise<Uint8Array | null>;
  receiveRun(partial: AddonPartialFile, run: PieceRun): Promise<AddonReceivedRun>;
  receiveBundle(folder: AddonFolder, targets: Uint8Array): Promise<AddonBundle>;
  stop(code: number): void;
}

/** What became of a run that was sent; `failure` is `CODE: text`. */
export interface AddonSentRun {
  values: Uint8Array;
  failure?: string | null;
}

/** What became of a run that was received. */
export interface AddonReceivedRun {
  values: Uint8Array;
  bad: number[];
  absentFrom: number;
  failure?: string | null;
}

/** What became of a bundle: 32 bytes and one status byte a file. */
export interface AddonBundle {
  hashes: Uint8Array;
  statuses: Uint8Array;
  failures: AddonFailure[];
}

/** Why one thing of a list failed; `text` is `CODE: text`. */
export interface AddonFailure {
  position: number;
  text: string;
}

/** A file's metadata; `kind` is a position in the list of kinds. */
export interface AddonStat {
  kind: number;
  bytes: number;
  mode: number;
  mtimeMs: number;
  identity: string;
}

/** `Folder` of `native/src/folder.rs`. */
export interface AddonFolder {
  openFolder(path: Uint8Array): Promise<AddonFolder>;
  listEach(paths: Uint8Array): Promise<{ packed: Uint8Array; failures: AddonFailure[] }>;
  stat(path: Uint8Array): Promise<AddonStat | null>;
  readLink(path: Uint8Array): Promise<Uint8Array>;
  openSource(path: Uint8Array, memoryMap: boolean): Promise<AddonSourceFile>;
  createPartial(path: Uint8Array, bytes: number, mode: number): Promise<AddonPartialFile>;
  openPartial(path: Uint8Array, bytes: number): Promise<AddonPartialFile>;
  openLog(path: Uint8Array): Promise<AddonLogFile>;
  createFolders(paths: Uint8Array): Promise<void>;
  createLink(path: Uint8Array, target: Uint8Array): Promise<void>;
  rename(from: Uint8Array, target: AddonFolder, to: Uint8Array, replace: boolean): Promise<void>;
  remove(path: Uint8Array): Promise<void>;
  setMetadata(path: Uint8Array, mode: number, mtimeMs: number): Promise<void>;
  restrictEach(things: Uint8Array): Promise<AddonFailure[]>;
  syncAll(): Promise<void>;
  sync(): Promise<void>;
  isOwn(): Promise<boolean>;
  freeBytes(): Promise<number>;
  close(): void;
}

/** `SourceFile` of `native/src/source.rs`. */
export interface AddonSourceFile {
  readonly opened: AddonStat;
  stat(): Promise<AddonStat>;
  readRange(offset: number, length: number): Promise<Uint8Array>;
  hashRun(run: PieceRun): Promise<Uint8Array>;
  close(): void;
}

/** `PartialFile` of `native/src/partial.rs`. */
export interface AddonPartialFile {
  stat(): Promise<AddonStat>;
  copyFrom(source: AddonSourceFile, offset: number, length: number): Promise<void>;
  sync(): Promise<void>;
  close(): void;
}

/** `LogFile` of `native/src/log.rs`. */
export interface AddonLogFile {
  read(offset: number, length: number): Promise<Uint8Array>;
  append(bytes: Uint8Array): Promise<void>;
  truncate(bytes: number): Promise<void>;
  sync(): Promise<void>;
  close(): void;
}

/**
 * Loads the addon: the one that this checkout has built, else that of this system's npm package.
 *
 * @throws {TransferError} `DISK_MISSING` with what to do where there is neither.
 */
export function loadAddon(): Addon {
  const require = createRequire(import.meta.url);
  const built = fileURLToPath(new URL("../../native/quiver.node", import.meta.url));
  if (existsSync(built)) return require(built) as Addon;
  const target = targetName(thisHost());
  const name = nativePackage(target);
  try {
    return require(name) as Addon;
  } catch (error) {
    if (!isMissing(error, name)) throw error;
    const isCheckout = existsSync(new URL("../../native/Cargo.toml", import.meta.url));
    throw new TransferError("DISK_MISSING", missingAddon(target, isCheckout), { cause: error });
  }
}

function isMissing(error: unknown, name: string): boolean {
  if (!(error instanceof Error && "code" in error && error.code === "MODULE_NOT_FOUND"))
    return false;
  return error.message.startsWith(`Cannot find module '${name}'`);
}
