/** Makes the npm packages: the main one, and one for each system with its addon, as napi-rs has it. */

import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { nativePackage, nativeTargets } from "../../src/engine/native-target.ts";
import { npm } from "../set-up/npm.mjs";
import { root } from "../set-up/paths.mjs";
import { buildSources } from "./build.mjs";

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const licences = ["LICENSE-APACHE", "LICENSE-MIT"];

/** Builds the main package, which asks for each system's package, and returns the path of its tarball. */
export async function packMain(into) {
  await buildSources();
  // What it imports is in its files.
  const { scripts, dependencies, devDependencies, allowScripts, ...published } = manifest;
  const optionalDependencies = Object.fromEntries(
    Object.keys(nativeTargets).map((target) => [nativePackage(target), manifest.version]),
  );
  return pack(into, { ...published, optionalDependencies }, (folder) => {
    cpSync(join(root, "dist"), join(folder, "dist"), { recursive: true });
    copyFileSync(join(root, "README.md"), join(folder, "README.md"));
  });
}

/** Makes the package of a system from its addon, and returns the path of its tarball. */
export function packTarget(into, target, addon) {
  const { os, cpu, libc } = nativeTargets[target] ?? {};
  if (!os) {
    const known = Object.keys(nativeTargets).join(", ");
    throw new Error(`${target} is no target; there are ${known}`);
  }
  const file = `quiver.${target}.node`;
  const published = {
    name: nativePackage(target),
    version: manifest.version,
    description: `The native part of quiver for ${target}.`,
    license: manifest.license,
    engines: manifest.engines,
    ...{ os: [os], cpu: [cpu], ...(libc && { libc: [libc] }) },
    main: file,
    files: [file],
  };
  return pack(into, published, (folder) => {
    copyFileSync(addon, join(folder, file));
    const text = `The native part of [quiver](https://www.npmjs.com/package/${manifest.name}) for ${target}.\n`;
    writeFileSync(join(folder, "README.md"), text);
  });
}

/** Packs what `fill` puts into a folder, beside a manifest and the licences. */
function pack(into, published, fill) {
  const folder = mkdtempSync(join(tmpdir(), "quiver-package-"));
  try {
    const text = JSON.stringify({ ...published, ...repository() }, undefined, 2);
    writeFileSync(join(folder, "package.json"), `${text}\n`);
    for (const name of licences) copyFileSync(join(root, name), join(folder, name));
    fill(folder);
    return npmPack(into, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Where GitHub builds this, as npm wants it named to prove where a package comes from. */
function repository() {
  const name = process.env.GITHUB_REPOSITORY;
  return name && { repository: { type: "git", url: `git+https://github.com/${name}.git` } };
}

function npmPack(into, folder) {
  const destination = resolve(into);
  mkdirSync(destination, { recursive: true });
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", destination];
  const options = { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] };
  const { status, stdout } = npm([...args, folder], options);
  if (status !== 0) throw new Error("npm pack failed: see the lines above");
  const [{ filename }] = JSON.parse(stdout);
  return join(destination, filename);
}
