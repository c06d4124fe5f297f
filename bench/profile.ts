/** Where the time goes, by perf: samples of both sides, put into a few groups. */

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import type { Run } from "./measure.ts";
import type { Command } from "./side.ts";
import { programPath } from "./tools/program.ts";

/** One side's time. */
export interface Profile {
  /** Share of the CPU time, by group, from 0 to 1. */
  shares: Record<string, number>;
  /** Cores in use on average; what is missing to 1 is waiting. */
  coresBusy: number;
  /** The functions that take most, with their share. */
  top: { share: number; group: string; place: string; name: string }[];
}

/** Says what is missing to profile; undefined when nothing is. */
export function missingProfiler(): string | undefined {
  return programPath("perf") ? undefined : "--profile needs perf: apt install linux-perf";
}

/** The same command, watched. */
export function profiled(command: Command, file: string): Command {
  const perf = ["perf", "record", "-q", "-F", "997", "-o", file, "--"];
  return { ...command, argv: [...perf, ...command.argv] };
}

/** Reads what perf has seen of one side. */
export function readProfile(file: string, cpuSeconds: number, seconds: number): Profile {
  const profile: Profile = { shares: {}, coresBusy: cpuSeconds / seconds, top: [] };
  if (!existsSync(file)) return profile;
  const args = ["report", "-i", file, "--stdio", "-q", "--no-children", "-F", "overhead,dso,sym"];
  const text = execFileSync("perf", args, {
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    stdio: ["ignore", "pipe", "ignore"],
  });
  for (const line of text.split("\n")) {
    const match = /^\s*([\d.]+)%\s+(\S+)\s+\[(.)\]\s+(.*?)\s*$/.exec(line);
    if (!match) continue;
    const [, percent, place = "", mode, name = ""] = match;
    const share = Number(percent) / 100;
    const group = groupOf(place, name, mode === "k");
    profile.shares[group] = (profile.shares[group] ?? 0) + share;
    if (profile.top.length < topCount) profile.top.push({ share, group, place, name });
  }
  return profile;
}

/** Prints the last round's profile of each tool. */
export function printProfiles(runs: readonly Run[]): void {
  const last = new Map(runs.map((run) => [run.tool, run]));
  for (const [tool, { profiles }] of last) {
    for (const [side, profile] of Object.entries(profiles ?? {})) {
      console.log(`\n${tool}, ${side}: ${profile.coresBusy.toFixed(2)} cores busy`);
      const shares = Object.entries(profile.shares).toSorted(([, a], [, b]) => b - a);
      for (const [group, share] of shares) console.log(`  ${percent(share)}  ${group}`);
      for (const { share, group, place, name } of profile.top) {
        console.log(`    ${percent(share)}  ${group}: ${name.slice(0, 80)} (${place})`);
      }
    }
  }
  for (const line of hint(runs)) console.log(line);
}

/** Without its symbols, the addon's hash and cipher are all "engine". */
function hint(runs: readonly Run[]): string[] {
  const tops = runs.flatMap(({ profiles }) => Object.values(profiles ?? {}).map(({ top }) => top));
  const isStripped = tops.flat().some(({ group, name }) => group === "engine" && /^0x/.test(name));
  return isStripped ? ["", stripped] : [];
}

/** The first group that fits. */
function groupOf(place: string, name: string, isKernel: boolean): string {
  if (isKernel) return kernelGroups.find(({ names }) => names.test(name))?.group ?? "kernel, other";
  if (place.startsWith("libcrypto")) return "cipher";
  return userGroups.find(({ names }) => names.test(name))?.group ?? rest(place);
}

function rest(place: string): string {
  if (place === "node" || place.startsWith("[JIT]") || place.startsWith("perf-"))
    return "JavaScript";
  return place.endsWith(".node") ? "engine" : `other (${place})`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1).padStart(5)} %`;
}

const userGroups = [
  { group: "hash", names: /blake3|sha256|sha512|xxh|md5/i },
  { group: "cipher", names: /aes|gcm|ghash|chacha|poly1305|aead/i },
  { group: "copy", names: /mem(cpy|move|set)|_erms|_avx_unaligned/i },
];
const kernelGroups = [
  { group: "copy", names: /copy_(from|to|user|page|mc)|_copy_|rep_movs|memcpy|clear_page|csum/i },
  {
    group: "kernel, network",
    names: /udp|tcp|skb|ip_|ip6|net|sock|veth|qdisc|dev_|nf_|napi|gro|gso/i,
  },
  {
    group: "kernel, files",
    names: /ext4|shmem|tmpfs|page|folio|vfs|inode|dentry|filemap|xas|jbd2/i,
  },
];
const stripped = `native/quiver.node has no symbols, so that hash, cipher and engine are one. Build one that has:
  CARGO_PROFILE_RELEASE_STRIP=none cargo build --release --locked   (in native/)
and put target/release/libquiver_native.so in its place; delete both quiver.node files afterwards.`;
const topCount = 15;
