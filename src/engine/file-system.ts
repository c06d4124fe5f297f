/**
 * What the rest of quiver needs of a file system: folders that are held open, and files below them.
 *
 * Paths, sizes and failures are as `engine.ts` says.
 */

/** A run of pieces of one file. Only the last piece of the file is shorter than `pieceBytes`. */
export interface PieceRun {
  /** First byte; a multiple of `pieceBytes`. */
  offset: number;
  /** Bytes; a multiple of `pieceBytes` unless it ends at `fileBytes`. 0 only for an empty file: one empty piece. */
  length: number;
  /** A power of two, at least 1,024. */
  pieceBytes: number;
  fileBytes: number;
}

/** What kind of thing stands in a folder. `other`: a socket, device or FIFO. */
export type FileKind = "file" | "folder" | "link" | "other";

/** What a folder says of one thing in it, without following a link. */
export interface FileStat {
  kind: FileKind;
  /** Size in bytes; 0 for all but files. */
  bytes: number;
  /** Permission bits (0o777); a system without them says 0o755 or 0o644. */
  mode: number;
  /** Milliseconds since 1970, with fraction cut. */
  mtimeMs: number;
  /** Tells two files apart even when a path is reused: device and file number. */
  identity: string;
}

/** One thing in a folder. */
export interface FolderEntry extends Omit<FileStat, "identity"> {
  name: string;
}

/** A directory that is held open; everything below is resolved from the handle, never from a string. */
export interface Folder {
  /** Opens a folder below. A link on the way is refused. */
  openFolder(path: string): Promise<Folder>;
  /** The things in a folder below, sorted by the bytes of their names. */
  list(path: string): Promise<FolderEntry[]>;
  /** The same for many, and much quicker than one by one; of one that cannot be listed, why. */
  listEach(paths: readonly string[]): Promise<(FolderEntry[] | Error)[]>;
  /** What stands at a path; null if nothing. */
  stat(path: string): Promise<FileStat | null>;
  /** The text of a link. */
  readLink(path: string): Promise<string>;
  /** Opens a file for reading. `memoryMap` reads it through a mapping instead of positioned reads. */
  openSource(path: string, options: { memoryMap: boolean }): Promise<SourceFile>;
  /** Creates a file that must not exist, with its blocks reserved. `DISK_FULL` when they are not to be had. */
  createPartial(path: string, bytes: number, mode: number): Promise<PartialFile>;
  /**
   * Opens an ordinary file to write on where another process left it; a link is not followed.
   *
   * It is cut or extended to `bytes`, its blocks reserved. `DISK_MISSING`, `DISK_DENIED`, `DISK_FULL`.
   */
  openPartial(path: string, bytes: number): Promise<PartialFile>;
  /**
   * Opens a log and creates it (mode 0600) if nothing is there; a link is not followed.
   *
   * It is locked until it is closed or the process ends: `DISK_BUSY` while anybody else has it open.
   */
  openLog(path: string): Promise<LogFile>;
  /** Creates a folder; its parent must exist. `DISK_EXISTS` if the name is taken. */
  createFolder(path: string): Promise<void>;
  /** The same for many, in this order, until one fails; much quicker than one by one. */
  createFolders(paths: readonly string[]): Promise<void>;
  /** Creates a symbolic link with the text `target`. */
  createLink(path: string, target: string): Promise<void>;
  /** Moves what stands at `from` to `to` below another folder of the same disk; atomic. Without `replace`, `DISK_EXISTS` if `to` is taken. */
  rename(from: string, target: Folder, to: string, options: { replace: boolean }): Promise<void>;
  /** Removes a file, a link, or a folder with all that is in it; links are not followed. Nothing there is fine. */
  remove(path: string): Promise<void>;
  /** Sets permission bits and mtime of a file or folder; never through a link. */
  setMetadata(path: string, metadata: { mode: number; mtimeMs: number }): Promise<void>;
  /** Takes from a file or folder the permission bits that `mode` lacks, and sets its mtime; never through a link. */
  restrict(path: string, metadata: { mode: number; mtimeMs: number }): Promise<void>;
  /** The same for many, in this order and much quicker than one by one; says of each why it failed, or null. */
  restrictEach(things: readonly Restriction[]): Promise<(Error | null)[]>;
  /** Returns when everything written below this folder is on the disk, names included. */
  syncAll(): Promise<void>;
  /** Returns when the folder's own list of names is on the disk. */
  sync(): Promise<void>;
  /** Whether the folder is this user's, and nobody else may change what is in it. */
  isOwn(): Promise<boolean>;
  /** Bytes that this user may still write on the folder's disk. */
  freeBytes(): Promise<number>;
  close(): Promise<void>;
}

/** What a file or folder is to be like. */
export interface Restriction {
  path: string;
  /** The permission bits that it may keep. */
  mode: number;
  /** Milliseconds since 1970. */
  mtimeMs: number;
}

/** A file that is read. */
export interface SourceFile {
  /** What it was when it was opened. */
  readonly opened: FileStat;
  /** What it is now. */
  stat(): Promise<FileStat>;
  /** The bytes of a range. `SOURCE_CHANGED` where the file is shorter. */
  readRange(range: { offset: number; length: number }): Promise<Uint8Array>;
  /** The values of a run's pieces, 32 bytes a piece, in order. `SOURCE_CHANGED` where the file is shorter. */
  hashRun(run: PieceRun): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** A file that is being received. Written at any offset, by any number of lanes. */
export interface PartialFile {
  /** What it is now. */
  stat(): Promise<FileStat>;
  /** Copies bytes of another file to the same offset here. `SOURCE_CHANGED` where the other is shorter. */
  copyFrom(source: SourceFile, range: { offset: number; length: number }): Promise<void>;
  /** Returns when its bytes and size are on the disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** A file that grows at its end only, by one process at a time. */
export interface LogFile {
  /** Its bytes in a range; fewer where it ends before. `LIMIT_EXCEEDED` where they are over 1 GiB. */
  read(range: { offset: number; length: number }): Promise<Uint8Array>;
  /** Adds bytes at the end; they are on the disk after {@link LogFile.sync}. */
  append(bytes: Uint8Array): Promise<void>;
  /** Cuts it to its first `bytes` bytes. */
  truncate(bytes: number): Promise<void>;
  /** Returns when its bytes and size are on the disk. */
  sync(): Promise<void>;
  /** Frees the file and its lock. Twice is fine. */
  close(): Promise<void>;
}
