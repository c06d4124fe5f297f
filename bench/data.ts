/** Makes what the benchmark sends: once, below one folder. */

import { execFileSync } from "node:child_process";
import { randomFillSync } from "node:crypto";
import {
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join, sep } from "node:path";
import type { DataChoice } from "./options.ts";
import { TextWriter } from "./text.ts";

/** A file or a folder that is ready to be sent. */
export interface Data {
  path: string;
  isFolder: boolean;
  /** Regular files in it, and their bytes. */
  files: number;
  bytes: number;
}

/** Makes the data that was chosen, below a folder that does not exist yet. */
export function makeData(choice: DataChoice, folder: string, signal: AbortSignal): Data {
  mkdirSync(folder);
  switch (choice.kind) {
    case "random":
      return file(join(folder, "random.bin"), choice.bytes, signal, randomFillSync);
    case "text": {
      const writer = new TextWriter();
      return file(join(folder, "text.txt"), choice.bytes, signal, (block) => writer.fill(block));
    }
    case "small-files":
      return smallFiles(join(folder, "small-files"), choice.files, signal);
    case "tree":
      return tree(join(folder, "tree"), choice.tree);
  }
}

/** Compares byte by byte; nothing of this is in the time. */
export function verify(data: Data, copy: string): void {
  const [program, ...args] = data.isFolder
    ? (["diff", "-rq", "--no-dereference"] as const)
    : (["cmp", "-s"] as const);
  try {
    execFileSync(program, [...args, data.path, copy], { stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    throw new Error("the copy differs from the source", { cause: error });
  }
}

function file(
  path: string,
  bytes: number,
  signal: AbortSignal,
  fill: (block: Buffer) => void,
): Data {
  const handle = openSync(path, "wx");
  try {
    const block = Buffer.alloc(blockBytes);
    for (let left = bytes; left > 0; left -= blockBytes) {
      signal.throwIfAborted();
      fill(block);
      writeSync(handle, block, 0, Math.min(left, blockBytes));
    }
  } finally {
    closeSync(handle);
  }
  return { path, isFolder: false, files: 1, bytes };
}

/** Files of random bytes, a hundred to a folder. */
function smallFiles(path: string, files: number, signal: AbortSignal): Data {
  const block = Buffer.alloc(smallFileBytes);
  mkdirSync(path);
  for (let index = 0; index < files; index += 1) {
    const folder = join(path, `folder-${Math.floor(index / filesPerFolder)}`);
    if (index % filesPerFolder === 0) {
      signal.throwIfAborted();
      mkdirSync(folder);
    }
    writeFileSync(join(folder, `file-${index % filesPerFolder}`), randomFillSync(block));
  }
  return { path, isFolder: true, files, bytes: files * smallFileBytes };
}

/** A copy of a tree of this machine, without what the tools treat differently (links that lead out). */
function tree(path: string, from: string): Data {
  execFileSync("cp", ["-a", "--", from, path]);
  const count = { files: 0, bytes: 0 };
  tidy(path, realpathSync(path), count);
  return { path, isFolder: true, ...count };
}

function tidy(folder: string, top: string, count: { files: number; bytes: number }): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const stat = lstatSync(path);
    if (stat.isDirectory()) tidy(path, top, count);
    else if (stat.isFile()) {
      count.files += 1;
      count.bytes += stat.size;
    } else if (!stat.isSymbolicLink() || !leadsInside(path, top)) {
      execFileSync("rm", ["--", path]);
    }
  }
}

function leadsInside(link: string, top: string): boolean {
  try {
    return realpathSync(link).startsWith(top + sep);
  } catch {
    // It leads nowhere.
    return false;
  }
}

const blockBytes = 4 * 2 ** 20;
const smallFileBytes = 4096;
const filesPerFolder = 100;
