/** Folders and files of the native engine: names become bytes here, and packed lists become objects. */

import { TransferError } from "../errors.ts";
import { decodeName, encodeName } from "../lossless-name.ts";
import type {
  FileKind,
  FileStat,
  Folder,
  FolderEntry,
  LogFile,
  PartialFile,
  PieceRun,
  Restriction,
  SourceFile,
} from "./engine.ts";
import type {
  AddonFolder,
  AddonLogFile,
  AddonPartialFile,
  AddonSourceFile,
  AddonStat,
} from "./native-addon.ts";
import { native, reasonsOf } from "./native-error.ts";
import { packPaths, packThings } from "./native-list.ts";

/** A folder of the native engine. */
export class NativeFolder implements Folder {
  /** The addon's handle, for the verbs of streams. */
  readonly handle: AddonFolder;

  /** Wraps a handle. */
  constructor(handle: AddonFolder) {
    this.handle = handle;
  }

  async openFolder(path: string): Promise<Folder> {
    return new NativeFolder(await native(this.handle.openFolder(encodeName(path))));
  }

  async list(path: string): Promise<FolderEntry[]> {
    const [things = []] = await this.listEach([path]);
    if (things instanceof Error) throw things;
    return things;
  }

  async listEach(paths: readonly string[]): Promise<(FolderEntry[] | Error)[]> {
    const { packed, failures } = await native(this.handle.listEach(packPaths(paths)));
    const reasons = reasonsOf(failures);
    const { buffer, byteOffset } = packed;
    let next = 0;
    return paths.map((_, position) => {
      const start = next + LENGTH_BYTES;
      next = start + new DataView(buffer, byteOffset + next).getUint32(0, true);
      return reasons.get(position) ?? unpackEntries(packed.subarray(start, next));
    });
  }

  async stat(path: string): Promise<FileStat | null> {
    const stat = await native(this.handle.stat(encodeName(path)));
    return stat === null ? null : fileStat(stat);
  }

  async readLink(path: string): Promise<string> {
    return decodeName(await native(this.handle.readLink(encodeName(path))));
  }

  async openSource(path: string, { memoryMap }: { memoryMap: boolean }): Promise<SourceFile> {
    return new NativeSourceFile(await native(this.handle.openSource(encodeName(path), memoryMap)));
  }

  async createPartial(path: string, bytes: number, mode: number): Promise<PartialFile> {
    const handle = await native(this.handle.createPartial(encodeName(path), bytes, mode));
    return new NativePartialFile(handle);
  }

  async openPartial(path: string, bytes: number): Promise<PartialFile> {
    return new NativePartialFile(await native(this.handle.openPartial(encodeName(path), bytes)));
  }

  async openLog(path: string): Promise<LogFile> {
    return new NativeLogFile(await native(this.handle.openLog(encodeName(path))));
  }

  async createFolder(path: string): Promise<void> {
    await this.createFolders([path]);
  }

  async createFolders(paths: readonly string[]): Promise<void> {
    await native(this.handle.createFolders(packPaths(paths)));
  }

  async createLink(path: string, target: string): Promise<void> {
    await native(this.handle.createLink(encodeName(path), encodeName(target)));
  }

  async rename(
    from: string,
    target: Folder,
    to: string,
    { replace }: { replace: boolean },
  ): Promise<void> {
    const handle = folderHandle(target);
    await native(this.handle.rename(encodeName(from), handle, encodeName(to), replace));
  }

  async remove(path: string): Promise<void> {
    await native(this.handle.remove(encodeName(path)));
  }

  async setMetadata(
    path: string,
    { mode, mtimeMs }: { mode: number; mtimeMs: number },
  ): Promise<void> {
    await native(this.handle.setMetadata(encodeName(path), mode, mtimeMs));
  }

  async restrict(path: string, metadata: { mode: number; mtimeMs: number }): Promise<void> {
    const [failure] = await this.restrictEach([{ path, ...metadata }]);
    if (failure) throw failure;
  }

  async restrictEach(things: readonly Restriction[]): Promise<(Error | null)[]> {
    const reasons = reasonsOf(await native(this.handle.restrictEach(packThings(things))));
    return things.map((_, position) => reasons.get(position) ?? null);
  }

  async syncAll(): Promise<void> {
    await native(this.handle.syncAll());
  }

  async sync(): Promise<void> {
    await native(this.handle.sync());
  }

  async isOwn(): Promise<boolean> {
    return await native(this.handle.isOwn());
  }

  async freeBytes(): Promise<number> {
    return await native(this.handle.freeBytes());
  }

  async close(): Promise<void> {
    this.handle.close();
  }
}

/** A file that is read by the native engine. */
export class NativeSourceFile implements SourceFile {
  /** The addon's handle, for the verbs of streams. */
  readonly handle: AddonSourceFile;
  readonly opened: FileStat;

  /** Wraps a handle. */
  constructor(handle: AddonSourceFile) {
    this.handle = handle;
    this.opened = fileStat(handle.opened);
  }

  async stat(): Promise<FileStat> {
    return fileStat(await native(this.handle.stat()));
  }

  async readRange({ offset, length }: { offset: number; length: number }): Promise<Uint8Array> {
    return await native(this.handle.readRange(offset, length));
  }

  async hashRun(run: PieceRun): Promise<Uint8Array> {
    return await native(this.handle.hashRun(run));
  }

  async close(): Promise<void> {
    this.handle.close();
  }
}

/** A file that is received by the native engine. */
class NativePartialFile implements PartialFile {
  /** The addon's handle, for the verbs of streams. */
  readonly handle: AddonPartialFile;

  /** Wraps a handle. */
  constructor(handle: AddonPartialFile) {
    this.handle = handle;
  }

  async stat(): Promise<FileStat> {
    return fileStat(await native(this.handle.stat()));
  }

  async copyFrom(
    source: SourceFile,
    { offset, length }: { offset: number; length: number },
  ): Promise<void> {
    await native(this.handle.copyFrom(sourceHandle(source), offset, length));
  }

  async sync(): Promise<void> {
    await native(this.handle.sync());
  }

  async close(): Promise<void> {
    this.handle.close();
  }
}

/** A log of the native engine. */
class NativeLogFile implements LogFile {
  readonly #handle: AddonLogFile;

  constructor(handle: AddonLogFile) {
    this.#handle = handle;
  }

  async read({ offset, length }: { offset: number; length: number }): Promise<Uint8Array> {
    return await native(this.#handle.read(offset, length));
  }

  async append(bytes: Uint8Array): Promise<void> {
    await native(this.#handle.append(bytes));
  }

  async truncate(bytes: number): Promise<void> {
    await native(this.#handle.truncate(bytes));
  }

  async sync(): Promise<void> {
    await native(this.#handle.sync());
  }

  async close(): Promise<void> {
    this.#handle.close();
  }
}

/** The addon's handle of a folder; a folder of another engine is a mistake of the program. */
export function folderHandle(folder: Folder): AddonFolder {
  if (!(folder instanceof NativeFolder)) throw new TypeError("the folder is of another engine");
  return folder.handle;
}

/** The addon's handle of a file that is read. */
export function sourceHandle(source: SourceFile): AddonSourceFile {
  if (!(source instanceof NativeSourceFile)) throw new TypeError("the file is of another engine");
  return source.handle;
}

/** The addon's handle of a file that is received. */
export function partialHandle(partial: PartialFile): AddonPartialFile {
  if (!(partial instanceof NativePartialFile)) throw new TypeError("the file is of another engine");
  return partial.handle;
}

function fileStat({ kind, bytes, mode, mtimeMs, identity }: AddonStat): FileStat {
  return { kind: kindOf(kind), bytes, mode, mtimeMs, identity };
}

/** Reads the records that `native/src/listing.rs` writes. */
function unpackEntries(packed: Uint8Array): FolderEntry[] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const entries: FolderEntry[] = [];
  let at = 0;
  while (at < packed.byteLength) {
    const nameAt = at + RECORD_BYTES;
    const nameEnd = nameAt + view.getUint32(at, true);
    entries.push({
      name: decodeName(packed.subarray(nameAt, nameEnd)),
      kind: kindOf(view.getUint8(at + 4)),
      mode: view.getUint16(at + 6, true),
      bytes: view.getFloat64(at + 8, true),
      mtimeMs: view.getFloat64(at + 16, true),
    });
    at = nameEnd;
  }
  return entries;
}

function kindOf(number: number): FileKind {
  const kind = KINDS[number];
  if (kind === undefined)
    throw new TransferError("DISK_FAILED", `the addon names no kind ${number}`);
  return kind;
}

const KINDS: readonly FileKind[] = ["file", "folder", "link", "other"];
const RECORD_BYTES = 24;
const LENGTH_BYTES = 4;
