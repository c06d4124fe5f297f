/** Bundles of small files between a stream and a folder, both in memory. */

import { TransferError } from "../errors.ts";
import type { BundledResult, BundledSource, BundledTarget, Folder } from "./engine.ts";
import { MemoryFolder } from "./memory-folder.ts";
import { VALUE_BYTES } from "./memory-hash.ts";
import {
  type PieceReader,
  type PieceWriter,
  readPiece,
  writeAbsentPiece,
  writePiece,
} from "./memory-piece.ts";

/** See `SendStream.sendBundle`. */
export async function sendBundle(
  writer: PieceWriter,
  folder: Folder,
  files: readonly BundledSource[],
): Promise<BundledResult[]> {
  const results: BundledResult[] = [];
  for (const file of files) {
    const reading = () => readWhole(folder, file);
    const bytes = await writer.pipe.spent.write.during("disk", reading);
    if (bytes instanceof Error) {
      await writeAbsentPiece(writer);
      results.push({ hash: noHash(), status: "absent", failure: bytes });
    } else {
      const hash = await writePiece(writer, bytes, wholeFile);
      results.push({ hash, status: "ok", failure: null });
    }
  }
  return results;
}

/** See `ReceiveStream.receiveBundle`. */
export async function receiveBundle(
  reader: PieceReader,
  folder: Folder,
  targets: readonly BundledTarget[],
): Promise<BundledResult[]> {
  if (!(folder instanceof MemoryFolder)) throw new TypeError("a folder of another engine");
  const results: BundledResult[] = [];
  for (const target of targets) {
    const piece = await readPiece(reader, target.bytes, wholeFile);
    if (!piece) {
      results.push({ hash: noHash(), status: "absent", failure: null });
    } else if (!piece.isProven) {
      results.push({ hash: piece.value, status: "bad", failure: null });
    } else {
      const writing = () => createWhole(folder, target, piece.bytes);
      const failure = await reader.pipe.spent.read.during("disk", writing);
      results.push({ hash: piece.value, status: failure ? "failed" : "ok", failure });
    }
  }
  return results;
}

async function readWhole(folder: Folder, file: BundledSource): Promise<Uint8Array | Error> {
  if (!(folder instanceof MemoryFolder)) throw new TypeError("a folder of another engine");
  try {
    const source = await folder.openSource(file.path);
    const { bytes, mtimeMs } = source.opened;
    if (bytes === file.bytes && mtimeMs === file.mtimeMs) return source.read(0, file.bytes);
    return new TransferError("SOURCE_CHANGED", `${file.path} has changed since it was offered`);
  } catch (error) {
    if (error instanceof TransferError) return error;
    throw error;
  }
}

async function createWhole(
  folder: MemoryFolder,
  target: BundledTarget,
  bytes: Uint8Array,
): Promise<TransferError | null> {
  try {
    const partial = await folder.createPartial(target.path, target.bytes, target.mode);
    partial.write(0, bytes);
    partial.setMtime(target.mtimeMs);
    return null;
  } catch (error) {
    if (error instanceof TransferError) return error;
    throw error;
  }
}

function noHash(): Uint8Array {
  return new Uint8Array(VALUE_BYTES);
}

const wholeFile = { offset: 0, isWholeFile: true };
