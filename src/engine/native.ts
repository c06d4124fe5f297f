/** The engine in Rust: adapts the addon to `engine.ts`, and nothing else. */

import { randomBytes } from "node:crypto";
import type { Codec, Coding } from "../codec.ts";
import { encodeName } from "../lossless-name.ts";
import type {
  BidirectionalStream,
  BundledResult,
  BundledSource,
  BundledTarget,
  CloseReason,
  Connection,
  ConnectionStats,
  EncodedBytes,
  Endpoint,
  EndpointOptions,
  Engine,
  Folder,
  PartialFile,
  PathFigures,
  PeerLimits,
  PieceRun,
  RateLimiter,
  ReceivedRun,
  ReceiveStream,
  SendStream,
  SentRun,
  SourceFile,
} from "./engine.ts";
import type {
  Addon,
  AddonBidirectionalStream,
  AddonBundle,
  AddonConnection,
  AddonEndpoint,
  AddonRateLimiter,
  AddonReceiveStream,
  AddonSendStream,
} from "./native-addon.ts";
import { loadAddon } from "./native-addon.ts";
import { failureOf, native, nativeNow } from "./native-error.ts";
import { readFileRange, readSmallFile } from "./native-file.ts";
import { folderHandle, NativeFolder, partialHandle, sourceHandle } from "./native-folder.ts";

/**
 * Opens the engine; the first call of a process decides the number of threads.
 *
 * @throws {Error} when the addon is not built.
 */
export function openNativeEngine(options: { workerThreads: number }): Engine {
  const addon = loadAddon();
  nativeNow(() => addon.startRuntime({ workerThreads: options.workerThreads }));
  return new NativeEngine(addon);
}

class NativeEngine implements Engine {
  readonly #addon: Addon;

  constructor(addon: Addon) {
    this.#addon = addon;
  }

  async bind(options: EndpointOptions): Promise<Endpoint> {
    const listen = [...options.listen];
    return new NativeEndpoint(await native(this.#addon.bindEndpoint({ ...options, listen })));
  }

  async openFolder(path: string): Promise<Folder> {
    return new NativeFolder(await native(this.#addon.openFolder(encodeName(path))));
  }

  readFile(path: string, mostBytes: number): Promise<Uint8Array> {
    return readSmallFile(path, mostBytes);
  }

  readRange(path: string, range: { offset: number; length: number }): Promise<Uint8Array> {
    return readFileRange(path, range);
  }

  mergePieces(values: Uint8Array, fileBytes: number, pieceBytes: number): Uint8Array {
    return nativeNow(() => this.#addon.mergePieces(values, fileBytes, pieceBytes));
  }

  createLimiter(): RateLimiter {
    return new NativeRateLimiter(new this.#addon.RateLimiter());
  }

  random(bytes: number): Uint8Array {
    return new Uint8Array(randomBytes(bytes));
  }
}

class NativeRateLimiter implements RateLimiter {
  readonly handle: AddonRateLimiter;

  constructor(handle: AddonRateLimiter) {
    this.handle = handle;
  }

  setRate(bytesPerSecond: number): void {
    nativeNow(() => this.handle.setRate(bytesPerSecond));
  }
}

class NativeEndpoint implements Endpoint {
  readonly peerId: string;
  readonly addresses: readonly string[];
  readonly #handle: AddonEndpoint;

  constructor(handle: AddonEndpoint) {
    this.#handle = handle;
    this.peerId = handle.peerId;
    this.addresses = handle.addresses;
  }

  async connect(
    peerId: string,
    addresses: readonly string[],
    timeoutMs: number,
  ): Promise<Connection> {
    const handle = await native(this.#handle.connect(peerId, [...addresses], timeoutMs));
    return new NativeConnection(handle);
  }

  async accept(): Promise<Connection | null> {
    const handle = await native(this.#handle.accept());
    return handle === null ? null : new NativeConnection(handle);
  }

  async close(): Promise<void> {
    await native(this.#handle.close());
  }
}

class NativeConnection implements Connection {
  readonly peerId: string;
  readonly #handle: AddonConnection;

  constructor(handle: AddonConnection) {
    this.#handle = handle;
    this.peerId = handle.peerId;
  }

  admit(limits: PeerLimits): void {
    nativeNow(() => this.#handle.admit(limits));
  }

  async openBidirectional(): Promise<BidirectionalStream> {
    return bothWays(await native(this.#handle.openBidirectional()));
  }

  async acceptBidirectional(): Promise<BidirectionalStream> {
    return bothWays(await native(this.#handle.acceptBidirectional()));
  }

  async openUnidirectional(): Promise<SendStream> {
    return new NativeSendStream(await native(this.#handle.openUnidirectional()));
  }

  async acceptUnidirectional(): Promise<ReceiveStream> {
    return new NativeReceiveStream(await native(this.#handle.acceptUnidirectional()));
  }

  exportKeyingMaterial(label: string, context: Uint8Array): Uint8Array {
    return nativeNow(() => this.#handle.exportKeyingMaterial(label, context));
  }

  knowPath(figures: PathFigures): void {
    nativeNow(() => this.#handle.knowPath(figures));
  }

  stats(): ConnectionStats {
    return this.#handle.stats();
  }

  async closed(): Promise<CloseReason> {
    return await native(this.#handle.closed());
  }

  close(code: number, reason: string): void {
    nativeNow(() => this.#handle.close(code, reason));
  }
}

class NativeSendStream implements SendStream {
  readonly #handle: AddonSendStream;

  constructor(handle: AddonSendStream) {
    this.#handle = handle;
  }

  get sentBytes(): number {
    return this.#handle.sentBytes;
  }

  limitBy(limiters: readonly RateLimiter[]): void {
    nativeNow(() => this.#handle.limitBy(limiters.map(limiterHandle)));
  }

  async setPriority(priority: number): Promise<void> {
    await native(this.#handle.setPriority(priority));
  }

  get encoded(): EncodedBytes {
    return this.#handle.encoded;
  }

  setCoding({ codec, level }: Coding): void {
    nativeNow(() => this.#handle.setCoding(codec, level));
  }

  async write(bytes: Uint8Array): Promise<void> {
    await native(this.#handle.write(bytes));
  }

  async sendRun(header: Uint8Array, source: SourceFile, run: PieceRun): Promise<SentRun> {
    const sending = this.#handle.sendRun(header, sourceHandle(source), run);
    const { values, failure } = await native(sending);
    return { values, failure: failureOf(failure) };
  }

  async sendBundle(
    header: Uint8Array,
    folder: Folder,
    files: readonly BundledSource[],
  ): Promise<BundledResult[]> {
    const packed = packBundle(files.map((file) => ({ ...file, mode: 0 })));
    return bundleResults(
      await native(this.#handle.sendBundle(header, folderHandle(folder), packed)),
    );
  }

  async finish(): Promise<void> {
    await native(this.#handle.finish());
  }

  reset(code: number): void {
    nativeNow(() => this.#handle.reset(code));
  }
}

class NativeReceiveStream implements ReceiveStream {
  readonly #handle: AddonReceiveStream;

  constructor(handle: AddonReceiveStream) {
    this.#handle = handle;
  }

  get receivedBytes(): number {
    return this.#handle.receivedBytes;
  }

  limitBy(limiters: readonly RateLimiter[]): void {
    nativeNow(() => this.#handle.limitBy(limiters.map(limiterHandle)));
  }

  takeCodecs(codecs: readonly Codec[]): void {
    nativeNow(() => this.#handle.takeCodecs([...codecs]));
  }

  async read(length: number): Promise<Uint8Array | null> {
    return await native(this.#handle.read(length));
  }

  async receiveRun(partial: PartialFile, run: PieceRun): Promise<ReceivedRun> {
    const received = await native(this.#handle.receiveRun(partialHandle(partial), run));
    return { ...received, failure: failureOf(received.failure) };
  }

  async receiveBundle(folder: Folder, targets: readonly BundledTarget[]): Promise<BundledResult[]> {
    const packed = packBundle(targets);
    return bundleResults(await native(this.#handle.receiveBundle(folderHandle(folder), packed)));
  }

  stop(code: number): void {
    nativeNow(() => this.#handle.stop(code));
  }
}

function limiterHandle(limiter: RateLimiter): AddonRateLimiter {
  if (limiter instanceof NativeRateLimiter) return limiter.handle;
  throw new TypeError("a limiter of another engine");
}

function bothWays(handle: AddonBidirectionalStream): BidirectionalStream {
  return {
    send: new NativeSendStream(handle.send),
    receive: new NativeReceiveStream(handle.receive),
  };
}

/** Writes the records that `native/src/bundle.rs` reads. */
function packBundle(files: readonly BundledTarget[]): Uint8Array {
  const names = files.map(({ path }) => encodeName(path));
  const nameBytes = names.reduce((sum, name) => sum + name.length, 0);
  const packed = Buffer.allocUnsafe(RECORD_BYTES * files.length + nameBytes);
  let at = 0;
  files.forEach(({ mode, bytes, mtimeMs }, position) => {
    const name = names[position] ?? new Uint8Array();
    packed.writeUInt16LE(name.length, at);
    packed.writeUInt16LE(mode & 0o777, at + 2);
    packed.writeDoubleLE(bytes, at + 4);
    packed.writeDoubleLE(mtimeMs, at + 12);
    packed.set(name, at + RECORD_BYTES);
    at += RECORD_BYTES + name.length;
  });
  return packed;
}

function bundleResults({ hashes, statuses, failures }: AddonBundle): BundledResult[] {
  const reasons = new Map(failures.map(({ position, text }) => [position, failureOf(text)]));
  return Array.from(statuses, (status, position) => ({
    hash: hashes.subarray(position * HASH_BYTES, (position + 1) * HASH_BYTES),
    status: STATUSES[status] ?? "failed",
    failure: reasons.get(position) ?? null,
  }));
}

const STATUSES: readonly BundledResult["status"][] = ["ok", "bad", "absent", "failed"];
const RECORD_BYTES = 20;
const HASH_BYTES = 32;
