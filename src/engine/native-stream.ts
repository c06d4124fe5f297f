/** The streams of the engine in Rust, and what limits them. */

import type { Codec, Coding } from "../codec.ts";
import type {
  BidirectionalStream,
  BundledResult,
  BundledSource,
  BundledTarget,
  EncodedBytes,
  Folder,
  PartialFile,
  PieceRun,
  RateLimiter,
  ReceivedRun,
  ReceiveStream,
  SendStream,
  SentRun,
  SourceFile,
  SpentTime,
} from "./engine.ts";
import type {
  AddonBidirectionalStream,
  AddonBundle,
  AddonRateLimiter,
  AddonReceiveStream,
  AddonSendStream,
} from "./native-addon.ts";
import { failureOf, native, nativeNow, reasonsOf } from "./native-error.ts";
import { folderHandle, partialHandle, sourceHandle } from "./native-folder.ts";
import { packThings } from "./native-list.ts";

/** Both halves of a stream of the addon. */
export function bothWays(handle: AddonBidirectionalStream): BidirectionalStream {
  return {
    send: new NativeSendStream(handle.send),
    receive: new NativeReceiveStream(handle.receive),
  };
}

/** See {@link RateLimiter}. */
export class NativeRateLimiter implements RateLimiter {
  readonly handle: AddonRateLimiter;

  constructor(handle: AddonRateLimiter) {
    this.handle = handle;
  }

  setRate(bytesPerSecond: number): void {
    nativeNow(() => this.handle.setRate(bytesPerSecond));
  }
}

/** See {@link SendStream}. */
export class NativeSendStream implements SendStream {
  readonly #handle: AddonSendStream;

  constructor(handle: AddonSendStream) {
    this.#handle = handle;
  }

  get sentBytes(): number {
    return this.#handle.sentBytes;
  }

  get spent(): SpentTime {
    return this.#handle.spent;
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
    const packed = packThings(files);
    const sending = this.#handle.sendBundle(header, folderHandle(folder), packed);
    return bundleResults(await native(sending));
  }

  async finish(): Promise<void> {
    await native(this.#handle.finish());
  }

  reset(code: number): void {
    nativeNow(() => this.#handle.reset(code));
  }
}

/** See {@link ReceiveStream}. */
export class NativeReceiveStream implements ReceiveStream {
  readonly #handle: AddonReceiveStream;

  constructor(handle: AddonReceiveStream) {
    this.#handle = handle;
  }

  get receivedBytes(): number {
    return this.#handle.receivedBytes;
  }

  get spent(): SpentTime {
    return this.#handle.spent;
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
    const packed = packThings(targets);
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

function bundleResults({ hashes, statuses, failures }: AddonBundle): BundledResult[] {
  const reasons = reasonsOf(failures);
  return Array.from(statuses, (status, position) => ({
    hash: hashes.subarray(position * HASH_BYTES, (position + 1) * HASH_BYTES),
    status: STATUSES[status] ?? "failed",
    failure: reasons.get(position) ?? null,
  }));
}

const STATUSES: readonly BundledResult["status"][] = ["ok", "bad", "absent", "failed"];
const HASH_BYTES = 32;
