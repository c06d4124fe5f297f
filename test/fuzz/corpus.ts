/** Inputs that once broke something, kept as hex with comments: `corpus/TARGET/NAME.hex`. */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fromHex } from "./document.ts";

/** The corpus of a target. */
export function corpusOf(target: string): { name: string; input: Uint8Array }[] {
  const folder = join(corpus, target);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".hex"))
    .sort()
    .map((name) => ({ name, input: fromHex(readFileSync(join(folder, name), "utf8")) }));
}

/** Adds an input that broke something; returns its path. */
export function addToCorpus(target: string, input: Uint8Array, error: unknown): string {
  const folder = join(corpus, target);
  mkdirSync(folder, { recursive: true });
  const hash = createHash("sha256").update(input).digest("hex").slice(0, 12);
  const path = join(folder, `${hash}.hex`);
  const [reason = ""] = String(error).split("\n", 1);
  const lines =
    Buffer.from(input)
      .toString("hex")
      .match(/.{1,96}/g) ?? [];
  writeFileSync(path, `# ${reason.slice(0, 90)}\n${lines.join("\n")}\n`);
  return path;
}

const corpus = join(import.meta.dirname, "corpus");
