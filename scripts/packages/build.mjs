/** Builds `dist`: the command and the library as few files, and the types beside them. */

import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { root } from "../set-up/paths.mjs";

/** Builds it anew. With a file for each module every start of the command would take a tenth of a second more. */
export async function buildSources() {
  rmSync(join(root, "dist"), { recursive: true, force: true });
  buildTypes();
  const { dependencies, engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  await build({
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
    external: Object.keys(dependencies),
    sourcemap: true,
    logLevel: "warning",
  });
}

function buildTypes() {
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  const args = [compiler, "-p", "tsconfig.build.json"];
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) throw new Error("the sources did not build: see the lines above");
}
