/** Limits of the machine for one process: words before a command, and groups of the kernel. */

import { existsSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Stage } from "../netlab/hosts.ts";
import { NotHere, until } from "./stage.ts";

/** A control group of its own with one limit; it goes when the stage is cleared. */
export class Group {
  readonly #path: string;

  /** `memory` in bytes, `pids` in processes and threads, the others in the kernel's words. */
  constructor(stage: Stage, controller: keyof typeof settings, limit: number | string) {
    const above = [join(groups, controller), groups].find((path) =>
      hasController(path, controller),
    );
    if (!above) throw new NotHere(`this machine limits no ${controller} of a group`);
    this.#path = join(above, `quiver-${process.pid}-${made++}`);
    const path = this.#path;
    try {
      mkdirSync(path);
    } catch (error) {
      throw new NotHere(`no group may be made in ${above}`, { cause: error });
    }
    stage.after(async () => {
      const isEmpty = () => readFileSync(join(path, "cgroup.procs"), "utf8") === "";
      await until(isEmpty, `the end of what is in ${path}`);
      rmdirSync(path);
    });
    this.#set(settings[controller], limit);
  }

  /** The words before a command that is to run in it. */
  get words(): string[] {
    return ["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', this.#path];
  }

  /** Lets it have no more processes and threads than it has. */
  freeze(): void {
    this.#set(settings.pids, Number(readFileSync(join(this.#path, "pids.current"), "utf8")));
  }

  /** The most memory that it has had, caches of files included; NaN where nobody counts. */
  get mostBytes(): number {
    const found = mostNames.map((name) => join(this.#path, name)).find((path) => existsSync(path));
    return found ? Number(readFileSync(found, "utf8")) : Number.NaN;
  }

  /** A group of the first kind of the kernel has one name, one of the second another. */
  #set(names: readonly string[], value: number | string): void {
    const name = names.find((one) => existsSync(join(this.#path, one))) ?? "";
    writeFileSync(join(this.#path, name), String(value));
  }
}

/** A group that reads from the disk of a path at so many bytes a second at most. */
export function readingGroup(stage: Stage, path: string, bytesPerSecond: number): Group {
  const { dev } = statSync(path);
  const device = `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
  const isFirstKind = hasController(join(groups, "blkio"), "blkio");
  const [controller, limit] = isFirstKind
    ? (["blkio", `${device} ${bytesPerSecond}`] as const)
    : (["io", `${device} rbps=${bytesPerSecond}`] as const);
  try {
    return new Group(stage, controller, limit);
  } catch (error) {
    // A part of a disk has no limit of its own, and some file systems have no disk.
    throw new NotHere(`reading from ${path} cannot be limited`, { cause: error });
  }
}

/** Sizes of a process in bytes: its own memory now, and the most of all memory that it has had. */
export function memoryOf(pid: number): { own: number; most: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const kibibytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]);
  return { own: 1024 * kibibytes("RssAnon"), most: 1024 * kibibytes("VmHWM") };
}

function hasController(path: string, controller: string): boolean {
  if (!existsSync(join(path, "cgroup.procs"))) return false;
  const list = join(path, "cgroup.controllers");
  if (!existsSync(list)) return path.endsWith(controller);
  return readFileSync(list, "utf8").split(/\s+/).includes(controller);
}

const groups = "/sys/fs/cgroup";
const settings = {
  memory: ["memory.limit_in_bytes", "memory.max"],
  pids: ["pids.max"],
  blkio: ["blkio.throttle.read_bps_device"],
  io: ["io.max"],
} as const;
const mostNames = ["memory.max_usage_in_bytes", "memory.peak"];
let made = 0;
