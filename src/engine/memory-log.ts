/** An open log in memory. */

import { TransferError } from "../errors.ts";
import type { LogFile } from "./engine.ts";
import type { MemoryDisk } from "./memory-disk.ts";
import type { DiskNode } from "./memory-node.ts";

/** A file of a {@link MemoryDisk} that its opener has locked. */
export class MemoryLogFile implements LogFile {
  readonly #disk: MemoryDisk;
  #node: DiskNode | null;

  /** Takes a file that is locked already. */
  constructor(disk: MemoryDisk, node: DiskNode) {
    this.#disk = disk;
    this.#node = node;
  }

  /** See {@link LogFile.read}. */
  async read({ offset, length }: { offset: number; length: number }): Promise<Uint8Array> {
    const node = this.#open();
    this.#disk.check("readLog");
    return node.bytes.slice(offset, offset + length);
  }

  /** See {@link LogFile.append}. */
  async append(bytes: Uint8Array): Promise<void> {
    const node = this.#open();
    this.#disk.check("append");
    this.#disk.reserve(bytes.length);
    this.#disk.writeAt(node, node.bytes.length, bytes);
  }

  /** See {@link LogFile.truncate}. */
  async truncate(bytes: number): Promise<void> {
    const node = this.#open();
    this.#disk.check("truncate");
    if (bytes >= node.bytes.length) return;
    this.#disk.reserve(bytes - node.bytes.length);
    this.#disk.resize(node, bytes);
  }

  /** See {@link LogFile.sync}. */
  async sync(): Promise<void> {
    const node = this.#open();
    this.#disk.check("syncLog");
    this.#disk.change({ kind: "sync", nodes: [node] });
  }

  /** See {@link LogFile.close}. */
  async close(): Promise<void> {
    if (this.#node) this.#disk.unlock(this.#node);
    this.#node = null;
  }

  #open(): DiskNode {
    if (this.#node) return this.#node;
    throw new TransferError("CANCELLED", "the log was closed on this side");
  }
}
