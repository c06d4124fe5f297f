/** Finds the tools that a set-up needs, and says in one sentence what to install. */

import { spawnSync } from "node:child_process";

/** What a person must install; its message is one sentence for them. */
export class Missing extends Error {}

/** Fails when the machine's Node cannot install the dependencies. */
export function requireNode(version) {
  if (Number.parseInt(version, 10) >= oldestNode) return;
  throw new Missing(
    `Node ${version} is too old: install Node ${oldestNode} or newer (https://nodejs.org), then try again.`,
  );
}

/** Fails when there is no Rust, or one that is older than `oldest` (such as `1.91`). */
export function requireRust(oldest) {
  const how = `install Rust ${oldest} or newer with rustup (https://rustup.rs), then try again.`;
  const version = versionOf("cargo", ["--version"])?.match(/\d+\.\d+/)?.[0];
  if (!version)
    throw new Missing(`building the native addon needs Rust, and there is no cargo: ${how}`);
  if (isOlder(version, oldest)) {
    throw new Missing(`building the native addon needs a newer Rust than ${version}: ${how}`);
  }
}

/** Fails when there is no C compiler. On Windows cargo itself looks for one, and says so. */
export function requireCompiler() {
  if (process.platform === "win32") return;
  const names = [process.env.CC, "cc", "gcc", "clang"].filter(Boolean);
  if (names.some((name) => versionOf(name, ["--version"]) !== undefined)) return;
  const how =
    process.platform === "darwin"
      ? "install Apple's command line tools (xcode-select --install)"
      : "install gcc (on Debian and Ubuntu: sudo apt-get install build-essential)";
  throw new Missing(
    `building the native addon needs a C compiler, and there is none: ${how}, then try again.`,
  );
}

/** What a tool prints of its version; `undefined` when it is not there or does not work. */
export function versionOf(command, args) {
  const { status, stdout } = spawnSync(command, args, { encoding: "utf8" });
  return status === 0 ? stdout : undefined;
}

function isOlder(version, oldest) {
  const [major, minor] = version.split(".").map(Number);
  const [oldestMajor, oldestMinor] = oldest.split(".").map(Number);
  return major < oldestMajor || (major === oldestMajor && minor < oldestMinor);
}

const oldestNode = 20;
