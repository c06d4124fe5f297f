/** The engine in Rust: adapts the addon to `engine.ts`, and nothing else. */

import { randomBytes } from "node:crypto";
import { encodeName } from "../lossless-name.ts";
import { slowDiskCallMs } from "../options.ts";
import type {
  BidirectionalStream,
  CloseReason,
  Connection,
  ConnectionStats,
  EarlyCall,
  Endpoint,
  EndpointOptions,
  Engine,
  Folder,
  PathFigures,
  PeerLimits,
  RateLimiter,
  ReceiveStream,
  SendStream,
  SourceFile,
} from "./engine.ts";
import type { Addon, AddonConnection, AddonEarlyCall, AddonEndpoint } from "./native-addon.ts";
import { loadAddon } from "./native-addon.ts";
import { native, nativeNow } from "./native-error.ts";
import { readSmallFile } from "./native-file.ts";
import { NativeFolder, NativeSourceFile } from "./native-folder.ts";
import {
  bothWays,
  NativeRateLimiter,
  NativeReceiveStream,
  NativeSendStream,
} from "./native-stream.ts";

/**
 * Opens the engine; the first call of a process decides the number of threads.
 *
 * @throws {TransferError} `DISK_MISSING` when the addon is not there.
 */
export function openNativeEngine(options: { workerThreads: number }): Engine {
  const addon = loadAddon();
  nativeNow(() => addon.startRuntime({ ...options, slowDiskCallMs }));
  return new NativeEngine(addon);
}

class NativeEngine implements Engine {
  readonly #addon: Addon;

  constructor(addon: Addon) {
    this.#addon = addon;
  }

  async bind(options: EndpointOptions): Promise<Endpoint> {
    const { ownThread = false } = options;
    const whole = { ...options, listen: [...options.listen], ownThread };
    return new NativeEndpoint(await native(this.#addon.bindEndpoint(whole)));
  }

  async openFolder(path: string): Promise<Folder> {
    return new NativeFolder(await native(this.#addon.openFolder(encodeName(path))));
  }

  readFile(path: string, mostBytes: number): Promise<Uint8Array> {
    return readSmallFile(path, mostBytes);
  }

  mergePieces(values: Uint8Array, fileBytes: number, pieceBytes: number): Uint8Array {
    return nativeNow(() => this.#addon.mergePieces(values, fileBytes, pieceBytes));
  }

  holdBytes(bytes: Uint8Array, offset: number): SourceFile {
    return new NativeSourceFile(nativeNow(() => this.#addon.holdBytes(bytes, offset)));
  }

  createLimiter(): RateLimiter {
    return new NativeRateLimiter(new this.#addon.RateLimiter());
  }

  busyMs(): number[] {
    return [performance.eventLoopUtilization().active, ...this.#addon.busyMs()];
  }

  random(bytes: number): Uint8Array {
    return new Uint8Array(randomBytes(bytes));
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

  async connectEarly(
    peerId: string,
    addresses: readonly string[],
    timeoutMs: number,
    bytes: Uint8Array,
  ): Promise<Connection> {
    const dialling = this.#handle.connectEarly(peerId, [...addresses], timeoutMs, bytes);
    return new NativeConnection(await native(dialling));
  }

  async accept(): Promise<Connection | null> {
    const handle = await native(this.#handle.accept());
    return handle === null ? null : new NativeConnection(handle);
  }

  async acceptEarly(): Promise<EarlyCall | null> {
    const handle = await native(this.#handle.acceptEarly());
    return handle === null ? null : new NativeEarlyCall(handle);
  }

  async close(): Promise<void> {
    await native(this.#handle.close());
  }
}

class NativeEarlyCall implements EarlyCall {
  readonly peerId: string;
  readonly #handle: AddonEarlyCall;

  constructor(handle: AddonEarlyCall) {
    this.#handle = handle;
    this.peerId = handle.peerId;
  }

  async takeStream(): Promise<BidirectionalStream> {
    return bothWays(nativeNow(() => this.#handle.takeStream()));
  }

  async proven(): Promise<Connection> {
    return new NativeConnection(await native(this.#handle.proven()));
  }
}

class NativeConnection implements Connection {
  readonly peerId: string;
  readonly early: BidirectionalStream | null;
  readonly #handle: AddonConnection;

  constructor(handle: AddonConnection) {
    this.#handle = handle;
    this.peerId = handle.peerId;
    const early = handle.takeEarly();
    this.early = early && bothWays(early);
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
