/** Programs of this machine that tools are made of. */

import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Program } from "./tool.ts";

/** A program that is looked for in `PATH` and where Debian has its servers. */
export function program(name: string, install: string): Program {
  return { isThere: () => programPath(name) !== undefined, install };
}

/** The whole path of a program; undefined when it is not installed. */
export function programPath(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** The first line that a program prints when asked for its version, on either output. */
export function firstLine(name: string, ...args: string[]): string {
  const { stdout, stderr } = spawnSync(programPath(name) ?? name, args, { encoding: "utf8" });
  return `${stdout ?? ""}${stderr ?? ""}`.trim().split("\n")[0] ?? "";
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
