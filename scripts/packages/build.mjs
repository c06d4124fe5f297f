/** Builds `dist`: the command and the library as few files with all that they import, and the types beside them. */

import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { root } from "../set-up/paths.mjs";

/** Builds it anew. With a file for each module every start of the command would take a tenth of a second more. */
export async function buildSources() {
  rmSync(join(root, "dist"), { recursive: true, force: true });
  buildTypes();
  const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ["src/cli/main.ts", "src/index.ts"],
    outdir: "dist",
    // As deep as the sources, which look for the package's other files from where they are.
    chunkNames: "cli/[name]-[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: `node${engines.node.match(/\d+/)[0]}`,
    sourcemap: true,
    metafile: true,
    logLevel: "warning",
  });
  writeFileSync(join(root, "dist", "LICENSES.txt"), licences(Object.keys(metafile.inputs)));
}

/** The licences of all packages of which there are files in it, as each asks for. */
function licences(files) {
  const folders = new Set(files.flatMap((file) => file.match(packageFolder)?.[0] ?? []));
  const texts = [...folders].sort().map((folder) => {
    const { name, version } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
    const file = readdirSync(join(root, folder)).find((one) => /^licen[cs]e/i.test(one));
    if (!file) throw new Error(`${name} has no licence that could be passed on`);
    return `${name} ${version}\n\n${readFileSync(join(root, folder, file), "utf8").trim()}\n`;
  });
  return texts.join(`\n${"-".repeat(72)}\n\n`);
}

function buildTypes() {
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  const args = [compiler, "-p", "tsconfig.build.json"];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) throw new Error("the sources did not build: see the lines above");
}

/** The folder of the package that a file belongs to, the innermost one. */
const packageFolder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/;
