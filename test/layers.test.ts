/** Holds the sources to the picture in docs/architecture.md: imports go down or stay. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { test } from "node:test";

const root = resolve(import.meta.dirname, "..");

/** What each layer may import besides itself, packages and Node; `base` is a file directly in src/. */
const below: Record<string, readonly string[]> = {
  cli: ["index"],
  index: ["peer", "transfer", "protocol", "engine", "base"],
  peer: ["transfer", "protocol", "engine", "base"],
  transfer: ["protocol", "engine", "base"],
  protocol: ["engine", "base"],
  engine: ["base"],
  base: [],
};

test("every source is in a layer that is listed here", () => {
  const unknown = sources("src", ".ts").filter((path) => !(layerOf(path) in below));

  assert.deepEqual(unknown, []);
});

test("no source imports from a layer above its own", () => {
  const upward = sources("src", ".ts").flatMap((path) =>
    importsOf(path)
      .filter((target) => !mayImport(layerOf(path), layerOf(target)))
      .map((target) => `${path} imports ${target}`),
  );

  assert.deepEqual(upward, []);
});

test("S5: only the command's demo starts a process, and it starts quiver", () => {
  const starting = sources("src", ".ts").filter((path) =>
    /child_process|worker_threads|node:vm|\beval\(/.test(readFileSync(join(root, path), "utf8")),
  );

  assert.deepEqual(starting, ["src/cli/demo-side.ts"]);
});

test("no source is longer than 300 lines: one that would be is two ideas", () => {
  const long = [...sources("src", ".ts"), ...sources("native/src", ".rs")]
    .map((path) => ({ path, lines: read(path).trimEnd().split("\n").length }))
    .filter(({ lines }) => lines > 300);

  assert.deepEqual(long, []);
});

const examples = [
  { path: "src/index.ts", layer: "index" },
  { path: "src/errors.ts", layer: "base" },
  { path: "src/cli/main.ts", layer: "cli" },
  { path: "src/engine/memory.ts", layer: "engine" },
];

for (const { path, layer } of examples) {
  test(`${path} is in the layer ${layer}`, () => {
    assert.equal(layerOf(path), layer);
  });
}

function mayImport(layer: string, target: string): boolean {
  return target === layer || (below[layer]?.includes(target) ?? false);
}

function layerOf(path: string): string {
  const parts = path.split("/");
  if (path === "src/index.ts") return "index";
  return parts.length > 2 ? (parts[1] ?? "") : "base";
}

/** The files of ours that a file imports, as paths from the root; examples in comments do not count. */
function importsOf(path: string): string[] {
  const code = read(path).replace(/^\s*(\/?\*|\/\/).*$/gm, "");
  const specifiers = code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]*)"/g);
  const folder = dirname(join(root, path));
  return [...specifiers].map(([, specifier = ""]) => toPath(resolve(folder, specifier)));
}

function sources(folder: string, extension: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(extension))
    .map((name) => toPath(join(root, folder, name)))
    .sort();
}

function toPath(absolute: string): string {
  return relative(root, absolute).split(sep).join("/");
}

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}
