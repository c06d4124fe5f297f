/** Open files in memory. */

import { TransferError } from "../errors.ts";
import type { FileStat, PartialFile, SourceFile } from "./engine.ts";
import { type DiskNode, type MemoryDisk, statOf } from "./memory-disk.ts";

/** A file that is read; it stays readable after its name is gone. */
export class MemorySourceFile implements SourceFile {
  readonly opened: FileStat;
  readonly #disk: MemoryDisk;
  readonly #node: DiskNode;

  /** Opens a file of a disk. */
  constructor(disk: MemoryDisk, node: DiskNode) {
    this.#disk = disk;
    this.#node = node;
    this.opened = statOf(node);
  }

  /** Bytes of the file, or why they cannot be had. */
  read(offset: number, length: number): Uint8Array | TransferError {
    try {
      this.#disk.check("read");
    } catch (error) {
      if (error instanceof TransferError) return error;
      throw error;
    }
    const bytes = this.#node.bytes.slice(offset, offset + length);
    if (bytes.length === length) return bytes;
    return new TransferError("SOURCE_CHANGED", `the file has shrunk below ${offset + length}`);
  }

  /** See {@link SourceFile.stat}. */
  async stat(): Promise<FileStat> {
    this.#disk.check("stat");
    return statOf(this.#node);
  }

  /** See {@link SourceFile.close}. */
  async close(): Promise<void> {}
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

  /** Puts bytes at a place that was reserved. */
  write(offset: number, bytes: Uint8Array): void {
    this.#disk.check("write");
    this.#node.bytes.set(bytes, offset);
    this.#node.mtimeMs = this.#disk.now();
  }

  /** Sets the mtime, as a bundle does for each of its files. */
  setMtime(mtimeMs: number): void {
    this.#node.mtimeMs = mtimeMs;
  }

  /** See {@link PartialFile.sync}. */
  async sync(): Promise<void> {
    this.#disk.check("sync");
  }

  /** See {@link PartialFile.close}. */
  async close(): Promise<void> {}
}
