/** The files of a receipt, each made when it is looked at: held at once, a million would take 300 MB. */

import type { Manifest } from "../protocol/manifest.ts";
import type { FileResult } from "../protocol/messages.ts";
import type { ReceiptFile, ReceiptFiles } from "./events.ts";

/** Makes files anew each time: all, and those that are not as they were offered. */
export interface FileMaker {
  all: () => Iterator<ReceiptFile>;
  notAsOffered: () => Iterator<ReceiptFile>;
}

/** So many files that are made as they are asked for. */
export class MadeFiles implements ReceiptFiles {
  readonly length: number;
  readonly #make: FileMaker;

  constructor(length: number, make: FileMaker) {
    this.length = length;
    this.#make = make;
  }

  get notAsOffered(): Iterable<ReceiptFile> {
    return { [Symbol.iterator]: this.#make.notAsOffered };
  }

  [Symbol.iterator](): Iterator<ReceiptFile> {
    return this.#make.all();
  }

  /** What `JSON.stringify` writes: the list. */
  toJSON(): ReceiptFile[] {
    return [...this];
  }
}

/** A result as people and programs see it. */
export function receiptFile(manifest: Manifest, result: FileResult): ReceiptFile {
  const { entry, status, hash, savedAs, code, reason } = result;
  const file: ReceiptFile = {
    path: manifest.path(entry),
    size: manifest.entry(entry).bytes,
    blake3: Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString("hex"),
    status,
  };
  if (savedAs !== "") file.savedAs = savedAs;
  if (code !== null) file.code = code;
  if (reason !== "") file.reason = reason;
  return file;
}
