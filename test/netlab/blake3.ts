/** Another BLAKE3 than quiver's: b3sum if it is installed, or the Python package. */

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Hashes of files in hex, in the order of the paths; undefined where this machine has no way. */
export type HashFiles = (paths: readonly string[]) => string[];

/** Finds a way to hash; installs the Python package for the tests alone if there is no b3sum. */
export function otherBlake3(): HashFiles | undefined {
  if (spawnSync("b3sum", ["--version"]).status === 0) {
    return (paths) => lines("xargs", ["-0", "b3sum", "--no-names", "--"], paths, process.env);
  }
  const env = { ...process.env, PYTHONPATH: packages };
  const isThere = () => spawnSync("python3", ["-c", "import blake3"], { env }).status === 0;
  if (!existsSync(packages) || !isThere()) {
    spawnSync("python3", [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--target",
      packages,
      "blake3==1.0.11",
    ]);
  }
  return isThere() ? (paths) => lines("python3", ["-c", script], paths, env) : undefined;
}

/** Said where a comparison is left out. */
export const noBlake3 = "hashes not compared: install b3sum, or pip for python3";

function lines(program: string, args: string[], paths: readonly string[], env: NodeJS.ProcessEnv) {
  const input = paths.join("\0");
  const output = execFileSync(program, args, { input, env, encoding: "utf8", maxBuffer: 2 ** 26 });
  return output.split("\n").filter(Boolean);
}

const packages = join(tmpdir(), "quiver-test-blake3");
const script = `
import os, sys
from blake3 import blake3
for path in map(os.fsdecode, sys.stdin.buffer.read().split(b"\\0")):
    hasher = blake3()
    if os.path.getsize(path): hasher.update_mmap(path)
    print(hasher.hexdigest())
`;
