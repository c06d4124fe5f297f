/** Open files in memory. */

import { TransferError } from "../errors.ts";
import type { FileStat, PartialFile, PieceRun, SourceFile } from "./engine.ts";
import type { MemoryDisk } from "./memory-disk.ts";
import { pieceValue } from "./memory-hash.ts";
import { type DiskNode, statOf } from "./memory-node.ts";
import { piecesOf } from "./memory-piece.ts";

/** A file that is read; it stays readable after its name is gone. */
export class MemorySourceFile implements SourceFile {
  readonly opened: FileStat;
  readonly #disk: MemoryDisk;
  readonly #node: DiskNode;

  /** Opens a file of a disk. */
  constructor(disk: MemoryDisk, node: DiskNode, opened: FileStat = statOf(node)) {
    this.#disk = disk;
    this.#node = node;
    this.opened = opened;
  }

  /** Bytes of the file; `SOURCE_CHANGED` where it is shorter. */
  read(offset: number, length: number): Uint8Array {
    this.#disk.check("read");
    const bytes = this.#node.bytes.slice(offset, offset + length);
    if (bytes.length === length) return bytes;
    throw new TransferError("SOURCE_CHANGED", `the file has shrunk below ${offset + length}`);
  }

  /** See {@link SourceFile.stat}. */
  async stat(): Promise<FileStat> {
    this.#disk.check("stat");
    return statOf(this.#node);
  }

  /** See {@link SourceFile.readRange}. */
  async readRange({ offset, length }: { offset: number; length: number }): Promise<Uint8Array> {
    return this.read(offset, length);
  }

  /** See {@link SourceFile.hashRun}. */
  async hashRun(run: PieceRun): Promise<Uint8Array> {
    this.#disk.check("hash");
    const values: Uint8Array[] = [];
    for (const piece of piecesOf(run)) {
      values.push(pieceValue(this.read(piece.offset, piece.bytes), piece));
    }
    return Buffer.concat(values);
  }

  /** See {@link SourceFile.close}. */
  async close(): Promise<void> {}
}

/** Bytes that have no file of their own. */
export class MemoryHeldBytes extends MemorySourceFile {
  readonly #start: number;

  /** Copies bytes that stand at an offset. */
  constructor(disk: MemoryDisk, bytes: Uint8Array, start: number) {
    const node = Object.assign(disk.create("file"), { bytes: new Uint8Array(bytes) });
    super(disk, node, { ...statOf(node), bytes: start + bytes.length });
    this.#start = start;
  }

  /** See {@link MemorySourceFile.read}. */
  override read(offset: number, length: number): Uint8Array {
    if (offset >= this.#start) return super.read(offset - this.#start, length);
    throw new TransferError("SOURCE_CHANGED", `the bytes at ${offset} are not held`);
  }
}

/** A file that is written. */
export class MemoryPartialFile implements PartialFile {
  readonly #disk: MemoryDisk;
  readonly #node: DiskNode;

  /** Opens a file of a disk, whose bytes are there already. */
  constructor(disk: MemoryDisk, node: DiskNode) {
    this.#disk = disk;
    this.#node = node;
  }

  /** Puts bytes at a place that was reserved, or takes space for them. */
  write(offset: number, bytes: Uint8Array): void {
    this.#disk.check("write");
    this.#disk.reserve(Math.max(0, offset + bytes.length - this.#node.bytes.length));
    this.#disk.writeAt(this.#node, offset, bytes);
  }

  /** Sets the mtime, as a bundle does for each of its files. */
  setMtime(mtimeMs: number): void {
    const node = this.#node;
    this.#disk.change({ kind: "metadata", node, mode: node.mode, mtimeMs });
  }

  /** See {@link PartialFile.stat}. */
  async stat(): Promise<FileStat> {
    this.#disk.check("stat");
    return statOf(this.#node);
  }

  /** See {@link PartialFile.copyFrom}. */
  async copyFrom(
    source: SourceFile,
    { offset, length }: { offset: number; length: number },
  ): Promise<void> {
    if (!(source instanceof MemorySourceFile)) throw new TypeError("a file of another engine");
    this.#disk.check("copy");
    this.write(offset, source.read(offset, length));
  }

  /** See {@link PartialFile.sync}. */
  async sync(): Promise<void> {
    this.#disk.check("sync");
    this.#disk.change({ kind: "sync", nodes: [this.#node] });
  }

  /** See {@link PartialFile.close}. */
  async close(): Promise<void> {}
}
