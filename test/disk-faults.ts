/** Failures of disks in memory that name the file, as those of the native engine do. */

import type { TestContext } from "node:test";
import type { DiskOperation, MemoryDisk } from "../src/engine/memory-disk.ts";
import { MemoryPartialFile, MemorySourceFile } from "../src/engine/memory-files.ts";
import { MemoryFolder } from "../src/engine/memory-folder.ts";
import { MemoryLogFile } from "../src/engine/memory-log.ts";
import { type ErrorCode, TransferError } from "../src/errors.ts";
import { atEnd } from "./ending.ts";

/** What is to fail. */
export interface FaultOptions {
  operation: DiskOperation;
  n: number;
  code: ErrorCode;
  met?: () => void;
}

/** A failure that a test has ordered. */
export interface Fault {
  /** The path of what failed, below the folder of the call; null while nothing has. */
  readonly path: string | null;
  /** Orders nothing any more. */
  restore(): void;
}

/** Orders failures; see the file's head. */
export class DiskFaults {
  readonly #t: TestContext;
  readonly #paths = new WeakMap<object, string>();
  /** The path of the call that is beginning. */
  #current = "";

  constructor(t: TestContext) {
    this.#t = t;
    for (const name of folderCalls) this.#follow(MemoryFolder.prototype, name);
    for (const name of ["write", "sync", "copyFrom"]) {
      this.#follow(MemoryPartialFile.prototype, name);
    }
    for (const name of ["read", "hashRun"]) this.#follow(MemorySourceFile.prototype, name);
    for (const name of ["read", "append", "truncate", "sync"]) {
      this.#follow(MemoryLogFile.prototype, name);
    }
  }

  /** Lets the n-th such operation of a disk fail, from now on; `met` is called just before. */
  at(disk: MemoryDisk, { operation, n, code, met }: FaultOptions): Fault {
    const check = disk.check.bind(disk);
    let left = n;
    let path: string | null = null;
    const mock = this.#t.mock.method(disk, "check", (done: DiskOperation) => {
      if (done === operation) left -= 1;
      if (done !== operation || left !== 0) return check(done);
      path = this.#current;
      met?.();
      throw new TransferError(code, `${path === "" ? "." : path}: ${operation} failed`);
    });
    return {
      get path() {
        return path;
      },
      restore: () => mock.mock.restore(),
    };
  }

  /** Notes the path that each call of a method is about. */
  #follow(owner: object, name: string): void {
    const original = Reflect.get(owner, name);
    const paths = this.#paths;
    const begin = (path: string) => {
      this.#current = path;
    };
    Reflect.set(owner, name, function (this: object, ...given: unknown[]) {
      const [first] = given;
      const path = typeof first === "string" ? first : (paths.get(this) ?? "");
      begin(path);
      const result: unknown = Reflect.apply(original, this, given);
      if (fileCalls.has(name)) {
        const note = (file: object) => paths.set(file, path);
        (result as Promise<object>).then(note).catch(() => {});
      }
      return result;
    });
    atEnd(this.#t, () => Reflect.set(owner, name, original));
  }
}

const folderCalls = [
  "openFolder",
  "list",
  "stat",
  "readLink",
  "openSource",
  "createPartial",
  "openPartial",
  "openLog",
  "createFolder",
  "createLink",
  "rename",
  "remove",
  "setMetadata",
  "syncAll",
  "sync",
  "freeBytes",
] as const;

/** What opens a file. */
const fileCalls = new Set(["openSource", "createPartial", "openPartial", "openLog"]);
