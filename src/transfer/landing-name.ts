/**
 * Where a sender's name lands: as it is, under another name, or not at all.
 *
 * Pure rules for one name at a time, for any system on any system. A name that no honest sender
 * sends is refused. A name that only this system cannot hold is mapped to one it can. Names that
 * clash in one folder are kept apart by {@link NameTable}.
 */

import { createHash } from "node:crypto";
import { decodeName, encodeName, isUnicode, nameBytes } from "../lossless-name.ts";

/** What a system's folders can hold. */
export interface NameRules {
  platform: NamePlatform;
}

/** Systems whose rules are known; any other Unix is like Linux. */
export type NamePlatform = "linux" | "darwin" | "windows";

/** What becomes of a name. */
export type Landing =
  | { kind: "same" | "mapped"; name: string }
  | { kind: "refused"; reason: string };

/** The rules of a system; `platform` as Node says it. */
export function nameRules(platform: string): NameRules {
  if (platform === "darwin") return { platform };
  if (platform === "win32" || platform === "windows") return { platform: "windows" };
  return { platform: "linux" };
}

/**
 * The name under which one component of a path lands. What it returns is `same` when asked again.
 *
 * The reason of a refusal completes the sentence "the name …".
 */
export function landingName(name: string, rules: NameRules): Landing {
  const reason = hostility(name);
  if (reason) return { kind: "refused", reason };
  let mapped = rules.platform === "linux" ? name : withoutLoneSurrogates(name);
  if (rules.platform === "windows") mapped = forWindows(mapped);
  // In any folder: each can be the one that a later transfer lands in. A plain first character stays
  // what it is when it is folded, and folding takes most of the time.
  const mayBeStaging = !/^\w/.test(mapped);
  if (mayBeStaging && foldName(mapped).startsWith(foldedStagingPrefix)) mapped = `_${mapped}`;
  mapped = shortened(mapped, name, rules);
  return { kind: mapped === name ? "same" : "mapped", name: mapped };
}

/**
 * Lands the names of one folder, one after the other.
 *
 * The same names in the same order land alike, so that a resumed transfer finds its files.
 */
export class NameTable {
  readonly #rules: NameRules;
  readonly #sent = new Set<string>();
  readonly #taken = new Set<string>();
  /** The next number to try for each name that was taken: a million twins take a million steps. */
  readonly #nextNumber = new Map<string, number>();

  /** Begins with an empty folder. */
  constructor(rules: NameRules) {
    this.#rules = rules;
  }

  /**
   * Where a name lands; see {@link landingName}.
   *
   * The same name twice is refused: no folder has it. A name that the system takes for an earlier
   * one is mapped to `name (2).ext`.
   */
  land(name: string): Landing {
    const landing = landingName(name, this.#rules);
    if (landing.kind === "refused") return landing;
    if (this.#sent.has(name)) return { kind: "refused", reason: "stands twice in its folder" };
    this.#sent.add(name);
    const free = this.#freeName(landing.name);
    return { kind: free === name ? "same" : "mapped", name: free };
  }

  #freeName(name: string): string {
    if (this.#take(name)) return name;
    const [key = name] = this.#keys(name);
    for (let number = this.#nextNumber.get(key) ?? 2; ; number += 1) {
      const free = numbered(name, number, this.#rules);
      if (!this.#take(free)) continue;
      this.#nextNumber.set(key, number + 1);
      return free;
    }
  }

  /** Takes a name; false if the system takes it for one that is taken. */
  #take(name: string): boolean {
    const keys = this.#keys(name);
    if (keys.some((key) => this.#taken.has(key))) return false;
    for (const key of keys) this.#taken.add(key);
    return true;
  }

  /** What other names must not have in common with a name: macOS composes, Windows does not. */
  #keys(name: string): string[] {
    return this.#rules.platform === "linux" ? [name] : [foldName(name), name.toUpperCase()];
  }
}

/**
 * Tells whether a link's text leads nowhere outside the top-level folder that the link came in.
 *
 * `linkPath` is the link's own path, top-level folder first. A link at the top has no folder to
 * stay in. A `..` counts only at the start: there it climbs real folders, while after a name it
 * could climb from wherever another link leads.
 */
export function isInsideLink(
  linkPath: readonly string[],
  target: string,
  platform: NamePlatform = "linux",
): boolean {
  if (target === "" || target.startsWith("/") || target.includes("\0")) return false;
  if (platform === "windows" && /[\\:]/.test(target)) return false;
  const parts = target.split("/").filter((part) => part !== "" && part !== ".");
  const firstName = parts.findIndex((part) => part !== "..");
  const climbs = firstName === -1 ? parts.length : firstName;
  if (parts.slice(climbs).includes("..")) return false;
  const foldersBelowTop = linkPath.length - 2;
  return climbs <= foldersBelowTop;
}

/** The length of a name as the system counts it. */
function unitsOf(name: string, rules: NameRules): number {
  return rules.platform === "linux" ? nameBytes(name) : name.length;
}

/** A name cut so that it fits together with `tail`, which goes before its extension. */
function cutName(name: string, tail: string, rules: NameRules): string {
  const { stem, extension } = splitExtension(name);
  let room = MOST_UNITS - unitsOf(tail + extension, rules);
  let kept = "";
  for (const character of stem) {
    room -= unitsOf(character, rules);
    if (room < 0) break;
    kept += character;
  }
  return kept + tail + extension;
}

/**
 * The form in which names are compared by systems that do not tell case or composition apart.
 *
 * It makes more names equal than any one system does: too many only costs a prettier name.
 */
function foldName(name: string): string {
  const plain = name.normalize("NFKD").replace(/\p{Default_Ignorable_Code_Point}/gu, "");
  return plain.toLowerCase().toUpperCase().normalize("NFKC");
}

function hostility(name: string): string | null {
  if (name === "") return "is empty";
  if (name === "." || name === "..") return "is a way to another folder";
  if (name.includes("/")) return "has a slash in it";
  if (name.includes("\0")) return "has a NUL in it";
  if (nameBytes(name) > MOST_HOSTILE_BYTES) return `is longer than ${MOST_HOSTILE_BYTES} bytes`;
  // Two strings for the same bytes would be two names in the manifest and one on the disk.
  const isOneForm = isUnicode(name) || decodeName(encodeName(name)) === name;
  return isOneForm ? null : "is not in the one form of its bytes";
}

/** Escaped bytes as `%E9`: these systems hold only Unicode. */
function withoutLoneSurrogates(name: string): string {
  return name.replace(/\p{Cs}/gu, (half) => {
    const byte = half.charCodeAt(0) & 0xff;
    return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  });
}

/** See "Naming Files, Paths, and Namespaces" in Microsoft's documentation. */
function forWindows(name: string): string {
  return (
    name
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
      .replace(/[<>:"|?*\\\u0001-\u001f]/g, "_")
      .replace(/[. ]+$/, (tail) => "_".repeat(tail.length))
      .replace(deviceName, "$1_$2")
  );
}

/** Long names keep their extension, and a hash of the whole name keeps them apart. */
function shortened(name: string, original: string, rules: NameRules): string {
  if (unitsOf(name, rules) <= MOST_UNITS) return name;
  const hash = createHash("sha256").update(encodeName(original)).digest("hex");
  return cutName(name, `~${hash.slice(0, HASH_DIGITS)}`, rules);
}

function splitExtension(name: string): { stem: string; extension: string } {
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 ? name.slice(dot) : "";
  if (extension.length > MOST_EXTENSION_UNITS) return { stem: name, extension: "" };
  return { stem: name.slice(0, name.length - extension.length), extension };
}

function numbered(name: string, number: number, rules: NameRules): string {
  return cutName(name, ` (${number})`, rules);
}

/** Names of the receiver's own folders for unfinished transfers begin so. */
export const stagingPrefix = ".quiver-";
const foldedStagingPrefix = foldName(stagingPrefix);

/** Names that Windows takes for devices, in any case, with any extension. */
const deviceName = /^(con|prn|aux|nul|com[1-9¹²³]|lpt[1-9¹²³]|conin\$|conout\$)( *(?:\..*)?)$/i;

/** NAME_MAX of Linux in bytes; of NTFS and APFS in UTF-16 units. */
const MOST_UNITS = 255;
/** PATH_MAX of Linux: no system has a longer name, so this one was made up. */
const MOST_HOSTILE_BYTES = 4_096;
/** Longer ones are no extensions but names with a dot in them. */
const MOST_EXTENSION_UNITS = 32;
const HASH_DIGITS = 12;
