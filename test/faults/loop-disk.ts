/** A small disk of its own, in a file: it can be cut from its power, and filled. */

import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Stage } from "../netlab/hosts.ts";
import { NotHere, until } from "./stage.ts";

/** A file system, and how it is mounted. */
export interface DiskKind {
  system: "ext4" | "xfs" | "tmpfs";
  options?: string;
}

/** A mounted disk; it goes when the stage is cleared. */
export class LoopDisk {
  /** Where it is mounted. */
  readonly path: string;
  readonly #image: string;
  readonly #kind: DiskKind;
  readonly #bytes: number;

  constructor(stage: Stage, folder: string, kind: DiskKind, bytes: number) {
    this.path = join(folder, "mounts", "disk");
    this.#image = join(folder, "disk.image");
    this.#kind = kind;
    this.#bytes = bytes;
    mkdirSync(this.path, { recursive: true });
    shareMountsIn(stage, join(folder, "mounts"));
    if (kind.system !== "tmpfs") {
      writeFileSync(this.#image, "");
      truncateSync(this.#image, bytes);
      const made = spawnSync(`mkfs.${kind.system}`, ["-q", this.#image], { encoding: "utf8" });
      if (made.error) throw new NotHere(`there is no mkfs.${kind.system}`);
      if (made.status !== 0) throw new Error(made.stderr);
    }
    this.#mount();
    stage.after(() => this.#unmount());
  }

  /** What is not on disk now is lost; the disk fails until {@link remount}. */
  cutPower(): void {
    execFileSync("python3", ["-c", shutdown, this.path]);
  }

  /** Brings the disk back, as the next start of the machine does. */
  async remount(): Promise<void> {
    await this.#unmount();
    this.#mount();
  }

  /** Takes all the room that is left; returns what gives it back. */
  fill(): () => Promise<void> {
    const path = join(this.path, "filler");
    const handle = openSync(path, "wx");
    for (const block of [2 ** 20, 4096]) {
      try {
        for (;;) writeSync(handle, Buffer.alloc(block));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      }
    }
    closeSync(handle);
    return () => rm(path);
  }

  #mount(): void {
    const { system, options = "defaults" } = this.#kind;
    const [type, source] = system === "tmpfs" ? ["tmpfs", "tmpfs"] : [system, this.#image];
    const all = system === "tmpfs" ? `size=${this.#bytes}` : `loop,${options}`;
    const mounted = spawnSync("mount", ["-t", type, "-o", all, source, this.path]);
    if (mounted.status === 0) return;
    const said = mounted.stderr.toString().trim();
    throw new NotHere(`this machine mounts no ${system} (${options}): ${said}`);
  }

  #unmount(): Promise<void> {
    return unmount(this.path);
  }
}

/**
 * Lets what is mounted in a folder come and go for all processes.
 *
 * The commands on netlab's hosts have mounts of their own, which would keep a disk from going.
 */
function shareMountsIn(stage: Stage, folder: string): void {
  execFileSync("mount", ["--bind", folder, folder]);
  stage.after(() => unmount(folder));
  execFileSync("mount", ["--make-shared", folder]);
}

async function unmount(path: string): Promise<void> {
  await until(() => spawnSync("umount", [path]).status === 0, `the end of the mount at ${path}`);
}

/** FS_IOC_SHUTDOWN with "no flush of the log". */
const shutdown = `
import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack("I", 2))
`;
