/** A stream that is being received: as {@link Arrivals} of one file, whose end the sender tells. */

import { TransferError } from "../errors.ts";
import { invalid } from "../protocol/fields.ts";
import type { StreamEnd, WireFailure } from "../protocol/messages.ts";
import { Arrivals, type ArrivalsOptions, type Claim } from "./arrivals.ts";
import type { ArrivingFile, ArrivingFileOptions } from "./arriving-file.ts";
import { ArrivingStream } from "./arriving-stream.ts";

/** See the file's head. */
export class StreamArrivals extends Arrivals {
  readonly #manifest: ArrivalsOptions["manifest"];
  readonly #pieceBytes: number;
  #file: ArrivingStream | null = null;
  #end: StreamEnd | null = null;
  #tellAt = Number.POSITIVE_INFINITY;
  #tell: () => void = () => {};
  readonly #failed = Promise.withResolvers<never>();

  /** Begins with nothing; all pieces have the size that the offer says. */
  constructor(options: ArrivalsOptions, pieceBytes: number) {
    super(options);
    this.#failed.promise.catch(() => {});
    this.#manifest = options.manifest;
    this.#pieceBytes = pieceBytes;
  }

  /** Bytes that are proven before the first that is missing: these the sender need not hold. */
  get bytesInOrder(): number {
    return this.#file?.table.bytesInOrder ?? 0;
  }

  /** Where it ends, as soon as its last piece or the sender has said so. */
  get knownEnd(): number | null {
    return this.#file?.knownEnd ?? null;
  }

  /** All its bytes; `Infinity` before its end. */
  get total(): number {
    return this.#end?.bytes ?? Number.POSITIVE_INFINITY;
  }

  /** Rejects when it will not arrive: its sender would send on without end. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Calls `tell` each time that so many bytes more are proven in order. */
  watch(everyBytes: number, tell: () => void): void {
    this.#tellAt = this.bytesInOrder + everyBytes;
    this.#tell = () => {
      this.#tellAt = this.bytesInOrder + everyBytes;
      tell();
    };
  }

  /**
   * Takes the sender's word for size and hash; what came and is not so fails the file.
   *
   * @throws {TransferError} `INVALID_FRAME` for a size that cannot be.
   */
  async end(end: StreamEnd): Promise<void> {
    if (this.#end) {
      const isSame =
        this.#end.bytes === end.bytes && Buffer.compare(this.#end.hash, end.hash) === 0;
      if (isSame) return;
      throw invalid("another end of the stream");
    }
    if (!this.#file) await this.prepare(0, this.#pieceBytes, false);
    const file = this.#file;
    file?.end(end.bytes);
    this.#end = end;
    this.#manifest.endStream(end.bytes);
    if (!file?.table.isWhole || this.failures.has(0)) return;
    await file.finish();
    this.arrivedInPieces(0, file);
  }

  /** Goes on over another connection: what was on its way in lanes does not come any more. */
  goOn(): void {
    this.#file?.table.releaseAll();
    this.heldBytes = this.#file?.table.provenBytes ?? 0;
  }

  /** See {@link Arrivals.settle}. */
  override async settle(...settled: Parameters<Arrivals["settle"]>) {
    const again = await super.settle(...settled);
    if (this.bytesInOrder >= this.#tellAt) this.#tell();
    return again;
  }

  /** See {@link Arrivals.claim}. */
  override claim(...run: Parameters<Arrivals["claim"]>): Claim {
    const [, , , pieceBytes] = run;
    if (pieceBytes !== this.#pieceBytes) throw invalid("piece size of a stream");
    return super.claim(...run);
  }

  /** See {@link Arrivals.fail}. */
  override fail(entry: number, failure: WireFailure): void {
    super.fail(entry, failure);
    this.#failed.reject(new TransferError(failure.code, failure.reason));
  }

  /** A stream is in no bundle. */
  override checkBundle(): never {
    throw invalid("a stream in a bundle");
  }

  protected override makeFile(options: ArrivingFileOptions): ArrivingFile {
    this.#file = new ArrivingStream(options);
    return this.#file;
  }

  protected override arrivedInPieces(entry: number, file: ArrivingFile): void {
    super.arrivedInPieces(entry, file);
    const hash = this.hash(entry);
    if (!this.#end || !hash || Buffer.compare(this.#end.hash, hash) === 0) return;
    const reason = "the stream's bytes and its hash differ; check the sender's memory";
    this.fail(entry, { code: "CONTENT_MISMATCH", reason });
  }
}
